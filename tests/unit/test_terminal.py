"""What reaches a terminal: nothing that acts on it; and streams that cannot be written to."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from openlfr import terminal
from openlfr.cli import main

EVIL = "Ann\x1b]0;owned\x07\x9b2J\u202egpj\u200b\udc80\nerror: forged"


def started(command, redirection, folder, **more):
    program = f"{shlex.quote(sys.executable)} -m openlfr {command} {redirection}"
    return subprocess.run(
        ["bash", "-c", program], cwd=folder, capture_output=True, text=True, timeout=120, **more
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    assert main(["init", str(folder)]) == 0
    return folder


COMMANDS = [
    "--version",
    "--help",
    "init {there}/fresh",
    "watchlist list",
    "no-such-command",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout_is_one_sentence_before_anything_is_done(place, tmp_path, command):
    done = started(command.format(there=tmp_path), ">&-", place)
    assert done.returncode == 2
    assert done.stderr == "error: stdout is closed: send it to /dev/null if nobody reads it\n"
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize(
    ("command", "code"),
    [("--version", 0), ("no-such-command", 2)],
)
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&-"])
def test_a_command_works_without_stderr_or_stdin(place, command, code, redirection):
    done = started(command, redirection, place)
    assert done.returncode == code
    assert "Traceback" not in done.stdout + done.stderr
    if "2>" in redirection:
        assert done.stderr == ""


def test_closed_streams_overwrite_no_file(place):
    """SQLite would get number 2, and what a library prints would go into the database."""
    done = started("watchlist list", "<&- 2>&-", place)
    assert (done.returncode, done.stdout) == (0, "0 entries of 0 subjects\n")
    assert (place / "data" / "openlfr.db").read_bytes().startswith(b"SQLite format 3\0")


@pytest.mark.parametrize("command", ["--help", "watchlist list"])
def test_a_full_disk_behind_stdout_is_one_sentence(place, command):
    done = started(command, ">/dev/full", place)
    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert "space" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_act_is_completed_although_its_output_cannot_be_printed(monkeypatch):
    output = []

    class Full:
        encoding = "utf-8"

        def write(self, text):
            raise OSError(28, "No space left on device")

        def flush(self): ...

        def fileno(self):
            raise OSError

    monkeypatch.setattr(sys, "stdout", Full())
    for step in range(3):
        terminal.say("begun")
        output.append(step)
    assert output == [0, 1, 2]
    assert isinstance(terminal.end(), OSError)
    monkeypatch.undo()
    assert terminal.begin() == ""
    assert terminal.end() is None


def test_no_control_character_reaches_a_terminal(capfd):
    terminal.say(EVIL)
    terminal.say(json.dumps({"subject": EVIL}, ensure_ascii=False))
    text, line = capfd.readouterr().out.split("forged\n", 1)
    assert text == "Ann\\u001b]0;owned\\u0007\\u009b2J\\u202egpj\\u200b\\udc80\nerror: "
    assert json.loads(line)["subject"] == EVIL
    assert line.strip().isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        ["watchlist", "remove", "Ann", "--by", EVIL],
        ["watchlist", "remove", EVIL, "--by", "Otto Officer"],
        ["watchlist", "remove", "Ann", "--by", "Otto Officer", "--reason", EVIL],
        ["watchlist", "list", "--subject", EVIL],
        ["watchlist", "list", "--watchlist", EVIL],
        ["watchlist", "import", f"{EVIL}.csv"],
        ["watchlist", "check", f"{EVIL}.jpg"],
        ["alerts", "decide", "a", "engage", "--by", EVIL],
        ["alerts", "decide", EVIL, "engage", "--by", "Otto Officer"],
        ["alerts", "outcome", "a", "refuted", "--by", "Otto", "--reason", EVIL],
        ["alerts", "show", EVIL],
        ["alerts", "list", "--subject", EVIL],
        ["purge", "--by", EVIL],
        ["run", EVIL],
        ["evaluate", EVIL],
        ["models", "install", "--from", EVIL],
        ["init", f"/dev/null/{EVIL}"],
        [EVIL],
        ["--" + EVIL],
        ["watchlist", EVIL],
    ],
    ids=lambda words: " ".join(words).split("\x1b")[0],
)
def test_arguments_are_printed_escaped(place, monkeypatch, capfd, arguments):
    monkeypatch.chdir(place)
    code = main(arguments)
    output = capfd.readouterr()
    acting = [c for c in output.out + output.err if not c.isprintable() and c not in "\n\t"]
    assert acting == []
    assert "\nerror: forged" not in output.out + output.err
    assert code in (0, 2)


@pytest.mark.parametrize("bad", ["?", "E", "\U0001f46e", "Ev\u0435 Li", ""])
def test_the_actor_is_a_person(place, monkeypatch, capfd, bad):
    monkeypatch.chdir(place)
    assert main(["watchlist", "remove", "Ann", "--by", bad]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "--by" in line


def test_characters_outside_the_encoding_of_stdout_are_printed_as_codes(place):
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = started("alerts show José", "", place, env=env)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
