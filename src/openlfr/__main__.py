"""Runs the `openlfr` command as `python -m openlfr`."""

import os
import sys

from openlfr.sigterm import exit_at_sigterm


def main() -> int:
    """Run the command; a service, or the first process of a container, exits at SIGTERM."""
    if sys.argv[1:2] == ["service"]:
        exit_at_sigterm(130 if "ingest" in sys.argv[2:3] else 0)  # the same codes as after start-up
    elif os.getpid() == 1:
        exit_at_sigterm()
    from openlfr.cli import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
