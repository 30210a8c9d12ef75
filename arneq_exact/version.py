"""The version of the package: it stands here, and everything else reads it here."""

__version__ = "0.1.0"
