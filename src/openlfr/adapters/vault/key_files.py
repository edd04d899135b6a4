"""Reads and checks key files: one line with a label for the kind of key, and 32 bytes in base64."""

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
"""Label of the key of control.v1, for services that do not read pictures."""


def format_key_line(label: str, key: bytes) -> str:
    """Return the line of a key file."""
    return f"{label} {base64.b64encode(key).decode()}\n"


def parse_key(text: str, label: str) -> bytes:
    """Parse the line of a key file.

    Raises:
        BadInput: The line has another label, or no key.
    """
    file_label, _, encoded = text.strip().partition(" ")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if file_label != label or len(key) != KEY_BYTES:
        raise BadInput(f"This is not a line with the label {label} and a key.")
    return key


def require_private(key_file: Path, what: str, *, allow_group: bool = False) -> None:
    """Check that no other user can read a key.

    Args:
        key_file: File of the key.
        what: Name of the key's owner in messages, such as "vault's".
        allow_group: Whether the file's group may read the key. For a process that is not root,
            Kubernetes mounts a Secret as root's file with mode 0440 and the pod's own group, which
            has no other members.

    Raises:
        Misconfigured: Other users can read the file, or it belongs to another user.
        OSError: The file does not exist, or its status cannot be read.
    """
    status = key_file.stat()
    mode = status.st_mode & 0o777
    if allow_group and status.st_uid not in {0, os.geteuid()}:
        raise Misconfigured(
            f"The {what} key {key_file} belongs to another user (uid {status.st_uid}); it must "
            "belong to root or to this user."
        )
    if mode & (0o037 if allow_group else 0o077):
        raise Misconfigured(
            f"The {what} key {key_file} can be read by others (mode {mode:03o}): "
            f"run chmod {440 if allow_group else 600} {key_file}."
        )


def read_control_key(key_file: Path) -> bytes:
    """Read this process's key of control.v1.

    Args:
        key_file: Value of OPENLFR_CONTROL_KEY_FILE.

    Raises:
        Misconfigured: The file does not exist, or others can read it, or it has no such key.
        Unavailable: The file cannot be read.
    """
    try:
        require_private(key_file, "control topic's", allow_group=True)
        return parse_key(key_file.read_text("ascii", "replace"), CONTROL_LABEL)
    except FileNotFoundError:
        raise Misconfigured(
            f"The key of control.v1 {key_file} (OPENLFR_CONTROL_KEY_FILE) does not exist; "
            "`openlfr rights control-key VAULT_KEY` prints it."
        ) from None
    except OSError as error:
        raise Unavailable(f"{key_file} cannot be read ({error.strerror or error}).") from error
    except BadInput:
        raise Misconfigured(
            f"{key_file} (OPENLFR_CONTROL_KEY_FILE) contains no key of control.v1; "
            "`openlfr rights control-key VAULT_KEY` prints it."
        ) from None
