"""The front door: which solvers are asked, how candidates are judged and sealed, what a solution says."""
