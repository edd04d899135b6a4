"""Each command that the README's city section gives is there, and its words are understood."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from openlfr import settings
from openlfr.cli import cli
from openlfr_analysis.service import MIN_LOSSLESS_RETENTION

ROOT = Path(__file__).resolve().parents[2]
SECTION = (
    (ROOT / "README.md").read_text().split("## City-wide, on real servers")[1].split("\n## ")[0]
)
BLOCKS = re.findall(r"^```\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]
COMMANDS = [re.split(r"\s{2,}", line)[0] for line in LINES]


def parse(words: list[str]) -> None:
    """Have click read all words, and call nothing."""
    command: click.Command = cli
    context = click.Context(cli, info_name="openlfr")
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_context(context.info_name, list(words), parent=context.parent)


def test_the_section_has_its_commands() -> None:
    assert "scripts/demo --city" in COMMANDS
    assert "scripts/setup --city" in COMMANDS
    services = [line for line in COMMANDS if line.startswith("openlfr service ")]
    assert len(services) == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG.yaml", "manifest.csv", "square/video.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    program, *words = shlex.split(command)
    match program:
        case "openlfr":
            parse(words)
        case "." | "cd":
            assert words in ([".venv/bin/activate"], ["demo-output"])
        case "python":
            assert (ROOT / words[0].removeprefix("../")).is_file()
        case _:
            path = ROOT / program.removeprefix("../")
            assert os.access(path, os.X_OK)
            text = path.read_text()
            asked = words[: words.index(">>")] if ">>" in words else words
            assert all(re.search(rf"(?<![\w-]){re.escape(word)}\b", text) for word in asked)


def test_frames_wait_for_the_analysis_that_is_started_after_the_cameras(tmp_path: Path) -> None:
    """scripts/demo leaves `max_age: off`: by Kafka's 30 s a slow start would lose frames."""
    (tmp_path / "services.json").write_text('{"kafka": {"url": "kafka://127.0.0.1:9092"}}')
    lines = subprocess.run(
        [sys.executable, ROOT / "scripts/services", "show", "--folder", tmp_path],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    config = tmp_path / "CONFIG.yaml"
    config.write_text(f"data_dir: data\nmax_age: off\n{lines}")
    topics = settings.load(config).topics
    assert topics.replication == 1
    assert topics.frames_retention is not None
    assert topics.frames_retention >= MIN_LOSSLESS_RETENTION


@pytest.mark.parametrize("wrong", ["openlfr service alarming", "openlfr topics apply --now"])
def test_an_unknown_command_would_be_detected(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(shlex.split(wrong)[1:])
