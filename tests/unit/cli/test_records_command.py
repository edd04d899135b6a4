"""`openlfr records upgrade`: the only command that changes the schema of a shared database."""

from __future__ import annotations

from openlfr.adapters.sql import schema
from openlfr.cli import main

PRESENT = schema.REVISIONS[-1]


def test_a_shared_database_is_used_only_after_it_was_upgraded(tmp_path, capsys, monkeypatch):
    def call(*words):
        code = main([*words, "--config", str(tmp_path / "CONFIG.yaml")])
        output = capsys.readouterr()
        return code, output.out.strip(), output.err.strip()

    (tmp_path / "CONFIG.yaml").write_text(
        f"data_dir: data\nservices:\n  sql: sqlite:///{tmp_path}/shared.db\n"
    )
    code, _, error = call("watchlist", "list")
    assert code == 2
    assert error.endswith(
        f"The records have no schema yet, and this version needs schema {PRESENT}: run "
        "`openlfr records upgrade` first."
    )
    with monkeypatch.context() as patch:
        patch.setattr(schema, "REVISIONS", schema.REVISIONS[:1])
        assert call("records", "upgrade") == (0, "The records are created, with schema 0001.", "")
    assert call("watchlist", "list")[0] == 2
    went = f"The records were upgraded from schema 0001 to {PRESENT}."
    assert call("records", "upgrade") == (0, went, "")
    assert call("watchlist", "list")[0] == 0
    assert call("records", "upgrade") == (0, f"The records have schema {PRESENT} already.", "")


def test_any_command_upgrades_the_records_of_one_machine(tmp_path, capsys):
    (tmp_path / "CONFIG.yaml").write_text("data_dir: data\n")
    assert main(["watchlist", "list", "--config", str(tmp_path / "CONFIG.yaml")]) == 0
    assert main(["records", "upgrade", "--config", str(tmp_path / "CONFIG.yaml")]) == 0
    assert f"have schema {PRESENT} already" in capsys.readouterr().out


def test_the_deployment_of_a_city_is_recorded_in_its_configured_database(tmp_path, capsys):
    (tmp_path / "CONFIG.yaml").write_text(
        "data_dir: data\nservices: {kafka: kafka://127.0.0.1:9}\n"
        "deployment: {name: Fair, purpose: p, place: p, legal_basis: l, authorised_by: Ann Bell,\n"
        "  starts: 2020-01-01T00:00Z, ends: 2199-01-01T00:00Z}\n"
        "cameras: {gate: {url: none.mp4}}\n"
    )
    assert main(["records", "upgrade", "--config", str(tmp_path / "CONFIG.yaml")]) == 0
    assert "The deployment Fair (" in capsys.readouterr().out
