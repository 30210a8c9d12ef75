"""The tree of errors. Each message tells where, name, value and rule in one line."""

from __future__ import annotations


class ArneqError(Exception):
    """Base of every error that arneq_exact raises on purpose."""


class InputError(ArneqError, ValueError):
    """The caller's input breaks a rule; the message names the place, the value and the rule."""


class GameError(InputError):
    """A Markov game is not well formed."""


class PolicyError(InputError):
    """A policy is not well formed, or does not fit the game."""


class ThreatError(InputError):
    """A threat model is not well formed, or does not fit the game."""


class FileError(InputError):
    """A file cannot be read as what it should be."""


class CertificateError(InputError):
    """A certificate is not well formed, or does not belong to the game or threat at hand."""


class StateLimitError(ArneqError):
    """`explore` met more states than it was allowed to keep."""


class StageError(ArneqError):
    """No method of the chosen backend solved a stage game to the required accuracy."""
