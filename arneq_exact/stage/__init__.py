"""One-shot games between agents and their attackers: solvers by class, in batches, and all equilibria."""
