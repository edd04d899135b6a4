"""A run after an older database was restored, while the alert book knows later runs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.test_alert_records import sighting

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.sql.records import Records
from openlfr.embedded.opening import plan_or_resume_run


@pytest.mark.parametrize(("deployment", "epoch"), [("street", 5), ("market", 1)])
def test_a_run_after_a_restore_repeats_no_epoch_of_the_alert_book(tmp_path, deployment, epoch):
    book = MemoryAlertBook()
    for earlier in (2, 4, 3):
        seen = replace(sighting(earlier), sighting_id=f"sighting {earlier}", epoch=earlier)
        book.fold(seen, window=timedelta(minutes=3))
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        run, is_resumed = plan_or_resume_run(records, deployment, ["0"], resume=False, book=book)
    assert (run.epoch, is_resumed) == (epoch, False)
