"""Who may be corrupted where, and what the attackers can do there: a game and a threat, resolved once."""
