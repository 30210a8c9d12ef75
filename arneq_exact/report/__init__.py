"""Tables of results for people: takes data, computes nothing."""
