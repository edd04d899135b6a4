"""A run erases due data, and names entries that cannot be found."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta

import pytest
from tests.contract.erased import holders
from tests.unit.embedded.house import FACTS, NOW, House, vector

from openlfr import settings
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.cli import doctor_data
from openlfr.domain.errors import Unavailable
from openlfr.domain.templates import StoredTemplate, hash_template
from openlfr.embedded import eraser as eraser_module

WAIT_S = 60.0  # no bar


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def test_an_entry_that_expires_leaves_every_file_while_the_run_lasts(house, monkeypatch):
    monkeypatch.setattr(eraser_module, "INTERVAL_S", 0.05)
    house.enrol("Ann", 1, expires=NOW - timedelta(seconds=1))
    house.enrol("Bea", 2)
    house.refresh()
    assert holders(house.folder / "milvus", vector(1))
    house.eraser.start()
    while not house.eraser.erased["entries"]:
        house.eraser.check()
        threading.Event().wait(0.05)
    house.refresh()
    assert holders(house.folder / "milvus", vector(1)) == []
    assert house.vault.names() == ["references/r2"]
    assert house.index.subjects == ("Bea",)
    house.eraser.close()
    assert house.records.erase_for_good()


def test_evidence_that_a_crash_left_is_erased_and_counted(house):
    house.vault.put("evidence/damaged", b"no evidence")
    assert house.eraser.erase()
    assert house.vault.names() == []
    assert house.eraser.erased == {"orphans": 1}


def test_an_outage_is_tried_again_and_a_fault_ends_the_run(house, monkeypatch):
    monkeypatch.setattr(eraser_module, "INTERVAL_S", 0.01)
    again, fault = threading.Event(), KeyError("reference_id")
    raised = [fault, Unavailable("Redis is away."), Unavailable("Redis is away.")]

    def erase():
        if len(raised) == 1:
            again.set()
        raise raised.pop()

    house.eraser.erase = erase
    house.eraser.start()
    assert again.wait(WAIT_S)
    house.eraser._thread.join(WAIT_S)
    with pytest.raises(KeyError) as found:
        house.eraser.check()
    assert found.value is fault


def swap(house, number):
    """Put another template in the place of one, as somebody would who has the folder."""
    other = vector(99)
    recorded = hash_template(vector(number))
    house.templates.put([StoredTemplate(f"r{number}", "default", "Ann", recorded, other)])


def test_a_swapped_and_a_lost_template_are_problems_of_the_run(house):
    for number, subject in enumerate(("Ann", "Bea", "Cleo")):
        house.enrol(subject, number)
    house.refresh()
    assert house.problems == []
    swap(house, 0)
    house.templates.remove(["r1"])
    house.enrol("Dora", 4)
    house.refresh()
    [problem] = house.problems
    assert "1 reference of Ann stored as another entry" in problem
    assert "1 reference of Bea without a stored template" in problem
    assert "remove these entries and import them again" in problem
    assert house.index.subjects == ("Cleo", "Dora")


def test_doctor_detects_a_swapped_template_and_a_run_reports_it_at_its_start(house, tmp_path):
    house.enrol("Ann", 0)
    house.refresh()
    (tmp_path / "CONFIG.yaml").write_text("data_dir: data\n")
    loaded = settings.load(tmp_path / "CONFIG.yaml")
    house.templates.close()
    [well] = doctor_data.check_watchlist(loaded)
    assert (well.state, well.found) == ("ok", "1 references of 1 people are searched")
    with closing(MilvusTemplateStore(str(house.folder / "milvus"), FACTS)) as house.templates:
        swap(house, 0)
    [ill] = doctor_data.check_watchlist(loaded)
    assert ill.state == "fail"
    assert "1 reference of Ann" in ill.found
    assert "watchlist remove and import" in ill.advice
