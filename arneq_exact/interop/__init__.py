"""Bridges to other libraries: games as environments of theirs, and their environments as games."""
