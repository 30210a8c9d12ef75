"""Studies that ask for more than one equilibrium: several of one game, or one for each of several threats."""
