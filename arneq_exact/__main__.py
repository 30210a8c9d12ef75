"""`python -m arneq_exact`: the `arneq` command where its script is not on the path."""

import sys

from arneq_exact.cli import main

if __name__ == "__main__":
    sys.exit(main())
