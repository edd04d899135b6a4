"""`python -m openlfr` is the `openlfr` command."""

import os
import sys

from openlfr.ending import end_at_sigterm


def main() -> int:
    """The command; a service, and whatever is a container's first process, ends at SIGTERM."""
    if sys.argv[1:2] == ["service"]:
        end_at_sigterm(130 if "ingest" in sys.argv[2:3] else 0)  # as they end later too
    elif os.getpid() == 1:
        end_at_sigterm()
    from openlfr.cli import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
