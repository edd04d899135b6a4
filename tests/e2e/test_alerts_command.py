"""`openlfr alerts` and `openlfr purge` on the data folder of a finished run."""

import json
import os
import re
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut
from tests.sightings import sighting_of

from enrolling import add_entry
from openlfr import bootstrap
from openlfr.cli import main
from openlfr.domain.errors import Misconfigured
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.sightings import Sighting
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.operations.evidence import encode, evidence_name
from openlfr.settings import Settings, load
from openlfr.stages.mask import mask
from openlfr.stages.obscure import cut_picture, shrink

NOW = datetime.now(UTC)
FACE = Box(170, 60, 105, 130)
IMAGE = np.ascontiguousarray(astronaut()[..., ::-1])
EVIDENCE = mask(cut_picture(IMAGE, shrink(IMAGE), FACE, []), [])


@dataclass
class Place:
    """A data folder, and an operator's acts."""

    config: Path
    settings: Settings

    def settle_at_once(self) -> None:
        """Make every verdict final and confirmed, and every seal expired, by the next command."""
        with self.config.open("a") as file:
            file.write("alerting: {undo: 1ms, settle: 1ms, sealed: 1ms}\n")

    def openlfr(self, *args: str) -> int:
        return main([*args, "--config", str(self.config)])

    def see(
        self,
        seconds: float,
        *,
        subject: str = "Ann",
        emitted: datetime = NOW,
        recorded: bool = True,
        folded: bool = True,
        kept_at: datetime = NOW,
        impossible: ImpossibleMatch | None = None,
        pictured: bool = True,
    ) -> Sighting:
        """Record a sighting as a run does, or only in part as a killed run does."""
        sighting = sighting_of(
            deployment="Market",
            camera="gate",
            epoch=1,
            seq=int(seconds * 10),
            subject=subject,
            watchlist="default",
            reference_id=REFERENCE.reference_id,
            captured_at=datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(seconds=seconds),
            box=FACE,
            score=0.5 + seconds / 1000,
            threshold=0.4,
            quality=61.0,
        )
        name = evidence_name(sighting.sighting_id) if pictured else None
        bootstrap.open_records(self.settings).close()  # a run writes records before pictures
        if name:
            bootstrap.open_vault(self.settings).put(name, encode(EVIDENCE, kept_at=kept_at))
        if folded:
            with closing(bootstrap.open_alert_book(self.settings)) as book:
                event = book.fold(sighting, window=timedelta(seconds=30), impossible=impossible)
            if recorded:
                with bootstrap.open_records(self.settings) as records:
                    records.alerts.record(event, name, emitted_at=emitted)
        return sighting

    def enrol(self, one: str, *, expires: datetime) -> None:
        picture = f"references/{one}"
        with bootstrap.open_records(self.settings) as records:
            bootstrap.open_vault(self.settings).put(picture, encode(EVIDENCE))
            entry = replace(REFERENCE, reference_id=one, expires=expires, picture=picture)
            with records.unit_of_work() as work:
                add_entry(work, entry, picture_hash=one, template=b"sealed", at=NOW)

    def evidence(self) -> list[str]:
        return bootstrap.open_vault(self.settings).names("evidence/")

    def alerts(self, capsys: pytest.CaptureFixture[str]) -> list[dict]:
        capsys.readouterr()
        assert self.openlfr("alerts", "list", "--json") == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def acts(self) -> list[tuple[str, str]]:
        with bootstrap.open_records(self.settings) as records:
            return [(act.by.name, act.kind) for act in records.audit.all()]

    def in_book(self) -> set[str]:
        with closing(bootstrap.open_alert_book(self.settings)) as book:
            return {event.sighting.sighting_id for event in book.events("Market")}


REFERENCE = Reference(
    reference_id=str(uuid.uuid4()),
    watchlist="default",
    subject="Ann",
    category="wanted",
    legal_basis="order 1",
    source="registry",
    captured_on=date(2020, 1, 1),
    enrolled_by="E",
    authorised_by="A",
    expires=NOW + timedelta(days=1),
    status=EntryStatus.PENDING,
    template_hash="0" * 64,
    picture="",
    quality=80.0,
)
FACTS = GalleryFacts("none", "0" * 64, 4, "none", 0.4)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    config = tmp_path / "CONFIG.yaml"
    config.write_text("data_dir: data\ndeployment:\n  id: Market\n")
    return Place(config, load(config))


def test_a_new_folder_has_no_alerts(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.openlfr("alerts", "list") == 0
    assert capsys.readouterr().out == "There are no alerts.\n"
    assert place.openlfr("purge") == 0
    assert capsys.readouterr().out.startswith("No data is due for erasure.\n")


def test_alerts_are_listed_the_latest_first(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0)
    place.see(10)
    place.see(100, subject="Bob")
    assert place.openlfr("alerts", "list") == 0
    header, bob, ann = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["ALERT", "LAST"]
    assert "2026-11-23 12:01:40  Bob      1          0.600  open" in bob
    assert "2026-11-23 12:00:10  Ann      2          0.510  open" in ann
    assert [a["subject"] for a in place.alerts(capsys)] == ["Bob", "Ann"]
    assert place.openlfr("alerts", "decide", bob[:8], "engage", "--by", "Op") == 0
    capsys.readouterr()
    assert place.openlfr("alerts", "list", "--open") == 0
    assert "Bob" not in capsys.readouterr().out


def test_an_alert_is_shown_and_its_picture_decrypted_on_request_only(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0)
    place.see(5)
    (alert,) = place.alerts(capsys)
    out = tmp_path / "alert.jpg"
    out.write_text("readable by all")
    out.chmod(0o644)
    assert place.openlfr("alerts", "show", alert["alert_id"][:6]) == 0
    output = capsys.readouterr().out
    assert "subject     Ann" in output
    assert "box 170,60 105x130  score 0.505  quality 61  evidence stored" in output
    assert place.acts() == []
    assert place.openlfr("alerts", "show", alert["alert_id"][:6], "--out", str(out)) == 0
    assert f"Wrote {out}, decrypted and readable by you alone" in capsys.readouterr().out
    assert out.stat().st_mode & 0o777 == 0o600
    alone = cv2.imread(str(out))
    assert alone.shape[0] > 512 + 320
    assert [act for _, act in place.acts()] == ["alert.shown"]
    place.enrol(REFERENCE.reference_id, expires=NOW + timedelta(days=1))
    assert place.openlfr("alerts", "show", alert["alert_id"], "--out", str(out)) == 0
    beside = cv2.imread(str(out))
    where_it_stands = np.s_[40:300, 320:500]
    assert alone[where_it_stands].std() < 30  # "the picture was erased"
    assert beside[where_it_stands].std() > 40
    page = tmp_path / "alert.html"
    assert place.openlfr("alerts", "show", alert["alert_id"], "--out", str(page)) == 0
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.read_text().count('src="data:image/jpeg;base64,') == 2
    assert "http" not in page.read_text()


def test_an_impossible_match_is_shown_with_every_decision(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0)
    place.see(5, impossible=ImpossibleMatch(ImpossibleReason.TOO_FAR, "park <2>", 4.25, 12345))
    place.see(100, subject="Bob")
    assert place.openlfr("alerts", "list") == 0
    _, bob, ann = capsys.readouterr().out.splitlines()
    assert (bob.split()[-1], ann.split()[-1]) == ("open", "IMPOSSIBLE")
    bob, ann = place.alerts(capsys)
    assert (bob["impossible"], ann["impossible"]) == (0, 1)
    page = tmp_path / "alert.html"
    assert place.openlfr("alerts", "show", ann["alert_id"], "--out", str(page)) == 0
    output = capsys.readouterr().out
    assert "impossible  1 of the sightings: one of two sightings shows somebody else\n" in output
    words = "4.2 s after being matched at park <2>, 12.3 km away"
    assert output.splitlines()[-4].strip() == f"IMPOSSIBLE: {words}"
    assert words.replace("<2>", "&lt;2&gt;") in page.read_text()
    assert place.openlfr("alerts", "show", ann["alert_id"], "--json") == 0
    opened, joined = json.loads(capsys.readouterr().out)["sightings"]
    assert opened["impossible"] is None
    assert joined["impossible"] == {
        "why": "too_far", "camera": "park <2>", "seconds": 4.25, "metres": 12345,
    }  # fmt: skip
    assert place.openlfr("alerts", "decide", ann["alert_id"], "do_not_engage", "--by", "Op") == 0


def test_alerts_can_be_listed_as_json(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    seen = place.see(0)
    (alert,) = place.alerts(capsys)
    assert place.openlfr("alerts", "show", alert["alert_id"], "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sightings"][0]["box"] == list(FACE)
    assert shown["sightings"][0]["frame_index"] == seen.seq
    assert shown["adjudication"] is None


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["show", "zzz"], "There is no alert 'zzz'"),
        (["decide", "zzz", "engage", "--by", "Op"], "There is no alert 'zzz'"),
        (["decide", "ID", "engage", "--by", " "], "expected a person's name"),
        (["decide", "ID", "engage"], "missing option '--by'"),
        (["decide", "ID", "shoot", "--by", "Op"], "'shoot' is not one of 'engage'"),
        (["outcome", "ID", "confirmed", "--by", "Op"], "has not been decided yet"),
        (["show", "ID", "--out", "a.gif"], "must end in .jpg"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    place: Place, capsys: pytest.CaptureFixture[str], args: list[str], sentence: str
) -> None:
    place.see(0)
    (alert,) = place.alerts(capsys)
    assert place.openlfr("alerts", *(alert["alert_id"] if a == "ID" else a for a in args)) == 2
    output = capsys.readouterr().err
    assert sentence in output
    assert output.count("\n") == 1


@pytest.mark.parametrize(
    "decisions",
    [
        [["decide", "do_not_engage", "--by", "Op", "--reason", "another person"]],
        [["decide", "engage", "--by", "Op"], ["outcome", "refuted", "--by", "Officer"]],
        [["decide", "engage", "--by", "Op", "--outcome", "refuted"]],
    ],
)
def test_a_person_mistaken_for_a_listed_one_is_erased(
    place: Place, capsys: pytest.CaptureFixture[str], decisions: list[list[str]]
) -> None:
    place.see(0)
    place.see(5)
    other = place.see(100, subject="Bob")
    alert = place.alerts(capsys)[1]
    place.settle_at_once()
    for verb, *rest in decisions:
        assert place.openlfr("alerts", verb, alert["alert_id"], *rest) == 0
    output = capsys.readouterr().out
    assert re.search(
        r"events are (retained|sealed for a complaint) until 20.* UTC. Afterwards", output
    )
    assert place.openlfr("alerts", "list") == 0
    assert "Erased due data first: 1 alert about somebody else" in capsys.readouterr().err
    assert place.evidence() == [evidence_name(other.sighting_id)]
    assert place.in_book() == {other.sighting_id}
    assert place.openlfr("alerts", "show", alert["alert_id"]) == 0
    assert capsys.readouterr().out.count("position erased  score") == 2
    assert place.acts()[-1] == ("system", "alert.erased")
    assert ("Op", "alert.decided") in place.acts()
    assert {act for who, act in place.acts() if who == "system"} >= {"alert.settled"}
    out = str(place.config.parent / "a.jpg")
    assert place.openlfr("alerts", "show", alert["alert_id"], "--out", out) == 2
    assert "All evidence of this alert was erased" in capsys.readouterr().err


def test_a_sighting_without_a_picture_is_shown_as_one(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0, pictured=False)
    (alert,) = place.alerts(capsys)
    assert place.openlfr("alerts", "show", alert["alert_id"]) == 0
    assert "no picture was stored" in capsys.readouterr().out
    page = place.config.parent / "a.html"
    assert place.openlfr("alerts", "show", alert["alert_id"], "--out", str(page)) == 0
    assert "No picture of this sighting was stored" in page.read_text()
    assert place.openlfr("alerts", "show", alert["alert_id"], "--out", f"{page.parent}/a.jpg") == 2
    assert "other faces cover the alerted face" in capsys.readouterr().err
    assert place.openlfr("alerts", "decide", alert["alert_id"], "engage", "--by", "Op") == 0
    assert place.openlfr("purge") == 0


def test_purge_completes_an_interrupted_erasure(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.see(0)
    (alert,) = place.alerts(capsys)

    def broken(_: Settings) -> None:
        raise Misconfigured("Redis refuses.")

    place.settle_at_once()
    assert place.openlfr("alerts", "decide", alert["alert_id"], "do_not_engage", "--by", "Op") == 0
    monkeypatch.setattr(bootstrap, "open_alert_book", broken)
    assert place.openlfr("alerts", "list") == 0
    assert "note: not all due data could be erased: Redis refuses." in capsys.readouterr().err
    monkeypatch.undo()
    assert place.openlfr("purge") == 0
    assert f"alert {alert['alert_id']} about Ann: not engaged." in capsys.readouterr().out
    assert place.evidence() == []
    assert place.in_book() == set()


def test_purge_erases_only_data_beyond_the_retention(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0, emitted=NOW - timedelta(days=40))
    kept = place.see(1000, emitted=NOW - timedelta(days=10))
    assert place.openlfr("purge", "--dry-run") == 0
    assert "Would erase alert" in capsys.readouterr().out
    assert len(place.evidence()) == 2
    assert place.openlfr("purge") == 0
    output = capsys.readouterr().out
    assert "older than 31 days" in output
    assert "not overwritten" in output
    assert place.evidence() == [evidence_name(kept.sighting_id)]
    assert place.in_book() == {kept.sighting_id}
    assert [a["erased_at"] is None for a in place.alerts(capsys)] == [True, False]
    assert place.openlfr("purge") == 0
    assert capsys.readouterr().out.startswith("No data is due for erasure.")
    assert place.openlfr("purge", "--older-than", "9d") == 0
    assert place.evidence() == []


def test_purge_erases_evidence_that_a_crash_left_without_an_alert(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago = NOW - timedelta(hours=2)
    place.see(0)
    before_fold = place.see(100, folded=False, kept_at=long_ago)
    to_be_resumed = place.see(200, recorded=False, kept_at=long_ago)
    just_now = place.see(300, folded=False)
    bootstrap.open_records(place.settings).close()
    vault = bootstrap.open_vault(place.settings)
    vault.put("evidence/damaged", b"no evidence")
    assert place.openlfr("purge") == 0
    output = capsys.readouterr().out
    assert f"Erasing {evidence_name(before_fold.sighting_id)}: no alert refers to it." in output
    left = set(place.evidence())
    assert len(left) == 3
    assert {evidence_name(s.sighting_id) for s in (to_be_resumed, just_now)} < left


def test_purge_removes_expired_entries_from_the_list(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [str(uuid.uuid4()), str(uuid.uuid4())]
    with bootstrap.open_records(place.settings) as records, records.unit_of_work() as work:
        work.watchlist.bind_model(FACTS, NOW)
    place.enrol(ids[0], expires=NOW - timedelta(days=1))
    place.enrol(ids[1], expires=NOW + timedelta(days=1))
    assert place.openlfr("purge", "--by", "Keeper") == 0
    output = capsys.readouterr().out
    assert f"Erasing entry {ids[0]} of Ann: expired" in output
    assert "Erased templates and pictures of 1 entries." in output
    pictures = bootstrap.open_vault(place.settings).names("references/")
    assert f"references/{ids[0]}" not in pictures
    with bootstrap.open_records(place.settings) as records:
        now = {r.reference_id: r.status for r in records.watchlist.references()}
        # The other template is invalid, so that the gallery refuses it.
        assert now == {ids[0]: EntryStatus.REMOVED, ids[1]: EntryStatus.REFUSED}
        assert records.watchlist.awaiting_erasure() == []
    assert ("Keeper", "reference.expired") in place.acts()


def test_a_sighting_is_rejected_an_alert_held_and_a_sealed_alert_opened(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, stranger = place.see(0), place.see(9)
    (alert,) = place.alerts(capsys)
    one = alert["alert_id"]
    assert place.openlfr("alerts", "show", one) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "frame 90" in line]
    event = lines[0].split()[0]
    assert place.openlfr("alerts", "reject", one, event, "--by", "Op") == 0
    assert "1 sightings remain" in capsys.readouterr().out
    assert place.evidence() == [evidence_name(first.sighting_id)]
    assert place.in_book() == {first.sighting_id}
    assert place.openlfr("alerts", "show", one) == 0
    assert "rejected  position erased" in capsys.readouterr().out
    assert stranger.captured_at.isoformat()[:19].encode() not in everything(place)
    place.settle_at_once()
    complaint = ("hold", one, "complaint", "--by", "Sue", "--reason", "letter", "--for", "40d")
    assert place.openlfr("alerts", "decide", one, "engage", "--by", "Op") == 0
    assert place.openlfr("alerts", *complaint) == 0
    assert place.openlfr("alerts", "outcome", one, "refuted", "--by", "Op") == 0
    assert place.openlfr("purge") == 0
    assert len(place.evidence()) == 1
    page = str(tmp_path / "page.html")
    assert place.openlfr("alerts", "show", one, "--out", page) == 2
    assert "are sealed" in capsys.readouterr().err
    assert place.openlfr("alerts", "show", one, "--out", page, "--reason", "complaint 12") == 0
    assert place.openlfr("alerts", "release", one, "--by", "Sue", "--reason", "answered") == 0
    assert place.openlfr("alerts", "list") == 0
    assert place.evidence() == []
    kinds = {kind for _, kind in place.acts()}
    assert kinds > {"alert.hold_placed", "alert.hold_released", "alert.unsealed", "alert.erased"}


def test_two_people_decide_look_again_dispute_and_confirm(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0)
    (alert,) = place.alerts(capsys)
    one = alert["alert_id"]

    def act(*args: str) -> tuple[int, str]:
        code = place.openlfr("alerts", args[0], one, *args[1:])
        read = capsys.readouterr()
        return code, read.out + read.err

    assert act("decide", "engage", "--by", "Ann", "--if-version", "7")[0] == 2
    code, output = act("decide", "engage", "--by", "Ann", "--because", "features_differ")
    assert (code, "is no reason for engage; reasons are: features_agree" in output) == (2, True)
    engaged = ("engage", "--because", "mark_agrees", "--reason", "scar", "--by", "Ann Ash")
    assert act("decide", *engaged, "--if-version", "1")[0] == 0
    code, output = act("decide", "do_not_engage", "--by", "Bea Birch", "--if-version", "1")
    assert (code, "has changed since version 1: Ann Ash decided engage at" in output) == (2, True)
    code, output = act("decide", "do_not_engage", "--by", "Bea Birch")
    assert (code, "Ann Ash decided engage at" in output) == (2, True)
    assert act("undo", "--by", "Bea Birch")[0] == 2
    code, output = act("undo", "--by", "Ann Ash", "--reason", "slipped")
    assert (code, "verdict withdrawn. It is open now" in output) == (0, True)
    assert act("outcome", "refuted", "--by", "Bea Birch")[0] == 2
    place.settle_at_once()
    with place.config.open("a") as file:
        file.truncate(file.tell() - len(" settle: 1ms, sealed: 1ms}\n") + 1)
        file.write("}\n")  # final at once, confirmed in 14 minutes
    assert act("decide", *engaged)[0] == 0
    assert act("second", "engage", "--by", "Ann Ash")[0] == 2
    code, output = act("second", "do_not_engage", "--by", "Bea Birch")
    assert (code, "It is disputed now" in output) == (0, True)
    assert act("settle", "engage", "--by", "Bea Birch")[0] == 2
    assert act("settle", "engage", "--by", "Sue Sedge")[1].endswith("It is settled now.\n")
    assert act("outcome", "confirmed", "--by", "Bea Birch", "--minutes-stopped", "4")[0] == 0
    assert act("show", "--json")[0] == 0
    place.openlfr("alerts", "show", one, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["state"], shown["adjudication"], shown["outcome"]) == (
        "closed", "engage", "confirmed",
    )  # fmt: skip
    given = [(v["kind"], v["by"], v["withdrawn_at"] is not None) for v in shown["verdicts"]]
    assert given == [
        ("first", "Ann Ash", True), ("first", "Ann Ash", False), ("second", "Bea Birch", False),
        ("settled", "Sue Sedge", False),
    ]  # fmt: skip
    assert (shown["verdicts"][1]["reason"], shown["verdicts"][1]["note"]) == ("mark_agrees", "scar")
    assert shown["outcomes"][0]["minutes_stopped"] == 4
    assert place.openlfr("alerts", "show", one) == 0
    assert "engage (mark_agrees), by Ann Ash, 20" in capsys.readouterr().out
    assert [act for _, act in place.acts()] == [
        "alert.decided", "alert.undone", "alert.decided", "alert.second_look", "alert.settled",
        "alert.outcome",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["soon", "-3d", "0"])
def test_an_invalid_time_is_bad_usage(
    place: Place, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert place.openlfr("purge", f"--older-than={text}") == 2
    assert "--older-than must be" in capsys.readouterr().err


def test_commands_work_beside_a_run_with_the_alert_book_open(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = place.see(0)
    with closing(bootstrap.open_alert_book(place.settings)) as of_the_run:
        (alert,) = place.alerts(capsys)
        place.settle_at_once()
        decided = ("decide", alert["alert_id"], "do_not_engage", "--by", "Op")
        assert place.openlfr("alerts", *decided) == 0
        assert place.openlfr("purge") == 0
        assert of_the_run.events("Market") == []
        assert of_the_run.fold(seen, window=timedelta(seconds=30)) is None


def everything(place: Place) -> bytes:
    """Return every byte in the data folder."""
    files = (path for path in sorted(place.settings.data_dir.rglob("*")) if path.is_file())
    return b"".join(path.read_bytes() for path in files)


def test_due_data_are_erased_by_the_first_command(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0, emitted=NOW - timedelta(days=40))
    kept = place.see(1000, emitted=NOW - timedelta(days=10))
    reference_id = str(uuid.uuid4())
    with bootstrap.open_records(place.settings) as records, records.unit_of_work() as work:
        work.watchlist.bind_model(FACTS, NOW)
    place.enrol(reference_id, expires=NOW - timedelta(days=1))
    assert place.openlfr("alerts", "list", "--json") == 0
    output = capsys.readouterr()
    assert "Erased due data first: 1 alert beyond the retention, 1 expired" in output.err
    erased = {alert["erased_at"] is not None for alert in map(json.loads, output.out.splitlines())}
    assert erased == {True, False}
    assert place.evidence() == [evidence_name(kept.sighting_id)]
    with bootstrap.open_records(place.settings) as records:
        [entry] = records.watchlist.references()
        assert (entry.status, entry.picture) == (EntryStatus.REMOVED, "")
    assert place.openlfr("watchlist", "list") == 0
    assert "Erased" not in capsys.readouterr().err


def test_no_byte_of_a_rejected_alert_s_place_remains_in_the_book_or_the_vault(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = place.see(0)
    crashed = place.settings.data_dir / "vault" / "evidence" / ".unfinished-0123"
    crashed.write_bytes(b"half of an encrypted picture")
    os.utime(crashed, (0, 0))
    picture = (place.settings.data_dir / "vault" / evidence_name(seen.sighting_id)).read_bytes()
    book = place.settings.data_dir / "redis" / "appendonly.aof"
    in_book = [seen.captured_at.isoformat()[:19].encode(), b'"Ann"', b"Ann"]
    assert any(words in book.read_bytes() for words in in_book)
    (alert,) = place.alerts(capsys)
    place.settle_at_once()
    assert place.openlfr("alerts", "decide", alert["alert_id"], "do_not_engage", "--by", "Op") == 0
    assert picture[20:] in everything(place)
    assert place.openlfr("alerts", "list") == 0
    assert not any(words in book.read_bytes() for words in in_book)
    assert picture[20:] not in everything(place)
    assert place.openlfr("purge") == 0
    assert not crashed.exists()


def test_a_command_beside_a_reader_reports_rows_that_remain_in_the_file(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.see(0)
    (alert,) = place.alerts(capsys)
    place.settle_at_once()
    assert place.openlfr("alerts", "decide", alert["alert_id"], "do_not_engage", "--by", "Op") == 0
    reader = sqlite3.connect(place.settings.data_dir / "openlfr.db", isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from audit_events").fetchone()
    assert place.openlfr("purge") == 1
    assert "openlfr.db-wal, since another program is reading" in capsys.readouterr().err
    reader.close()
    assert place.openlfr("purge") == 0
    log = place.settings.data_dir / "openlfr.db-wal"  # which SQLite removes with the last use
    assert not log.exists() or log.stat().st_size == 0


def test_a_second_look_lists_waiting_alerts_without_their_decisions(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.openlfr("alerts", "list", "--second-look") == 0
    assert "No alert needs a second verdict." in capsys.readouterr().out
    with place.config.open("a") as file:
        file.write("alerting: {undo: 1ms, second_look: 0}\n")
    place.see(0)
    place.see(100, subject="Bea")
    ann, bea = sorted(place.alerts(capsys), key=lambda alert: alert["subject"])
    for alert, what in ((ann, "cannot_tell"), (bea, "engage")):
        assert place.openlfr("alerts", "decide", alert["alert_id"], what, "--by", "Op One") == 0
    capsys.readouterr()
    assert place.openlfr("alerts", "list", "--second-look") == 0
    shown = capsys.readouterr().out
    assert ann["alert_id"][:8] in shown
    assert bea["alert_id"][:8] not in shown
    assert not [word for word in ("cannot", "Op One") if word in shown]
    assert not re.search(r"(?<!\d)0\.5", shown)  # the score; a time may end with 0.5
    place.config.write_text(place.config.read_text().replace("second_look: 0", "second_look: 1"))
    assert place.openlfr("alerts", "list", "--second-look", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["alert_id"] for line in lines} == {ann["alert_id"], bea["alert_id"]}
    assert all(line.keys() == {"alert_id", "subject", "settle_at"} for line in lines)
