"""The command line as a whole: quick help, exit codes, one sentence for each error."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import click
import pytest

from awaiting import PATIENCE_S
from openlfr import cli
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

HEAVY = {"alembic", "av", "cv2", "numpy", "onnxruntime", "pydantic", "pymilvus", "redis", "rich",
         "ruamel", "scipy", "sqlalchemy", "structlog"}  # fmt: skip


def openlfr(*args, **how):
    return subprocess.run(
        [sys.executable, "-m", "openlfr", *args],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S, **how,
    )  # fmt: skip


@pytest.fixture
def run_raising(monkeypatch, capsys):
    """Runs a command that raises the given error; returns exit code and stderr."""

    def run(error):
        def fail():
            raise error

        command = click.Command("doctor", callback=fail)
        monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)
        code = cli.main(["doctor"])
        return code, capsys.readouterr().err

    return run


def test_help_names_every_command_and_imports_none_of_them():
    program = (
        "import sys; from openlfr.cli import main; main(['--help']);"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    seen = openlfr_python(program)
    loaded = set(seen.stderr.split())
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()
    assert {name for name in loaded if name.startswith("openlfr.cli.")} == set()
    assert all(f"\n  {name} " in seen.stdout for name in cli.COMMANDS)


def openlfr_python(program):
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_a_module_and_helps(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert f"Usage: openlfr {name}" in capsys.readouterr().out


def test_the_command_modules_import_nothing_heavy():
    names = ", ".join(f"openlfr.cli.{name}" for name in cli.COMMANDS)
    seen = openlfr_python(f"import sys, {names}; print(*sys.modules)")
    assert {name.split(".")[0] for name in seen.stdout.split()} & (HEAVY - {"numpy"}) == set()


def test_version():
    seen = openlfr("--version")
    assert (seen.returncode, seen.stdout) == (0, "openlfr 0.1.0\n")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["rnu"], "error: there is no command 'rnu'; did you mean 'run' (see 'openlfr --help')\n"),
        (["--versoin"], "error: no such option: --versoin"),
        (["init", "--force"], "error: no such option: --force"),
        ([], "Usage: openlfr"),
    ],
)
def test_bad_usage_is_exit_2(args, sentence, capsys):
    assert cli.main(args) == 2
    assert capsys.readouterr().err.startswith(sentence)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (BadInput("a.jpg holds no face"), 2, "error: a.jpg holds no face\n"),
        (Misconfigured("line 3: wrong"), 2, "error: line 3: wrong\n"),
        (Unavailable("Redis does not answer"), 3, "error: Redis does not answer\n"),
        (OSError(errno.ENOSPC, "No space left", "/d/x"), 3,
         "error: the disk is full (writing /d/x); free some space and run the command again\n"),
        (OSError(errno.EDQUOT, "Quota"), 3,
         "error: the disk is full; free some space and run the command again\n"),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), 3,
         "error: the disk is full; free some space and run the command again\n"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x.csv"), 2,
         "error: x.csv: No such file or directory\n"),
        (PermissionError(errno.EACCES, "Permission denied", "x.csv"), 2,
         "error: x.csv: Permission denied\n"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), 3,
         "error: Connection refused\n"),
        (ModuleNotFoundError("No module named 'cv2'", name="cv2"), 2,
         ("error: this needs cv2, which is not installed: run scripts/setup in the folder that"
          " OpenLFR was cloned into\n")),
        (ModuleNotFoundError("No module named 'faust'", name="faust.app"), 2,
         ("error: this needs faust.app, which is not installed: run scripts/setup --city in the"
          " folder that OpenLFR was cloned into\n")),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (ZeroDivisionError("0 / 0"), 1,
         ("error: ZeroDivisionError: 0 / 0; this is a fault in OpenLFR; set OPENLFR_DEBUG=1 to"
         " print the traceback\n")),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_and_its_exit_code(run_raising, error, code, sentence):
    assert run_raising(error) == (code, sentence)


def test_a_full_disk_is_reported_although_an_adapter_wrapped_the_error(run_raising):
    wrapped = Unavailable("the vault cannot be written")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device", "/d/vault")
    assert run_raising(wrapped)[1].startswith("error: the disk is full (writing /d/vault)")


def test_an_adapter_s_own_sentence_about_a_full_disk_is_printed(run_raising):
    error = Unavailable("x cannot be written: No space left. Go on with --resume.")
    error.__cause__ = OSError(errno.ENOSPC, "No space left")
    assert run_raising(error) == (3, f"error: {error}\n")


def test_a_traceback_is_printed_only_on_request(run_raising, monkeypatch):
    assert "Traceback" not in run_raising(BadInput("x"))[1]
    monkeypatch.setenv("OPENLFR_DEBUG", "1")
    assert "Traceback" in run_raising(BadInput("x"))[1]


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), ("text", 0)])
def test_a_command_returns_its_exit_code(monkeypatch, returned, code):
    command = click.Command("doctor", callback=lambda: returned)
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)
    assert cli.main(["doctor"]) == code


@pytest.mark.parametrize("args", [["--help"], ["init", "--help"], ["--version"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_the_command_quietly(args, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    seen = subprocess.run(
        [sys.executable, "-m", "openlfr", *args], env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    os.close(writing)
    assert (seen.returncode, seen.stderr) == (141, "")
