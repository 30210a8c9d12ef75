"""Robust play straight from its definition, slow and plain: what theory and tests compare solvers with."""
