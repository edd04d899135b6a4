"""scripts/compatible refuses changes that break a reader of a released version."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALERT, CONTROL, TALLY = "alert.proto", "control.proto", "tally.proto"


@pytest.fixture
def checkout(tmp_path):
    """The protos, the script and the project's Python, where a test may change them."""
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/compatible", tmp_path / "scripts/compatible")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def check(checkout, *words):
    return subprocess.run(
        [checkout / "scripts/compatible", *words], capture_output=True, text=True, check=False
    )


def edit(checkout, file, before, after):
    path = checkout / "protos/openlfr/wire/v1" / file
    text, count = re.subn(before, after, path.read_text(), count=1, flags=re.M)
    assert count == 1, before
    path.write_text(text)


def test_current_protos_break_no_released_version(checkout):
    done = check(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


BREAKING = {
    "a field removed": (ALERT, r"^  optional string camera = 9;\n", ""),
    "removed, its number reserved": (ALERT, r"optional string camera = 9;", "reserved 9;"),
    "a field's number": (ALERT, r"watchlist = 7;", "watchlist = 27;"),
    "two numbers swapped": (TALLY, r"first_seq = 6;([^}]*)last_seq = 7;",
                            r"first_seq = 7;\1last_seq = 6;"),
    "a field's type": (ALERT, r"optional double score", "optional float score"),
    "a type of the same wire format": (ALERT, r"int64 epoch", "sint64 epoch"),
    "a type that old values fit into": (ALERT, r"string camera", "bytes camera"),
    "a message's type": (ALERT, r"google.protobuf.Timestamp emitted_at", "Box emitted_at"),
    "a field's name": (ALERT, r"string subject", "string person"),
    "one becomes many": (ALERT, r"optional string camera", "repeated string camera"),
    "many become one": (TALLY, r"repeated QualityBand bands", "optional QualityBand bands"),
    "presence": (ALERT, r"optional string camera", "string camera"),
    "out of a oneof": (CONTROL, r"oneof content \{([^}]*)\}", r"\1"),
    "a word removed": (ALERT, r"^    EVENT_JOINED = 2;\n", ""),
    "a word's number": (CONTROL, r"STATUS_REMOVED = 5", "STATUS_REMOVED = 6"),
    "a word's name": (CONTROL, r"STATUS_REMOVED = 5", "STATUS_GONE = 5"),
    "a message's name": (ALERT, r"^message Alert \{", "message Warning {"),
    "the package": (CONTROL, r"^package openlfr.wire.v1;", "package openlfr.wire.v2;"),
    "numbers that are others'": (ALERT, r"^  reserved 100 to 199;\n", ""),
    "a number of others used": (ALERT, r"^  reserved 100 to 199;",
                                "  optional bool mine = 120;\n  reserved 100 to 119, 121 to 199;"),
    "what is no proto": (ALERT, r"^message Alert \{", "message Alert ["),
}  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after"), BREAKING.values(), ids=BREAKING)
def test_a_change_that_breaks_readers_is_refused(checkout, file, before, after):
    edit(checkout, file, before, after)
    done = check(checkout)
    assert done.returncode == 1
    assert f"openlfr/wire/v1/{file}:" in done.stderr
    assert "break the promise of 0.1.0" in done.stderr


def test_a_file_that_is_gone_or_moved_is_refused(checkout):
    (checkout / "protos/openlfr/wire/v1/verdict.proto").rename(checkout / "protos/verdict.proto")
    done = check(checkout)
    assert done.returncode == 1
    assert "verdict.proto" in done.stderr


ADDED = {
    "a field": (ALERT, r"^  reserved", "  optional string zone = 21;\n  reserved"),
    "a word": (ALERT, r"EVENT_JOINED = 2;", "EVENT_JOINED = 2;\n    EVENT_CLOSED = 3;"),
    "a message": (ALERT, r"^message Alert", "message More { bool it = 1; }\nmessage Alert"),
    "a comment": (ALERT, r"^message Alert", "// Another word.\nmessage Alert"),
    "out of use": (ALERT, r"watchlist = 7;", "watchlist = 7 [deprecated = true];"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after"), ADDED.values(), ids=ADDED)
def test_an_addition_is_allowed(checkout, file, before, after):
    edit(checkout, file, before, after)
    assert check(checkout).returncode == 0


def test_every_released_version_counts_not_the_last_alone(checkout):
    """What came with one release and went with the next is still missed by readers of the first."""
    released = checkout / "protos/released"
    edit(checkout, ALERT, r"watchlist = 7;", "watchlist = 27;")
    newer = checkout / "protos/released/0.2.0"
    newer.mkdir()
    subprocess.run(
        [ROOT / ".venv/bin/buf", "build", checkout / "protos", "-o", newer / "messages.binpb"],
        check=True,
    )
    done = check(checkout)
    assert sorted(each.name for each in released.iterdir()) == ["0.1.0", "0.2.0"]
    assert done.returncode == 1
    assert "break the promise of 0.1.0" in done.stderr
    assert "0.2.0" not in done.stderr


def test_a_released_version_is_not_released_again(checkout):
    done = check(checkout, "--release")
    assert done.returncode == 2
    assert "raise the version in pyproject.toml first" in done.stderr
    assert check(checkout, "--relase").returncode == 2


def test_the_check_script_calls_the_compatibility_check():
    assert "\nscripts/compatible\n" in (ROOT / "scripts/check").read_text()
