"""Who uses this computer: all that is known of a person on the command line."""

from __future__ import annotations

import getpass
import os

from openlfr.domain.principals import Principal, local_principal


def local_person(name: str = "") -> Principal:
    """Whoever runs this process, under a name that they give.

    Args:
        name: As typed; without one it is the account's.
    """
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not be in its list of accounts
        account = f"uid {os.getuid()}"
    return local_principal(account, name)
