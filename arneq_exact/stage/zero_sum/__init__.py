"""Zero-sum matrix games in batches."""
