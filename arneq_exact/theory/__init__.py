"""The theory as running code: statements, evidence, and the search for counterexamples."""
