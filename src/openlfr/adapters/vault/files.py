"""A folder of encrypted blobs: reference pictures and evidence.

Each blob is one file, encrypted with AES-256-GCM and the blob's name as associated data, so that a
file that was swapped for another one cannot be decrypted. The key is in its own file, which only
its owner can read; back it up apart from the folder. Deleting a file does not overwrite the disk,
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
    key_line,
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
_SAMPLE_SIZE = 4  # blobs of each kind that are tried with the key
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
        """Derive a key of 32 bytes for one purpose: HKDF-SHA256 (RFC 5869) of the vault's key."""
        info = f"{VAULT_LABEL}\x1f{purpose}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._key)

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content; only `unseal` with the same name and key returns it."""
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
        except (InvalidTag, ValueError):  # ValueError: truncated within the nonce
            raise BadInput(
                f"{name!r} in the vault cannot be decrypted: it was altered, or encrypted under "
                "another key."
            ) from None


class FileVault:
    """The `Vault` port on a folder.

    Args:
        folder: Folder of the blobs; made if absent, for its owner alone.
        key_file: File of the key; made if absent, unless the folder has blobs already.
        key_is_external: The key file belongs to the environment, such as a Secret in a pod: it is
            never made here, and its group may read it. For a process that is not root, Kubernetes
            mounts a Secret as root's file with mode 0440 and the pod's own group, which has no
            other members.

    Raises:
        Misconfigured: The key is missing although blobs exist, others can read it, or it is no key.
        Unavailable: The folder or the key cannot be made, read or written.
    """

    def __init__(self, folder: Path, key_file: Path, *, key_is_external: bool = False) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not key_file.exists():
                if key_is_external:
                    raise Misconfigured(
                        f"There is no key of the vault in {key_file} (OPENLFR_VAULT_KEY_FILE)."
                    )
                self._make_key(key_file)
            key = _read_key(key_file, by_group=key_is_external)
        except OSError as error:
            raise _unavailable(folder, error) from error
        self._sealer = Sealer(key)

    def is_of_another_key(self) -> bool:
        """Whether the blobs are encrypted under another key: none of several can be decrypted.

        A single blob may have been altered. Only a few blobs of each kind are tried.
        """
        decrypted = [self._can_decrypt(path) for path in self._sample_paths()]
        return len(decrypted) > 1 and not any(decrypted)

    def put(self, name: str, content: bytes) -> None:
        """Store or replace a blob, durably; a crash leaves either the old or the new content."""
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
            BadInput: The blob does not exist, was altered, or is encrypted under another key.
            Unavailable: The disk cannot be read.
        """
        try:
            sealed = self._path(name).read_bytes()
        except FileNotFoundError:
            raise BadInput(f"There is no {name!r} in the vault {self._folder}.") from None
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
        except FileNotFoundError:  # deleted meanwhile, which is no sign of another key
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
        """Sorted names of all blobs that start with `prefix`."""
        names = (
            path.relative_to(self._folder).as_posix()
            for path in self._folder.rglob("*")
            if not path.name.startswith(_UNFINISHED) and path.is_file()
        )
        return sorted(name for name in names if name.startswith(prefix))

    def erase_unfinished(self, before: datetime) -> int:
        """Delete unfinished files that a crash left, last changed before `before`; count them."""
        deleted = 0
        try:
            for path in self._folder.rglob(f"{_UNFINISHED}*"):
                with contextlib.suppress(FileNotFoundError):  # it was finished meanwhile
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        deleted += 1
        except OSError as error:
            raise _unavailable(self._folder, error) from error
        return deleted

    def derive(self, purpose: str) -> bytes:
        """Derive the key of 32 bytes for a purpose; it reveals nothing about other keys."""
        return self._sealer.derive(purpose)

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content that is stored elsewhere, such as a template in the records' outbox."""
        return self._sealer.seal(name, content)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt content that `seal` encrypted; raises BadInput as `get` does."""
        return self._sealer.unseal(name, sealed)

    def _path(self, name: str) -> Path:
        return self._folder.joinpath(*split_name(name))

    def _make_key(self, key_file: Path) -> None:
        if self.names():
            raise Misconfigured(
                f"The vault {self._folder} holds encrypted pictures but its key {key_file} is "
                "missing: restore the key from its backup."
            )
        key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = key_line(VAULT_LABEL, secrets.token_bytes(KEY_BYTES))
        # Another process may make a key at the same moment: the second one uses the first one's.
        with contextlib.suppress(FileExistsError):
            _write_durably(key_file, line.encode(), replace=False)


def split_name(name: str) -> list[str]:
    """Split a blob's name into its folders and its file name.

    Raises:
        BadInput: A part is empty, begins with a dot, or has characters other than letters, digits,
            '.', '_' and '-', so that the name could point outside the vault.
    """
    parts = name.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise BadInput(f"{name!r} is not a name that the vault can keep.")
    return parts


def _read_key(key_file: Path, *, by_group: bool = False) -> bytes:
    require_private(key_file, "vault's", by_group=by_group)
    try:
        return parse_key(key_file.read_text("ascii", "replace"), VAULT_LABEL)
    except BadInput:
        raise Misconfigured(
            f"{key_file} is no key of a vault: restore it from its backup."
        ) from None


def _write_durably(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write the whole file or nothing, durably, readable by its owner alone."""
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
        f"The vault {folder} cannot be used ({reason}): check the folder, its permissions and "
        "the free space of its disk."
    )
