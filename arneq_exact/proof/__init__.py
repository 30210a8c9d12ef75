"""Certificates and their checkers [T12]. They trust the game alone: nothing here imports a solver."""
