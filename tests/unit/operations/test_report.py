"""The report describes the run safely and reproducibly."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from tests.sightings import sighting_of

from openlfr.domain.alerts import AlertEvent, EventKind, event_id_of
from openlfr.domain.counts import CameraCounts, LossReason, NotSearchedReason
from openlfr.domain.deployment import Authorisation
from openlfr.domain.errors import Unavailable
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.scores import SCORE_BINS, score_bin
from openlfr.domain.summary import AlertItem, KnownTruth, RunSummary, StageTiming, WatchlistSize
from openlfr.domain.thresholds import DefaultRow, Threshold, ThresholdOrigin
from openlfr.operations.report import charts, write_report

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
JPEG = b"\xff\xd8 a picture \xff\xd9"


def item(subject: str = "Ann", *, alert: str = "1", second: float = 0, score: float = 0.7,
         picture: bytes = JPEG, missing: str = "") -> AlertItem:  # fmt: skip
    sighting = sighting_of(
        deployment="Market", camera="gate", epoch=1, seq=int(second * 10), subject=subject,
        watchlist="default", reference_id="r", captured_at=NOON + timedelta(seconds=second),
        box=Box(1, 2, 30, 40), score=score, threshold=0.4, quality=61.5,
    )  # fmt: skip
    kind = EventKind.JOINED if second else EventKind.OPENED
    event = AlertEvent(kind, event_id_of(sighting.sighting_id), f"alert-{alert}", sighting)
    return AlertItem(event, picture, picture, picture, "at_risk", "Act 5", missing)


def scores(*values: float) -> tuple[int, ...]:
    counts = [0] * SCORE_BINS
    for value in values:
        counts[score_bin(value)] += 1
    return tuple(counts)


GATE = CameraCounts(
    "gate", frames_decoded=1210, frames_analysed=1200, frames_dropped_late=7,
    frames_sampled_away=2, frames_unreadable=1, faces_detected=5000, tracks_closed=40,
    tracks_searched=34,
    tracks_not_searched={NotSearchedReason.TOO_SMALL: 4, NotSearchedReason.TOO_SHORT: 2},
    tracks_begun=40, tracks_matched=3, sightings=3, alerts_opened=2, alerts_joined=1,
    scores=scores(*[0.1] * 31, 0.7, 0.8, 0.9),
    first_captured_at=NOON, last_captured_at=NOON + timedelta(minutes=2), frame_size=(1280, 720),
)  # fmt: skip
SUMMARY = RunSummary(
    run_id="run-1", software="OpenLFR 0", config_hash="c" * 64,
    deployment_id="d-1",
    deployment=Authorisation("Market", "Find Ann", "Square", "Act 5", "Chief X",
                             NOON, NOON + timedelta(hours=2)),
    started_at=NOON, ended_at=NOON + timedelta(minutes=2), ended_how="sources ended",
    threshold=Threshold(0.4, ThresholdOrigin.SET, 3),
    models=(ModelUsed("detector", "yunet", "8f" * 32, "MIT"),),
    providers=("CPUExecutionProvider",), watchlists=(WatchlistSize("default", 6, 3),),
    cameras=(GATE,), timings=(StageTiming("detect", 1200, 1200, 11.0, 10.0),
                              StageTiming("embed", 40, 40, 2.0, 2.5)),
    alerts=(item(), item(second=9, score=0.8), item("Bob", alert="2", second=1, score=0.9)),
)  # fmt: skip


class Page(HTMLParser):
    """Text, tags and the resources that a browser would load."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.pieces))


def test_a_track_with_two_candidates_counts_as_one_match(tmp_path: Path) -> None:
    # Of ten compared twelve cannot have matched.
    gate = replace(
        GATE, tracks_begun=13, tracks_closed=13, tracks_searched=10, tracks_matched=9, sightings=12,
        tracks_not_searched={NotSearchedReason.TOO_SMALL: 1},
        tracks_lost={LossReason.INTERRUPTED: 1, LossReason.FAILED: 1},
    )  # fmt: skip
    page = Page(write_report(replace(SUMMARY, cameras=(gate,)), tmp_path))
    for part in (
        "13 faces seen", "10 compared", "9 matched", "1 stayed below", "12 matches in all",
        "3 were not: 1 too far away, 1 lost when the run ended, 1 lost to a failure",
    ):  # fmt: skip
        assert part in page.text, part
    figures = json.loads((tmp_path / "report.json").read_text())
    total = figures["total"]
    assert total["tracks_lost"] == {"failed": 1, "interrupted": 1}
    assert (total["tracks_begun"], total["tracks_matched"], total["sightings"]) == (13, 9, 12)


def test_frames_skipped_in_a_pause_are_listed_separately(tmp_path: Path) -> None:
    gate = replace(
        GATE, frames_outside_hours=3, frames_paused=70, tracks_lost={LossReason.PAUSED: 2}
    )
    page = Page(write_report(replace(SUMMARY, cameras=(gate,)), tmp_path))
    assert "3 outside the hours, 70 while the deployment was paused" in page.text
    assert "2 lost when the deployment was paused" in page.text
    assert "70 paused" in page.text
    [camera] = json.loads((tmp_path / "report.json").read_text())["cameras"]
    assert (camera["frames_paused"], camera["tracks_lost"]) == (70, {"paused": 2})


def test_the_funnel_accounts_for_every_track(tmp_path: Path) -> None:
    page = Page(write_report(SUMMARY, tmp_path))
    assert "2 alerts from 40 faces seen at 1 camera" in page.text
    for part in (
        "40 faces seen", "34 compared", "6 were not: 4 too far away, 2 gone too soon",
        "3 matched", "31 stayed below the threshold", "2 alerts", "1 match joined",
        "1,210 frames decoded: 1,200 analysed, 2 skipped by the configured rate, 7 dropped as too",
        "1 unreadable", "3 people with 6 references",
    ):  # fmt: skip
        assert part in page.text, part


def test_the_report_names_the_authority_and_the_configuration(tmp_path: Path) -> None:
    page = Page(write_report(SUMMARY, tmp_path))
    for part in ("Find Ann", "Square", "Act 5", "Chief X", "8f" * 32, "MIT", "c" * 64, "run-1"):
        assert part in page.text, part
    assert "80%" in page.text  # of the CPU time was detection


ROW = DefaultRow(20, 0.47, 3000, 3, 0.0029)


@pytest.mark.parametrize(
    ("threshold", "uncalibrated", "says"),
    [
        (Threshold(0.4, ThresholdOrigin.SET, 3), True, "set in matching.threshold"),
        (Threshold(0.47, ThresholdOrigin.DEFAULT, 3, ROW), True, "model's default for lists of up"),
        (
            Threshold(0.4, ThresholdOrigin.DEFAULT, 3, fitted=False),
            True,
            "not fitted to this model",
        ),
        (
            Threshold(0.4, ThresholdOrigin.CALIBRATED, 3),
            False,
            "calibrated against a list of 3 people",
        ),
    ],
)
def test_the_report_names_the_origin_of_the_threshold(
    tmp_path: Path, threshold: Threshold, uncalibrated: bool, says: str
) -> None:
    page = Page(write_report(replace(SUMMARY, threshold=threshold), tmp_path))
    assert says in page.text
    assert ("model's default" in page.text) is ("model's default" in says)
    assert ("Uncalibrated" in page.text) is uncalibrated
    assert ("false alerts about passers-by" in page.text) is uncalibrated
    figures = json.loads((tmp_path / "report.json").read_text())
    assert (figures["threshold"], figures["calibrated"]) == (threshold.value, not uncalibrated)
    assert figures["threshold_basis"]["origin"] == threshold.origin


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [(2, "1 June 2026 12:00:00 to 14:00:00 UTC"),
     (14, "1 June 2026 12:00:00 to 2 June 2026 02:00:00 UTC")],
)  # fmt: skip
def test_hours_name_the_day_of_their_end_where_it_is_another(
    tmp_path: Path, hours: int, sentence: str
) -> None:
    hours_of_it = replace(SUMMARY.deployment, ends=NOON + timedelta(hours=hours))
    page = Page(write_report(replace(SUMMARY, deployment=hours_of_it), tmp_path))
    assert sentence in page.text


def test_an_alert_is_one_card_however_often_it_was_joined(tmp_path: Path) -> None:
    page = Page(write_report(SUMMARY, tmp_path))
    assert len([tag for tag, _ in page.tags if tag == "article"]) == 2
    assert "2 sightings" in page.text
    assert page.text.index("Ann") < page.text.index("Bob")  # the order of opening
    assert "at risk" in page.text


def test_only_an_impossible_match_is_flagged(tmp_path: Path) -> None:
    for flag, says in (
        (
            ImpossibleMatch(ImpossibleReason.ONE_FRAME, "gate"),
            "another face of the same frame was matched",
        ),
        (
            ImpossibleMatch(ImpossibleReason.TOO_FAR, "<park>", 3.0, 4200),
            "3.0 s after being matched at <park>, 4.2 km",
        ),
        (None, ""),
    ):
        doubtful = item("Cleo", alert="3")
        doubtful = replace(doubtful, event=replace(doubtful.event, impossible=flag))
        both = replace(SUMMARY, alerts=(*SUMMARY.alerts, doubtful))
        page = Page(write_report(both, tmp_path))
        assert page.text.count("Impossible:") == bool(flag)
        assert says in page.text
        told = json.loads((tmp_path / "report.json").read_text())["alerts"]
        assert [one["impossible"]["why"] for one in told if "impossible" in one] == (
            [str(flag.why)] if flag else []
        )


def test_the_report_loads_no_resource_and_runs_no_script(tmp_path: Path) -> None:
    page = Page(write_report(SUMMARY, tmp_path))
    fetched = [attrs.get(name) or "" for _, attrs in page.tags for name in ("src", "href")]
    assert {url for url in fetched if url} == {"annex.html"}  # a link, which nothing follows
    annex = Page(tmp_path / "annex.html")
    fetched = [attrs.get(name) or "" for _, attrs in annex.tags for name in ("src", "href")]
    assert all(url.startswith("data:image/jpeg;base64,") for url in fetched if url)
    assert "default-src 'none'" in annex.source
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in annex.tags}
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "url(" not in page.source
    assert "@import" not in page.source
    assert "default-src 'none'" in page.source


def test_every_picture_has_an_alternative_text(tmp_path: Path) -> None:
    page = Page(write_report(SUMMARY, tmp_path))
    pictures = [attrs for tag, attrs in Page(tmp_path / "annex.html").tags if tag == "img"]
    assert len(pictures) == 6
    assert all(attrs.get("alt") for attrs in pictures)
    assert all(
        attrs.get("aria-label") or attrs.get("aria-hidden") for t, attrs in page.tags if t == "svg"
    )


def test_quoted_text_is_escaped(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>'
    summary = replace(
        SUMMARY,
        deployment=replace(SUMMARY.deployment, name=evil, place=evil),
        cameras=(replace(GATE, camera=evil),),
        problems=(evil,), notes=(evil,), alerts=(item(evil),),
    )  # fmt: skip
    page = Page(write_report(summary, tmp_path))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "script" not in {tag for tag, _ in Page(tmp_path / "annex.html").tags}
    assert page.text.count(evil) >= 5


def test_notes_precede_the_figures_of_the_funnel(tmp_path: Path) -> None:
    page = Page(write_report(replace(SUMMARY, notes=("It proves no accuracy.",)), tmp_path))
    assert page.text.index("It proves no accuracy.") < page.text.index("faces seen not people")


def test_known_truth_is_reported(tmp_path: Path) -> None:
    truth = KnownTruth(passes=9, found=7, strangers=30, wrong=1, missed=("Ann was not found",))
    page = Page(write_report(replace(SUMMARY, truth=truth), tmp_path))
    assert "7 of 9" in page.text
    assert "1 false alert" in page.text
    assert "Ann was not found" in page.text
    assert "Comparison with the truth" not in Page(write_report(SUMMARY, tmp_path)).text


def test_an_erased_picture_is_reported_as_erased(tmp_path: Path) -> None:
    erased = item(picture=b"", missing="Its evidence was erased.")
    page = Page(write_report(replace(SUMMARY, alerts=(erased,)), tmp_path))
    assert "Its evidence was erased." in page.text
    assert "img" not in {tag for tag, _ in page.tags}


def test_a_run_without_frames_has_a_report(tmp_path: Path) -> None:
    empty = replace(SUMMARY, cameras=(), alerts=(), timings=(), watchlists=(), models=())
    page = Page(write_report(empty, tmp_path))
    assert "0 alerts from 0 faces seen at 0 cameras" in page.text
    assert "No frame was analysed" in page.text


def test_other_users_cannot_read_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    page = write_report(SUMMARY, folder)
    assert {p.name for p in folder.iterdir()} == {"report.html", "report.json", "annex.html"}
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    page.chmod(0o644)
    write_report(SUMMARY, folder)
    assert page.stat().st_mode & 0o777 == 0o600


def test_pictures_are_only_in_the_annex_which_both_other_files_name(tmp_path: Path) -> None:
    write_report(SUMMARY, tmp_path)
    annex = tmp_path / "annex.html"
    page, told = Page(tmp_path / "report.html"), json.loads((tmp_path / "report.json").read_text())
    assert "img" not in {tag for tag, _ in page.tags}
    assert "base64" not in page.source
    assert annex.stat().st_mode & 0o777 == 0o600
    sha256 = hashlib.sha256(annex.read_bytes()).hexdigest()
    assert told["annex"] == {"file": "annex.html", "sha256": sha256}
    assert sha256 in page.text
    assert "evidence annex" in Page(annex).text
    assert "people who store a copy must erase it themselves" in Page(annex).text


def test_without_a_picture_no_annex_remains(tmp_path: Path) -> None:
    write_report(SUMMARY, tmp_path)
    page = Page(write_report(replace(SUMMARY, alerts=()), tmp_path))
    assert not (tmp_path / "annex.html").exists()
    assert json.loads((tmp_path / "report.json").read_text())["annex"] is None
    assert "annex" not in page.text


def test_data_erased_since_the_run_are_reported(tmp_path: Path) -> None:
    page = Page(write_report(replace(SUMMARY, erased={"alerts": 2, "entries": 1}), tmp_path))
    assert "2 alerts beyond the retention, 1 expired entry" in page.text
    assert json.loads((tmp_path / "report.json").read_text())["erased"]["alerts"] == 2


def test_the_json_is_canonical_and_contains_no_picture(tmp_path: Path) -> None:
    write_report(SUMMARY, tmp_path)
    content = (tmp_path / "report.json").read_bytes()
    write_report(SUMMARY, tmp_path)
    assert (tmp_path / "report.json").read_bytes() == content
    figures = json.loads(content)
    assert (
        content
        == json.dumps(figures, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert figures["total"]["tracks_closed"] == 40
    assert figures["total"]["tracks_not_searched"] == {"too_small": 4, "too_short": 2}
    assert figures["alerts"][0]["sighting"]["captured_at"] == "2026-06-01T12:00:00.000Z"
    assert sum(figures["cameras"][0]["scores"]) == 34
    assert len(figures["score_edges"]) == SCORE_BINS + 1
    assert set(figures["alerts"][0]["pictures_sha256"]) == {"probe", "reference", "scene"}
    assert b"a picture" not in content
    assert b".0," not in content  # ECMAScript writes 10, not 10.0


def test_the_page_names_the_hash_of_the_json(tmp_path: Path) -> None:
    page = Page(write_report(SUMMARY, tmp_path))
    assert hashlib.sha256((tmp_path / "report.json").read_bytes()).hexdigest() in page.text


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="file/report"):
        write_report(SUMMARY, tmp_path / "file" / "report")


@pytest.mark.parametrize(
    ("highest", "step", "top"),
    [(0, 1, 1), (1, 1, 1), (4, 1, 4), (6, 2, 6), (11, 5, 15), (37, 10, 40), (4321, 1000, 5000)],
)
def test_the_axis_has_few_round_steps(highest: int, step: int, top: int) -> None:
    counts = (highest,) + (0,) * (SCORE_BINS - 1)
    ticks = [int(tick.label) for tick in charts.histogram(counts, 0.4).y_ticks]
    assert ticks == list(range(0, top + 1, step))


def test_bars_are_at_their_scores_and_on_the_right_side() -> None:
    chart = charts.histogram(scores(0.1, 0.1, 0.41), 0.4)
    low, high = chart.bars
    assert low.height == 2 * high.height
    assert (low.reached, high.reached) == (False, True)
    assert low.x + low.width < chart.threshold_x <= high.x
    assert "3 compared passes, 1 of them" in chart.label


def test_control_subjects_have_a_histogram_of_their_own_and_alone_the_only_one():
    camera = CameraCounts("gate", control_scores={164: 1, 16: 3})
    assert [each.id for each in charts.histograms(camera, 0.4)] == ["control-scores"]
    strangers = replace(camera, scores=(0,) * 20 + (5,) + (0,) * 39)
    first, second = charts.histograms(strangers, 0.4)
    assert [each.id for each in (first, second)] == ["scores", "control-scores"]
    assert "5 compared passes, 0 of them" in first.histogram.label
    assert "4 compared passes, 1 of them" in second.histogram.label
    assert [each.id for each in charts.histograms(CameraCounts("gate"), 0.4)] == ["scores"]
