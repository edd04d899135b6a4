"""The common behaviour of vaults, and the folder's own."""

import os

import pytest

from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.vault.files import FileVault
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable


@pytest.fixture(params=["file", "memory"])
def vault(request, tmp_path):
    return MemoryVault() if request.param == "memory" else _open(tmp_path)


def _open(folder):
    return FileVault(folder / "vault", folder / "vault.key")


def test_returns_the_last_content(vault):
    vault.put("references/a", b"first")
    vault.put("references/a", b"\x00second\xff")
    vault.put("references/empty", b"")
    assert vault.get("references/a") == b"\x00second\xff"
    assert vault.get("references/empty") == b""


def test_an_unknown_name_is_bad_input_to_get_and_nothing_to_delete(vault):
    with pytest.raises(BadInput, match="no 'evidence/x'"):
        vault.get("evidence/x")
    vault.delete("evidence/x")


def test_deletes_one_blob_and_no_other(vault):
    vault.put("evidence/a", b"a")
    vault.put("evidence/b", b"b")
    vault.delete("evidence/a")
    assert vault.names() == ["evidence/b"]
    with pytest.raises(BadInput):
        vault.get("evidence/a")


def test_names_are_sorted_and_filtered_by_prefix(vault):
    for name in ("references/b", "evidence/a", "references/a", "top"):
        vault.put(name, b"x")
    assert vault.names() == ["evidence/a", "references/a", "references/b", "top"]
    assert vault.names("references/") == ["references/a", "references/b"]
    assert vault.names("nothing/") == []


@pytest.mark.parametrize("name", ["../key", "a/../b", "/etc/passwd", "", "a//b", ".hidden", "a b"])
def test_refuses_names_that_point_outside_the_vault(vault, name):
    with pytest.raises(BadInput, match="not a valid name"):
        vault.put(name, b"x")


def test_a_seal_opens_under_its_own_name_only(vault):
    sealed = vault.seal("outbox/1", b"template")
    assert b"template" not in sealed
    assert vault.unseal("outbox/1", sealed) == b"template"
    for name, blob in [("outbox/2", sealed), ("outbox/1", sealed[:-1]), ("outbox/1", b"")]:
        with pytest.raises(BadInput, match="cannot be decrypted"):
            vault.unseal(name, blob)


def test_no_content_is_readable_on_disk(tmp_path):
    _open(tmp_path).put("references/a", b"a face in clear" * 100)
    for file in (tmp_path / "vault").rglob("*"):
        assert file.is_dir() or b"a face" not in file.read_bytes()


def test_another_process_reads_a_blob_with_the_same_key(tmp_path):
    _open(tmp_path).put("evidence/2026/a", b"kept")
    assert _open(tmp_path).get("evidence/2026/a") == b"kept"


def test_a_swapped_or_altered_blob_does_not_open(tmp_path):
    vault = _open(tmp_path)
    vault.put("a", b"of a")
    vault.put("b", b"of b")
    (tmp_path / "vault/a").write_bytes((tmp_path / "vault/b").read_bytes())
    with pytest.raises(BadInput, match="'a' in the vault cannot be decrypted"):
        vault.get("a")


def test_key_and_blobs_are_readable_for_their_owner_only(tmp_path):
    _open(tmp_path).put("references/a", b"x")
    modes = {
        path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777
        for path in [tmp_path / "vault.key", *tmp_path.glob("vault/**/*"), tmp_path / "vault"]
    }
    assert modes == {
        "vault.key": 0o600,
        "vault": 0o700,
        "vault/references": 0o700,
        "vault/references/a": 0o600,
    }


def test_refuses_a_key_that_others_can_read(tmp_path):
    _open(tmp_path)
    (tmp_path / "vault.key").chmod(0o640)
    with pytest.raises(Misconfigured, match=r"mode 640.*chmod 600"):
        _open(tmp_path)


def test_a_configured_key_may_be_readable_for_its_group_and_is_never_created(tmp_path):
    """A pod's Secret file belongs to root and has mode 0440."""
    key = tmp_path / "vault.key"
    with pytest.raises(
        Misconfigured, match=r"The vault's key .*OPENLFR_VAULT_KEY_FILE\) does not exist"
    ):
        FileVault(tmp_path / "vault", key, key_is_external=True)
    assert not key.exists()
    FileVault(tmp_path / "vault", key).put("a", b"content")
    key.chmod(0o440)
    assert FileVault(tmp_path / "vault", key, key_is_external=True).get("a") == b"content"
    key.chmod(0o444)
    with pytest.raises(Misconfigured, match=r"mode 444.*chmod 440"):
        FileVault(tmp_path / "vault", key, key_is_external=True)


def test_creates_no_new_key_while_blobs_of_the_lost_key_exist(tmp_path):
    _open(tmp_path).put("a", b"x")
    (tmp_path / "vault.key").unlink()
    with pytest.raises(Misconfigured, match="Restore the key"):
        _open(tmp_path)
    assert not (tmp_path / "vault.key").exists()


def test_refuses_a_file_that_is_no_key(tmp_path):
    (tmp_path / "vault.key").write_text("something else")
    (tmp_path / "vault.key").chmod(0o600)
    with pytest.raises(Misconfigured, match="no key of a vault"):
        _open(tmp_path)


def test_a_failed_write_keeps_the_old_content_and_leaves_no_file(tmp_path, monkeypatch):
    vault = _open(tmp_path)
    vault.put("a", b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        vault.put("a", b"new")
    assert vault.get("a") == b"old"
    assert [path.name for path in (tmp_path / "vault").iterdir()] == ["a"]


def test_the_key_of_a_purpose_is_constant_and_differs_from_other_keys(vault):
    ids, topic = vault.derive("ids of market"), vault.derive("records of sightings.v1")
    assert (len(ids), ids) == (32, vault.derive("ids of market"))
    assert ids != topic
