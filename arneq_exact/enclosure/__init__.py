"""Boxes proved to hold an equilibrium, in ball arithmetic: exact forms of irrational answers."""
