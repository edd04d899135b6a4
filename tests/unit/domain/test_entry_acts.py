"""An entry is compared with its acts in the audit log: what was changed since is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from openlfr.domain.audit_references import ReferenceEnrolled
from openlfr.domain.entry_acts import EntryAct, earliest_expiry, find_alteration
from openlfr.domain.watchlist import EntryStatus, Reference, hash_entry

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ENTRY = Reference(
    "r1", "default", "Ann", "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve", "Otto",
    NOW + timedelta(days=30), EntryStatus.ACTIVE, "h" * 64, "references/r1", 70.0, "",
    "Tom", "twins",
)  # fmt: skip


def enrolment(entry=ENTRY, **changes):
    detail = ReferenceEnrolled.from_entry(entry, picture_hash="p", model_sha256="m").detail()
    detail = {name: value for name, value in (detail | changes).items() if value is not None}
    return EntryAct("reference.enrolled", "Eve", detail)


def act(kind):
    return EntryAct(f"reference.{kind}", "Eve", {})


OF_BEFORE = enrolment(enrolled_by=None, entry_hash=None)
"""As versions recorded it whose acts had no principals."""

AS_ENROLLED = {
    "as it was enrolled": (ENTRY, [enrolment()]),
    "an act of a former version": (ENTRY, [OF_BEFORE]),
    "the same moment elsewhere": (ENTRY, [enrolment(expires="2026-05-31T14:00:00+02:00")]),
    "resumed": (ENTRY, [enrolment(), act("suspended"), act("resumed")]),
    "suspended": (replace(ENTRY, status=EntryStatus.SUSPENDED), [enrolment(), act("suspended")]),
    "removed": (replace(ENTRY, status=EntryStatus.REMOVED), [enrolment(), act("removed")]),
    "listed once, so that nobody else was asked": (
        (once := replace(ENTRY, second_authoriser="", second_reason="")),
        [enrolment(once)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AS_ENROLLED)
def test_an_unchanged_entry_is_accepted(case):
    assert find_alteration(*AS_ENROLLED[case]) == ""


CHANGED = {
    "subject": "subject and its hash differ from its enrolment",  # which is made of it
    "watchlist": "watchlist and its hash differ from its enrolment",
    "category": "category differs from its enrolment",
    "legal_basis": "legal_basis differs from its enrolment",
    "source": "source differs from its enrolment",
    "enrolled_by": "enrolled_by differs from its enrolment",
    "authorised_by": "authorised_by differs from its enrolment",
    "second_authoriser": "second_authoriser differs from its enrolment",
    "second_reason": "second_reason differs from its enrolment",
    "template_hash": "its hash differs from its enrolment",
    "entry_hash": "its hash differs from its enrolment",
}


@pytest.mark.parametrize("enrolled", [enrolment(), OF_BEFORE], ids=["now", "before"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in CHANGED
        for value in ("", "Mallory")
        if (name, value) != ("entry_hash", "")  # which the database refuses
    ],
)
def test_a_changed_field_is_named(name, value, enrolled):
    entry = replace(ENTRY, **{"entry_hash": ENTRY.entry_hash, name: value})
    assert find_alteration(entry, [enrolled]) == CHANGED[name]


@pytest.mark.parametrize("days", [-29, 29, 365])
def test_a_changed_expiry_is_named_and_the_earlier_one_counts(days):
    entry = replace(ENTRY, expires=ENTRY.expires + timedelta(days=days))
    assert find_alteration(entry, [enrolment()]) == "expires differs from its enrolment"
    assert earliest_expiry(entry, [enrolment()]) == min(entry.expires, ENTRY.expires)


def test_several_changes_are_named_together():
    entry = replace(ENTRY, legal_basis="", authorised_by="")
    assert (
        find_alteration(entry, [enrolment()])
        == "legal_basis and authorised_by differ from its enrolment"
    )


def test_a_swapped_template_is_detected_even_if_its_hash_was_replaced():
    other = "o" * 64
    entry = replace(
        ENTRY, template_hash=other, entry_hash=hash_entry("r1", "Ann", "default", other)
    )
    assert find_alteration(entry, [enrolment()]) == "its hash differs from its enrolment"


@pytest.mark.parametrize("enrolled", [None, "", "soon", "2026-05-31", "2026-05-31T12:00:00"])
def test_an_act_without_a_moment_of_expiry_proves_none(enrolled):
    assert (
        find_alteration(ENTRY, [enrolment(expires=enrolled)])
        == "expires differs from its enrolment"
    )
    assert earliest_expiry(ENTRY, [enrolment(expires=enrolled)]) == ENTRY.expires


@pytest.mark.parametrize(
    ("acts", "says"),
    [
        ([], "no enrolment of it was recorded"),
        ([enrolment(), enrolment()], "2 enrolments of it were recorded"),
        ([enrolment(), act("removed")], "it was removed before"),
        ([enrolment(), act("expired")], "it had expired before"),
        ([enrolment(), act("refused")], "it was refused before"),
        ([enrolment(), act("suspended"), act("removed")], "it was removed before"),
        ([enrolment(), act("suspended")], "it was suspended and not resumed"),
        (
            [enrolment(), act("suspended"), act("resumed"), act("suspended")],
            "it was suspended and not resumed",
        ),
    ],
)
@pytest.mark.parametrize("status", [EntryStatus.ACTIVE, EntryStatus.PENDING])
def test_an_entry_that_was_ended_or_never_enrolled_is_not_listed_again(acts, says, status):
    assert find_alteration(replace(ENTRY, status=status), acts) == says


def test_no_two_entries_have_one_hash():
    entries = [
        ("ab", "c", "d", "e"),
        ("a", "bc", "d", "e"),
        ("ab", "", "cd", "e"),
        ("ab", "c", "de", ""),
    ]
    assert len({hash_entry(*each) for each in entries}) == len(entries)
    made = hash_entry("r1", "Zoë", "default", "0" * 64)
    assert made == "298de54495a130cd707e00ecd5b9974f5279f62e4d2e04254941ed2e703ffed8"
