"""Markov games: backups, evaluation, audits, and the solvers, which offer candidates and never a verdict."""
