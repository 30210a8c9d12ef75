"""The front door: which solvers are asked, how a candidate is judged and sealed, what a solution says."""
