"""Certificates, their bound and its checkers [T12]. They trust the game alone and import no solver."""
