"""The operating system account of the person on the command line."""

from __future__ import annotations

import getpass
import os

from openlfr.domain.principals import Principal, local_principal


def local_person(name: str = "") -> Principal:
    """Return the person who runs this process.

    Args:
        name: The person's name; empty for the account's name.
    """
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no account entry
        account = f"uid {os.getuid()}"
    return local_principal(account, name)
