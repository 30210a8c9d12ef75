"""Stage games of any number of agents under any threat: conditions, Newton, barrier paths."""
