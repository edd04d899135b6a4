"""`python -m openlfr` is the `openlfr` command."""

import sys

from openlfr.cli import main

if __name__ == "__main__":
    sys.exit(main())
