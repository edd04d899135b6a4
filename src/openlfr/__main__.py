"""`python -m openlfr` is the `openlfr` command."""

import os
import sys

from openlfr.sigterm import exit_at_sigterm


def main() -> int:
    """Run the command. A service and the first process of a container exit at SIGTERM."""
    if sys.argv[1:2] == ["service"]:
        exit_at_sigterm(130 if "ingest" in sys.argv[2:3] else 0)  # as after start-up
    elif os.getpid() == 1:
        exit_at_sigterm()
    from openlfr.cli import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
