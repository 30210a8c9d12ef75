"""Certificates of ε-equilibria and the checkers that trust nothing but the game's own numbers [T12]."""
