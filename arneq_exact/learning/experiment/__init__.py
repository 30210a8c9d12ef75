"""Experiments: learners on families of games, every iterate judged exactly, ground truth beside them."""
