"""Random games that statements are run on."""
