"""`openlfr rights` prints scripts for the administrators of servers."""

from __future__ import annotations

import hashlib
import shlex
import subprocess

import pytest

from openlfr import bootstrap, settings
from openlfr.adapters.kafka.rights import USES, rights_by_user
from openlfr.adapters.kafka.topics import CONTROL, FRAMES
from openlfr.adapters.sql import tables
from openlfr.adapters.sql.rights import RIGHTS
from openlfr.adapters.vault.files import FileVault
from openlfr.adapters.vault.key_files import read_control_key
from openlfr.cli import main
from openlfr.domain.errors import Misconfigured
from openlfr.wire import seal


@pytest.fixture
def printed(capsys):
    def call(*words: str) -> str:
        assert main(["rights", *words]) == 0
        return capsys.readouterr().out

    return call


def test_the_key_of_control_alone_is_printed_and_is_the_one_that_alerting_signs_with(
    printed, tmp_path, capsys, monkeypatch
):
    vault = FileVault(tmp_path / "vault", tmp_path / "vault.key")
    line = printed("control-key", str(tmp_path / "vault.key"))
    given = tmp_path / "control.key"
    given.write_text(line)
    given.chmod(0o440)
    expected = vault.derive(seal.purpose_of(CONTROL.name))
    assert read_control_key(given) == expected
    assert line.split()[1] not in (tmp_path / "vault.key").read_text()
    given.chmod(0o444)
    with pytest.raises(Misconfigured, match=r"control topic's key .*chmod 440"):
        read_control_key(given)
    given.chmod(0o440)
    assert main(["rights", "control-key", str(given)]) == 2
    assert "is not a vault's key" in capsys.readouterr().err
    for wrong in (tmp_path / "vault.key", tmp_path / "absent"):
        with pytest.raises(Misconfigured, match="openlfr rights control-key VAULT_KEY"):
            read_control_key(wrong)
    monkeypatch.setenv("OPENLFR_CONTROL_KEY_FILE", str(given))
    config = tmp_path / "CONFIG.yaml"
    config.write_text("data_dir: elsewhere\n")
    assert bootstrap.open_control_key(settings.load(config)) == expected
    assert not (tmp_path / "elsewhere").exists()  # no vault is made beside it


@pytest.fixture
def passwords(tmp_path):
    for name in ("ingest", "alerting", "operator", "owner"):
        (tmp_path / name).write_text(f"hush-{name}\nsecond line\n")
    return tmp_path


def test_the_kafka_script_grants_each_user_only_its_rights(printed, tmp_path):
    script = printed("kafka", "--principal", "User:CN={}, O=my org", "--groups", "city-")
    tool = tmp_path / "acls"
    tool.write_text('#!/bin/sh\nprintf "%s\\037" "$@"; echo\n')
    tool.chmod(0o755)
    ran = subprocess.run(
        ["sh", "-s", "--", "--bootstrap-server", "b:1"],
        input=script, capture_output=True, text=True, check=True, env={"KAFKA_ACLS": str(tool)},
    )  # fmt: skip
    found: dict[tuple[str, str, str], set[str]] = {}
    for line in ran.stdout.splitlines():
        words = line.removesuffix("\x1f").split("\x1f")
        assert words[:5] == ["--bootstrap-server", "b:1", "--add", "--force", "--allow-principal"]
        user = words[5].removeprefix("User:CN=").removesuffix(", O=my org")
        more = words[6:]
        operations = {more[at + 1] for at, word in enumerate(more) if word == "--operation"}
        for at, word in enumerate(more):
            if word in ("--topic", "--group"):
                found.setdefault((user, word[2:], more[at + 1]), set()).update(operations)
            elif word == "--cluster":
                found.setdefault((user, "cluster", ""), set()).update(operations)
    assert found == {
        (user, right.kind, right.name): set(right.operations)
        for user, given in rights_by_user("city-").items()
        for right in given
    }


def test_a_principal_without_a_place_for_the_name_is_refused(capsys):
    assert main(["rights", "kafka", "--principal", "User:all"]) == 2
    assert "--principal must contain {} for the user's name" in capsys.readouterr().err


def test_analysis_alone_reads_frames():
    readers = [name for name, use in USES.items() if FRAMES in use.reads]
    assert readers == ["analysis"]


def test_redis_receives_hashes_and_refuses_unnamed_users(printed, passwords):
    first, *lines = printed("redis", "--passwords", str(passwords)).splitlines()
    assert first == "user default off"
    for name, line in zip(("ingest", "alerting", "operator"), lines, strict=True):
        words = shlex.split(line, comments=False)
        digest = hashlib.sha256(f"hush-{name}".encode()).hexdigest()
        assert words[:6] == ["user", f"openlfr-{name}", "reset", "on", f"#{digest}", "~openlfr:*"]
        assert words.index("-@dangerous") > words.index("+@write")
        for rewriting in ("+bgrewriteaof", "+bgsave"):
            assert (rewriting in words) == (name != "ingest")
    assert "nopass" not in printed("redis")
    assert "#" not in printed("redis")


def test_sql_contains_no_password_and_quotes_names(printed, passwords):
    words = ("sql", "--owner", 'we"', "--database", "city 1", "--passwords", str(passwords))
    text = printed(*words)
    assert "hush" not in text
    assert text.count("PASSWORD 'SCRAM-SHA-256$4096:") == 3
    assert 'CREATE DATABASE "city 1" OWNER "we""";' in text
    assert 'GRANT CONNECT ON DATABASE "city 1" TO "we""_alerting", "we""_operator";' in text
    assert "PASSWORD" not in printed("sql")


def test_a_password_that_is_missing_is_named(passwords, capsys):
    (passwords / "operator").unlink()
    assert main(["rights", "redis", "--passwords", str(passwords)]) == 2
    assert "operator (--passwords) cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("role", RIGHTS)
def test_the_rights_of_each_role_are_declared_for_every_table(role):
    """A new table: say who sees, adds and changes its rows."""
    assert set(RIGHTS[role]) == set(tables.metadata.tables) | {"alembic_version"}
    assert not {"UPDATE", "DELETE"} & set(RIGHTS[role]["audit_events"])
    assert {"DELETE"} & {each for may in RIGHTS[role].values() for each in may} == set()


def test_alerting_can_read_the_written_files_before_it_erases():
    """Without it nothing was erased in a city whose roles are these."""
    assert RIGHTS["alerting"][tables.runs.name] == ("SELECT",)
