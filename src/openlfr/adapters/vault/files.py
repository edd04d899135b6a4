"""A folder of encrypted blobs: reference pictures and evidence.

Each blob is one file, encrypted with AES-256-GCM. The blob's name is associated data, so that a
file under another blob's name cannot be decrypted. The key is in a separate file that only its
owner can read; back the key up apart from the folder. Deleting a file does not overwrite the disk,
so the disk itself must be encrypted.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from itertools import islice
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from openlfr.adapters.vault.key_files import (
    KEY_BYTES,
    VAULT_LABEL,
    format_key_line,
    parse_key,
    require_private,
)
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_MAGIC = b"OLFR1"  # first bytes of every sealed blob, before nonce and ciphertext
_NONCE_BYTES = 12
_SAMPLE_SIZE = 4  # blobs of each kind to decrypt as a test of the key
_UNFINISHED = ".unfinished-"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class Sealer:
    """Encrypts and authenticates blobs under one key.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    def derive(self, purpose: str) -> bytes:
        """Derive a key of 32 bytes for one purpose from the vault's key (HKDF-SHA256, RFC 5869)."""
        info = f"{VAULT_LABEL}\x1f{purpose}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._key)

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content; `unseal` with the same name and key returns the content."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _MAGIC + nonce + self._cipher.encrypt(nonce, content, name.encode())

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt content that `seal` encrypted.

        Raises:
            BadInput: The content was altered, or encrypted under another name or key.
        """
        start = len(_MAGIC) if sealed.startswith(_MAGIC) else len(sealed)
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, name.encode())
        except (InvalidTag, ValueError):  # ValueError: the nonce is truncated
            raise BadInput(
                f"{name!r} in the vault cannot be decrypted: it was altered or encrypted with "
                "another key."
            ) from None


class FileVault:
    """The `Vault` port on a folder.

    Args:
        folder: Folder of the blobs; created if absent, with access for its owner only.
        key_file: File of the key; created if absent, unless the folder already has blobs.
        key_is_external: Whether the key file belongs to the environment, such as a Secret in a
            pod. Then the file is never created here, and its group may read the file: Kubernetes
            mounts a Secret as root's file with mode 0440 and the pod's own group.

    Raises:
        Misconfigured: The key is missing although blobs exist, or other users can read the key,
            or the file contains no key.
        Unavailable: The folder or the key cannot be created, read or written.
    """

    def __init__(self, folder: Path, key_file: Path, *, key_is_external: bool = False) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not key_file.exists():
                if key_is_external:
                    raise Misconfigured(
                        f"The vault's key {key_file} (OPENLFR_VAULT_KEY_FILE) does not exist."
                    )
                self._create_key(key_file)
            key = _read_key(key_file, allow_group=key_is_external)
        except OSError as error:
            raise _unavailable(folder, error) from error
        self._sealer = Sealer(key)

    def is_of_another_key(self) -> bool:
        """Return whether the blobs seem to be encrypted with another key.

        A few blobs of each kind are tried; True if none of them can be decrypted. With one blob
        the result is False, since that blob may have been altered.
        """
        decrypted = [self._can_decrypt(path) for path in self._sample_paths()]
        return len(decrypted) > 1 and not any(decrypted)

    def put(self, name: str, content: bytes) -> None:
        """Store or replace a blob durably; after a crash the content is either old or new."""
        path = self._path(name)
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, mode=0o700)
                _sync_folder(path.parent.parent)
            _write_durably(path, self._sealer.seal(name, content))
        except OSError as error:
            raise _unavailable(self._folder, error) from error

    def get(self, name: str) -> bytes:
        """Read and decrypt a blob.

        Raises:
            BadInput: The blob does not exist, was altered, or is encrypted with another key.
            Unavailable: The disk cannot be read.
        """
        try:
            sealed = self._path(name).read_bytes()
        except FileNotFoundError:
            raise BadInput(f"The vault {self._folder} has no {name!r}.") from None
        except OSError as error:
            raise _unavailable(self._folder, error) from error
        return self._sealer.unseal(name, sealed)

    def _sample_paths(self) -> Iterator[Path]:
        for kind in self._folder.iterdir():
            if kind.is_dir():
                paths = (each for each in kind.iterdir() if not each.name.startswith(_UNFINISHED))
                yield from islice((each for each in paths if each.is_file()), _SAMPLE_SIZE)

    def _can_decrypt(self, path: Path) -> bool:
        try:
            self._sealer.unseal(path.relative_to(self._folder).as_posix(), path.read_bytes())
        except FileNotFoundError:  # deleted since it was listed; no sign of another key
            return True
        except (BadInput, OSError):
            return False
        return True

    def delete(self, name: str) -> None:
        """Delete a blob; an unknown name is ignored."""
        path = self._path(name)
        try:
            path.unlink()
            _sync_folder(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unavailable(self._folder, error) from error

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names of all blobs that start with `prefix`."""
        names = (
            path.relative_to(self._folder).as_posix()
            for path in self._folder.rglob("*")
            if not path.name.startswith(_UNFINISHED) and path.is_file()
        )
        return sorted(name for name in names if name.startswith(prefix))

    def erase_unfinished(self, before: datetime) -> int:
        """Delete files that a crash left unfinished before `before`; return their number."""
        deleted = 0
        try:
            for path in self._folder.rglob(f"{_UNFINISHED}*"):
                with contextlib.suppress(FileNotFoundError):  # finished since it was listed
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        deleted += 1
        except OSError as error:
            raise _unavailable(self._folder, error) from error
        return deleted

    def derive(self, purpose: str) -> bytes:
        """Derive a key of 32 bytes for a purpose, which reveals nothing about other keys."""
        return self._sealer.derive(purpose)

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content to be stored elsewhere, such as a template in the records' outbox."""
        return self._sealer.seal(name, content)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt content that `seal` encrypted; raises BadInput as `get` does."""
        return self._sealer.unseal(name, sealed)

    def _path(self, name: str) -> Path:
        return self._folder.joinpath(*split_name(name))

    def _create_key(self, key_file: Path) -> None:
        if self.names():
            raise Misconfigured(
                f"The vault {self._folder} contains encrypted pictures, but its key {key_file} is "
                "missing. Restore the key from its backup."
            )
        key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = format_key_line(VAULT_LABEL, secrets.token_bytes(KEY_BYTES))
        # If another process creates a key at the same moment, the first key is used by both.
        with contextlib.suppress(FileExistsError):
            _write_durably(key_file, line.encode(), replace=False)


def split_name(name: str) -> list[str]:
    """Split a blob's name into its folders and its file name.

    Raises:
        BadInput: The name could be a path outside the vault: a part is empty, begins with a dot,
            or has characters other than letters, digits, '.', '_' and '-'.
    """
    parts = name.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise BadInput(f"{name!r} is not a valid name in the vault.")
    return parts


def _read_key(key_file: Path, *, allow_group: bool = False) -> bytes:
    require_private(key_file, "vault's", allow_group=allow_group)
    try:
        return parse_key(key_file.read_text("ascii", "replace"), VAULT_LABEL)
    except BadInput:
        raise Misconfigured(
            f"{key_file} contains no key of a vault. Restore it from its backup."
        ) from None


def _write_durably(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file durably, as a whole or not at all, and readable by its owner only.

    If `replace` is False, an existing file raises FileExistsError.
    """
    unfinished = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
    try:
        with os.fdopen(
            os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
        ) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            unfinished.replace(path)
        else:
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable(folder: Path, error: OSError) -> Unavailable:
    reason = error.strerror or str(error)
    return Unavailable(
        f"The vault {folder} cannot be used ({reason}). Check the folder, its permissions and "
        "the free space of its disk."
    )
