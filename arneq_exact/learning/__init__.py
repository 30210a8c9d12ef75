"""Learning from samples: agents that update as they play, and the schedules they do it by."""
