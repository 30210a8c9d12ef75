"""Stage games of two agents: bimatrix games, and a probability of corruption [T11]."""
