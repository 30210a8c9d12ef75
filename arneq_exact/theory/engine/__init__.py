"""What runs statements: instances, hypotheses, evidence, the ledger's runs, searches and shrinking."""
