"""`openlfr deployment` as a person uses it, and its refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openlfr import bootstrap, settings
from openlfr.domain.errors import Misconfigured
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.embedded.opening import require_not_closed
from openlfr.operations import deployments
from openlfr.os_account import local_person

CONFIG = """\
data_dir: data
deployment:
  {name: Night market, purpose: Find Ann, place: Square, legal_basis: Act 5,
   authorised_by: Chief Jones, starts: 2026-05-01T12:00Z, ends: 2026-05-01T14:00Z}
cameras: {gate: {url: gate.mp4}}
"""


@pytest.fixture
def openlfr(command_in_folder):
    return command_in_folder(CONFIG, "deployment")


@pytest.fixture
def started(openlfr):
    loaded = settings.load(Path("CONFIG.yaml"))
    begun = deployments.Start(Threshold(0.42, ThresholdOrigin.SET, 7))
    with bootstrap.open_records(loaded) as records:
        return deployments.start(
            settings.require_authorisation(loaded), begun, records=records, by=local_person(),
            at=datetime.now(UTC),
        )  # fmt: skip


def test_before_a_run_there_is_no_deployment(openlfr):
    assert openlfr("list")[:2] == (
        0, "No deployment is recorded yet: openlfr run records one.\n"
    )  # fmt: skip


def test_a_deployment_is_paused_resumed_and_closed_by_name_or_id_with_the_person_shown(
    openlfr, started
):
    assert "started  Night market" in openlfr("list")[1]
    for verb, named, state in (
        ("pause", "Night market", "paused"),
        ("resume", started.deployment_id[:8], "started"),
        ("close", "Night market", "closed"),
    ):
        code, out, _ = openlfr(verb, named, "--by", "Ann Smith", "--reason", "wrong angle")
        assert (code, "Night market" in out) == (0, True)
        assert state in openlfr("list")[1]
    shown = openlfr("show", "Night market")[1]
    assert "deployment.authorised by Chief Jones (unauthenticated)" in shown
    assert "deployment.started, threshold 0.420" in shown
    assert "deployment.paused by Ann Smith (unauthenticated): wrong angle" in shown
    acts = json.loads(openlfr("show", "Night market", "--json")[1])["acts"]
    assert [each["kind"].partition(".")[2] for each in acts] == [
        "drafted", "authorised", "started", "paused", "started", "closed",
    ]  # fmt: skip
    assert acts[3]["by"]["issuer"] == "local"


def test_in_a_city_the_command_names_the_services_that_apply_the_change(openlfr, started):
    """The output depends on the configured services, although the records are this folder's."""
    path = Path("CONFIG.yaml")
    path.write_text(f"{CONFIG}services: {{kafka: kafka://127.0.0.1:9}}\n")
    code, out, _ = openlfr("pause", "Night market", "--by", "Ann Smith")
    assert code == 0
    assert "alerting publishes the change, and ingest and analysis apply it within 2 seconds" in out
    assert "analysis stops matching within 30 seconds" in out
    code, out, _ = openlfr("resume", "Night market", "--by", "Ann Smith")
    assert code == 0
    assert "within 30 seconds" not in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pause", "Fair", "--by", "Ann Smith"), "There is no deployment 'Fair'"),
        (("resume", "Night market", "--by", "?"), "expected a person's name"),
        (("pause", "Night market"), "missing option '--by'"),
        (("close", "Night market\x1b[2J", "--by", "Ann Smith"), "error: "),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(openlfr, started, words, says):
    code, out, err = openlfr(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert "\x1b" not in err


def test_a_closed_deployment_does_not_run_again(openlfr, started):
    assert openlfr("close", "Night market", "--by", "Ann Smith")[0] == 0
    records = bootstrap.open_records(settings.load(Path("CONFIG.yaml")))
    with pytest.raises(
        Misconfigured, match=r"'Night market' .* was closed; configure another deployment"
    ):
        require_not_closed(records, started)
    records.close()
