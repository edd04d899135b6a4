"""Records or a key that were lost beside a full vault: nothing is made anew, and nothing erased."""

import pytest

from openlfr.adapters.vault.files import FileVault
from openlfr.cli import main


@pytest.mark.parametrize("how", ["empty", "missing"])
@pytest.mark.parametrize(
    "command", [("alerts", "list"), ("watchlist", "list"), ("purge",), ("records", "upgrade")]
)
def test_every_command_reports_lost_records_and_erases_nothing(tmp_path, capsys, how, command):
    config = tmp_path / "CONFIG.yaml"
    config.write_text("data_dir: data\n")
    assert main(["purge", "--config", str(config)]) == 0  # makes records and key
    capsys.readouterr()
    kept = tmp_path / "data" / "vault" / "evidence" / "a"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"sealed")
    file = tmp_path / "data" / "openlfr.db"
    file.unlink()
    if how == "empty":
        file.touch()
    assert main([*command, "--config", str(config)]) == 2
    messages = capsys.readouterr().err
    assert f"{file} is {how}, but {tmp_path}/data/vault contains pictures" in messages
    assert (kept.exists(), file.exists()) == (True, how == "empty")


@pytest.mark.parametrize("command", [("purge",), ("alerts", "list")])
def test_another_key_than_the_pictures_is_named_and_nothing_is_erased(tmp_path, capsys, command):
    config, data = tmp_path / "CONFIG.yaml", tmp_path / "data"
    config.write_text("data_dir: data\n")
    assert main(["purge", "--config", str(config)]) == 0
    vault = FileVault(data / "vault", data / "vault.key")
    vault.put("evidence/a", b"face")
    (data / "vault.key").rename(tmp_path / "mine")
    FileVault(tmp_path / "another", data / "vault.key")
    capsys.readouterr()
    assert main([*command, "--config", str(config)]) == 0  # one alone may have been altered
    vault.put("evidence/b", b"face")
    vault.put("references/c", b"face")
    code = main([*command, "--config", str(config)])
    messages = capsys.readouterr().err
    assert f"{data}/vault.key decrypts none of the pictures in {data}/vault" in messages
    assert code == (2 if command == ("purge",) else 0)  # a list opens no picture
    assert main(["doctor", "--config", str(config)]) == 1
    assert "vault.key cannot decrypt the pictures" in capsys.readouterr().out
    assert {"evidence/b", "references/c"} <= set(vault.names())
    (tmp_path / "mine").replace(data / "vault.key")
    assert main([*command, "--config", str(config)]) == 0


def test_records_older_than_the_vault_are_reported_until_a_person_confirms(tmp_path, capsys):
    config, data = tmp_path / "CONFIG.yaml", tmp_path / "data"
    config.write_text("data_dir: data\n")
    assert main(["purge", "--config", str(config)]) == 0
    vault = FileVault(data / "vault", data / "vault.key")
    names = [f"evidence/{letter}" for letter in "abc"]
    for name in names:
        vault.put(name, b"face")
    for command in (["alerts", "list"], ["watchlist", "list"], ["purge"], ["purge", "--dry-run"]):
        capsys.readouterr()
        assert main([*command, "--config", str(config)]) == 0
        said = capsys.readouterr().err
        assert "warning: 3 pictures in the vault have no alert in the records" in said, command
        assert "openlfr purge --without-alert" in said
        assert vault.names() == names
    assert main(["purge", "--without-alert", "--config", str(config)]) == 0
    assert vault.names() == []
