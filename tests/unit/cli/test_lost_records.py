"""Records that were lost beside a full vault: nothing is made anew, and nothing erased."""

import pytest

from openlfr.cli import main


@pytest.mark.parametrize("how", ["empty", "missing"])
@pytest.mark.parametrize(
    "command", [("alerts", "list"), ("watchlist", "list"), ("purge",), ("records", "upgrade")]
)
def test_every_command_says_so_and_erases_nothing(tmp_path, capsys, how, command):
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
    said = capsys.readouterr().err
    assert f"{file} is {how}, and {tmp_path}/data/vault is not: nothing accounts for" in said
    assert (kept.exists(), file.exists()) == (True, how == "empty")
