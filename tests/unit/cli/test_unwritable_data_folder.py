"""An unwritable data folder is reported in one sentence with advice."""

from pathlib import Path

import pytest

from openlfr.adapters.run_lock import is_run_active, lock_for_run
from openlfr.cli import main
from openlfr.domain.errors import Unavailable


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "CONFIG.yaml"
    path.write_text("data_dir: data\n")
    return path


def test_a_lock_that_cannot_be_opened_is_named_with_what_to_do(tmp_path):
    (tmp_path / "run.lock").mkdir()  # root opens every file, and no folder
    words = f"The lock {tmp_path}/run.lock cannot be opened: .*may write to {tmp_path}"
    with pytest.raises(Unavailable, match=words):
        is_run_active(tmp_path)
    with pytest.raises(Unavailable, match=words), lock_for_run(tmp_path):
        pass


def test_doctor_names_the_lock_and_no_class_of_python(config, capsys):
    assert main(["purge", "--config", str(config)]) == 0
    lock = config.parent / "data" / "run.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    capsys.readouterr()
    assert main(["doctor", "--config", str(config)]) == 1
    messages = capsys.readouterr().out
    assert f"fail  watchlist: could not be checked: The lock {lock} cannot be opened" in messages


@pytest.mark.parametrize("command", [("purge",), ("alerts", "list"), ("records", "upgrade")])
def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(config, capsys, command):
    (config.parent / "data").write_text("a file of somebody's")
    assert main([*command, "--config", str(config)]) == 3
    messages = capsys.readouterr().err
    assert f"The data folder {config.parent}/data cannot be created: " in messages
    assert "Set another data_dir" in messages


@pytest.mark.parametrize("command", [("purge",), ("alerts", "list"), ("records", "upgrade")])
def test_a_folder_of_another_account_is_named_with_what_to_do(config, capsys, monkeypatch, command):
    assert main(["purge", "--config", str(config)]) == 0
    capsys.readouterr()
    look = Path.stat

    def deny(path, **how):  # the owner alone may look into it; tests may run as root
        if path.name == "openlfr.db":
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **how)

    monkeypatch.setattr(Path, "stat", deny)
    assert main([*command, "--config", str(config)]) == 3
    messages = capsys.readouterr().err
    assert f"{config.parent}/data/openlfr.db cannot be opened: Permission denied. Check" in messages
