"""What is solved: games, threats and policies, explored, simulated, and kept in files."""
