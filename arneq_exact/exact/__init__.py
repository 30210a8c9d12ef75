"""Exact numbers and exact linear algebra: rationals, integer simplex, integer Lemke, double description."""
