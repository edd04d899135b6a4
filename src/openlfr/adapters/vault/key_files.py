"""Files that hold a key: a word that says which kind of key, and 32 bytes in base64."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
VAULT_LABEL = "openlfr-vault-key-1"
CONTROL_LABEL = "openlfr-control-key-1"
"""Of the key of control.v1 alone, for a service that opens no pictures."""


def key_line(label: str, key: bytes) -> str:
    """The line of a key's file."""
    return f"{label} {base64.b64encode(key).decode()}\n"


def parse_key(text: str, label: str) -> bytes:
    """The key of a file's line.

    Raises:
        BadInput: It is no such key.
    """
    word, _, encoded = text.strip().partition(" ")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if word != label or len(key) != KEY_BYTES:
        raise BadInput("This is no such key.")
    return key


def require_private(key_file: Path, what: str, *, by_group: bool = False) -> None:
    """See that nobody else can read a key.

    Args:
        key_file: Where it lies.
        what: What it is the key of, for people.
        by_group: Its group may read it: Kubernetes hands a Secret to a process that is not root as
            root's file with the pod's own group and mode 0440; no one else is in that group.

    Raises:
        Misconfigured: Others can, or it belongs to another user.
        OSError: The file cannot be looked at.
    """
    status = key_file.stat()
    mode = status.st_mode & 0o777
    if by_group and status.st_uid not in {0, os.geteuid()}:
        raise Misconfigured(
            f"The {what} key {key_file} belongs to another user (uid {status.st_uid}): it must "
            "be root's or this user's own."
        )
    if mode & (0o037 if by_group else 0o077):
        raise Misconfigured(
            f"The {what} key {key_file} can be read by others (mode {mode:03o}): "
            f"run chmod {440 if by_group else 600} {key_file}."
        )


def read_control_key(key_file: Path) -> bytes:
    """The key of control.v1 that somebody has given this process (OPENLFR_CONTROL_KEY_FILE).

    Raises:
        Misconfigured: There is none, others can read it, or it is no such key.
        Unavailable: It cannot be read.
    """
    try:
        require_private(key_file, "control topic's", by_group=True)
        return parse_key(key_file.read_text("ascii", "replace"), CONTROL_LABEL)
    except FileNotFoundError:
        raise Misconfigured(
            f"There is no key of control.v1 in {key_file} (OPENLFR_CONTROL_KEY_FILE): "
            "`openlfr rights control-key VAULT_KEY` prints it."
        ) from None
    except OSError as error:
        raise Unavailable(f"{key_file} cannot be read ({error.strerror or error}).") from error
    except BadInput:
        raise Misconfigured(
            f"{key_file} (OPENLFR_CONTROL_KEY_FILE) is no key of control.v1: "
            "`openlfr rights control-key VAULT_KEY` prints it."
        ) from None
