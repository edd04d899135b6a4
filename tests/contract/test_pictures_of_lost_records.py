"""An older database beside a newer vault: the pictures of its lost alerts are not erased."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.test_alert_erasure import NOON

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.principals import local_principal
from openlfr.operations.gallery import CRASH_MARGIN
from openlfr.operations.purge import erase_due, find_due, purge
from openlfr.ports import Records

LATER = NOON + CRASH_MARGIN + timedelta(hours=1)


@pytest.mark.parametrize("pictures", [1, 2, 3, 40])
def test_more_pictures_without_an_alert_than_crashes_leave_wait_for_a_person(
    every_records: Records, pictures: int
) -> None:
    stores = {"records": every_records, "vault": MemoryVault(), "book": MemoryAlertBook()}
    names = [f"evidence/{number:02}" for number in range(pictures)]
    for name in names:
        stores["vault"].put(name, b"a picture whose alert the records have lost")
    due = erase_due(**stores, retention=timedelta(days=31), now=LATER)
    if pictures <= 2:
        assert (stores["vault"].names(), due.lost_records) == ([], "")
        return
    assert (stores["vault"].names(), due.orphans) == (names, ())
    assert f"{pictures} pictures in the vault have no alert in the records" in due.lost_records
    # A person reads the list and confirms it.
    found = find_due(**stores, retention=timedelta(days=31), now=LATER)
    assert found == replace(due, orphans=tuple(names))
    purge(found, **stores, now=LATER, by=local_principal("root", "Sue Super"))
    assert stores["vault"].names() == []
