"""An unfinished run continues after a revision unless its results would change."""

from datetime import UTC, datetime

import pytest

from openlfr import settings
from openlfr.adapters.sql.records import Records
from openlfr.domain.errors import Misconfigured
from openlfr.domain.templates import GalleryFacts
from openlfr.embedded.opening import hash_settings, plan_or_resume_run

FACTS = GalleryFacts("sface", "a" * 64, 128, "arcface-112", 0.4)
CONFIG = """data_dir: data
deployment: {id: 0f1e2d3c-0000-4000-8000-000000000001, name: Market, purpose: Find Ann,
  place: Square, legal_basis: Act 5, authorised_by: Chief Jones, starts: 2020-01-01T00:00Z,
  ends: 2020-01-02T00:00Z}
cameras: {gate: {url: gate.mp4}}
"""


@pytest.fixture
def hashes(tmp_path):
    def make(was="", becomes="", threshold=0.4):
        assert was in CONFIG
        path = tmp_path / "CONFIG.yaml"
        path.write_text(CONFIG.replace(was, becomes))
        loaded = settings.load(path)
        return [
            hash_settings(loaded, FACTS, threshold, for_old_version=each) for each in (False, True)
        ]

    return make


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        yield opened


def begin(records, hashes):
    run, resumed = plan_or_resume_run(records, "d", hashes, resume=True)
    if not resumed:
        records.runs.start(run)
    return run, resumed


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("2020-01-02", "2020-01-03"), ("Square", "Park"), ("Find Ann", "Find Bea"), ("Jones", "Ray")],
)
def test_deployment_settings_are_revised_and_the_run_continues(records, hashes, was, becomes):
    run, resumed = begin(records, hashes())
    assert not resumed
    assert begin(records, hashes(was, becomes)) == (run, True)


@pytest.mark.parametrize("changed", [{"was": "gate.mp4", "becomes": "b.mp4"}, {"threshold": 0.5}])
def test_a_change_that_affects_results_is_refused_in_one_sentence(records, hashes, changed):
    begin(records, hashes())
    with pytest.raises(Misconfigured, match=r"other cameras, .*Restore these settings, or start"):
        begin(records, hashes(**changed))


def test_a_run_of_the_previous_version_continues(records, hashes):
    _, former = hashes()
    then = records.runs.plan("d", former, at=datetime(2020, 1, 1, tzinfo=UTC))
    records.runs.start(then)
    assert begin(records, hashes()) == (then, True)
