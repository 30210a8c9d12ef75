"""What `golden.py` records, by family."""
