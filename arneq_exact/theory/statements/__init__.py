"""The statements of the theory, one file a theorem."""
