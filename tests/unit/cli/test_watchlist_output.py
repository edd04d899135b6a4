"""What `openlfr watchlist` prints."""

from datetime import UTC, date, datetime, timedelta

import pytest

from openlfr.cli.watchlist_output import print_entries
from openlfr.domain.watchlist import EntryStatus, Reference

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def entry(name, subject):
    return Reference(
        reference_id=name, watchlist="default", subject=subject, category="wanted",
        legal_basis="Order 1", source="passport", captured_on=date(2025, 1, 2),
        enrolled_by="Eve Li", authorised_by="Otto Ng", expires=NOW + timedelta(days=30),
        status=EntryStatus.ACTIVE, template_hash="h", picture="p", quality=71.5, note="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("subjects", "line"),
    [
        ([], "0 entries of 0 subjects"),
        (["Ann"], "1 entry of 1 subject"),
        (["Ann", "Ann"], "2 entries of 1 subject"),
        (["Ann", "Bo"], "2 entries of 2 subjects"),
    ],
)
def test_counts_entries_and_subjects_in_words_that_fit(subjects, line, capsys):
    print_entries([entry(f"r{n}", s) for n, s in enumerate(subjects)], {}, NOW, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == line


def test_an_altered_entry_is_printed_with_its_changes(capsys):
    altered = {"r1": "authorised_by differs from its enrolment"}
    print_entries([entry("r1", "Ann"), entry("r2", "Bo")], altered, NOW, as_json=False)
    ann, bo, _ = capsys.readouterr().out.splitlines()
    assert "\taltered\t" in ann
    assert ann.endswith("authorised_by differs from its enrolment")
    assert "\tactive\t" in bo
