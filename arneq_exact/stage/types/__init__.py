"""Types of stage equilibria [T6], and what decides them."""
