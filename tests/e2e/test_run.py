"""`openlfr run`: faces in a video raise alerts, and no data of strangers remain."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from small_street import EXPIRES, FILMED, Place, camera

from awaiting import PATIENCE_S, await_that
from openlfr import bootstrap, settings
from openlfr.cli import main
from openlfr.operations.evidence import PREFIX, decode, evidence_name, render_scene
from openlfr.stages.obscure import FACE_CELLS

KEYS = [
    "event", "event_id", "alert_id", "subject", "camera", "frame_index", "captured_at",
    "emitted_at", "box", "score", "threshold", "quality", "time_assumed",
]  # fmt: skip


RECOMPUTE = Path(__file__).resolve().parents[2] / "examples/recompute_report.py"


def openlfr(place, *args):
    return subprocess.run(
        [sys.executable, "-m", "openlfr", *map(str, args)],
        cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def without_emission(lines):
    return [{key: value for key, value in line.items() if key != "emitted_at"} for line in lines]


def moment(text):
    return datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, street, enrolled, model_store):
    """A run over the whole street, with all its files."""
    place = Place(tmp_path_factory.mktemp("finished"), model_store.folder, street.video)
    shutil.copytree(enrolled, place.data)
    place.ended = openlfr(
        place, "run", "CONFIG.yaml", "--as-fast-as-possible", "--alerts", "alerts.jsonl",
        "--report", "report",
    )  # fmt: skip
    return place


def test_every_pass_of_a_listed_person_is_found_and_no_stranger(finished, street):
    assert finished.ended.returncode == 0, finished.ended.stderr
    lines = finished.lines()
    assert [street.person_at(line) for line in lines] == [line["subject"] for line in lines]
    assert {line["subject"] for line in lines} == street.listed
    assert len(lines) > len(street.listed)  # somebody is seen again after an occlusion
    opened = [line["subject"] for line in lines if line["event"] == "opened"]
    assert sorted(opened) == sorted(street.listed)


def test_the_report_from_the_records_has_the_counts_of_the_run_report(finished):
    printed = openlfr(
        finished, "report", "Market", "--out", "again", "--csv", "market.csv", "--json"
    )
    assert printed.returncode == 0, printed.stderr
    recomputed = subprocess.run(
        [sys.executable, RECOMPUTE, "again/report.json", "market.csv"],
        cwd=finished.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert recomputed.stdout == "Every recomputed figure agrees.\n", recomputed
    run = json.loads((finished.folder / "report/report.json").read_text())
    again = json.loads((finished.folder / "again/report.json").read_text())
    del again["annex"]
    assert json.loads(printed.stdout) == again
    for each in (*run["cameras"], *again["cameras"]):
        del each["frame_size"]  # tallies do not contain it
    for name in (
        "cameras", "total", "baselines", "pools", "threshold", "watchlists", "models",
        "deployment", "config_hash", "software", "problems", "results", "false_alerts",
    ):  # fmt: skip
        assert run[name] == again[name], name
    for one, other in zip(run["alerts"], again["alerts"], strict=True):
        assert one.pop("pictures_sha256")
        assert other.pop("pictures_sha256") == {}
        assert one == other
    assert again["timings"] == []
    assert not (finished.folder / "again/annex.html").exists()


def test_a_line_has_the_documented_keys(finished):
    for line in finished.lines():
        assert list(line) == KEYS
        assert line["event"] in ("opened", "joined")
        assert line["camera"] == "gate"
        at = FILMED + timedelta(seconds=line["frame_index"] / 10)
        assert moment(line["captured_at"]) == at
        assert moment(line["emitted_at"]).utcoffset() == timedelta(0)
        x, y, w, h = line["box"]
        assert 0 <= x < x + w <= 960
        assert 0 <= y < y + h <= 540
        assert line["threshold"] <= line["score"] <= 1
        assert 0 < line["quality"] <= 100


def test_the_run_prints_a_summary(finished):
    assert finished.ended.stdout == ""
    output = finished.ended.stderr.splitlines()
    assert len([line for line in output if " OPENED " in line]) == 2
    assert any(
        re.search(r"60 frames of 1 camera .*compared with 2 listed people", s) for s in output
    )
    assert "problem" not in finished.ended.stderr


def test_the_report_agrees_with_the_lines(finished):
    report = json.loads((finished.folder / "report" / "report.json").read_text())
    (counts,) = report["cameras"]
    lines = finished.lines()
    assert counts["frames_decoded"] == counts["frames_analysed"] == 60
    assert counts["alerts_opened"] == sum(line["event"] == "opened" for line in lines)
    assert counts["alerts_joined"] == sum(line["event"] == "joined" for line in lines)
    assert counts["sightings"] == len(lines)
    assert sum(counts["scores"]) == counts["tracks_searched"]
    skipped = sum(counts["tracks_not_searched"].values())
    assert counts["tracks_closed"] == counts["tracks_searched"] + skipped
    assert counts["tracks_searched"] >= 6  # everybody passed
    assert report["problems"] == []
    assert "sources ended" in json.dumps(report)


def test_no_server_remains_and_only_the_owner_can_read_the_files(finished):
    assert finished.servers() == []
    assert (finished.data / "vault.key").stat().st_mode & 0o777 == 0o600
    inside = [path for path in finished.data.iterdir() if path.is_dir()]
    assert sorted(path.name for path in inside) == ["milvus", "redis", "vault"]
    files = [finished.data / "openlfr.db", finished.folder / "alerts.jsonl"]
    files += (finished.folder / "report").iterdir()
    for path in (finished.data, *inside, *files):
        assert path.stat().st_mode & 0o077 == 0, path


def opened_evidence(place):
    """Return every stored piece of evidence with its alert line."""
    vault = bootstrap.open_vault(settings.load(place.config))
    with closing(bootstrap.open_records(settings.load(place.config))) as records:
        events = records.alerts.events_of_run("Market", 1)
    by_id = {line["event_id"]: line for line in place.lines()}
    kept = {evidence_name(e.event.sighting.sighting_id): by_id[e.event.event_id] for e in events}
    assert vault.names(PREFIX) == sorted(kept)
    return [(line, decode(vault.get(name))) for name, line in kept.items()]


def steps_across(picture, axis):
    """Return the largest number of different squares along an axis of a picture."""
    changes = (np.diff(picture.astype(int), axis=axis) != 0).any(axis=(1 - axis, 2))
    return int(changes.sum()) + 1


def test_no_other_face_is_visible_in_the_evidence(finished, street):
    evidence = opened_evidence(finished)
    assert len(evidence) == len(finished.lines())
    looked_at = 0
    for line, kept in evidence:
        picture = render_scene(kept)
        x, y, w, h = (int(value) for value in kept.box)
        clear = np.zeros(picture.shape[:2], bool)
        clear[max(y - 3, 0) : y + h + 3, max(x - 3, 0) : x + w + 3] = True  # with its thin frame
        for face in street.faces[line["frame_index"]]:
            left, top, side, _ = face["box"]
            rows = slice(max(int(top), 0), max(int(top + side), 0))
            columns = slice(max(int(left), 0), max(int(left + side), 0))
            outside = ~clear[rows, columns]
            if face["id"] == line["subject"] or not outside.any():
                continue
            looked_at += 1
            part = picture[rows, columns]
            # Look at whole rows and whole columns that the alerted face does not touch.
            if outside.all(axis=1).any():
                assert steps_across(part[outside.all(axis=1)], 1) <= FACE_CELLS + 1
            if outside.all(axis=0).any():
                assert steps_across(part[:, outside.all(axis=0)], 0) <= FACE_CELLS + 1
    assert looked_at >= 8


def test_the_report_shows_no_other_face_either(finished):
    page = (finished.folder / "report" / "annex.html").read_text()
    pictures = [
        cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    ]
    scenes = [picture for picture in pictures if picture.shape[:2] == (540, 960)]
    expected = [render_scene(kept) for _, kept in opened_evidence(finished)]
    assert len(scenes) == 2  # of each alert
    for scene in scenes:  # the same pictures, but for JPEG's losses
        assert min(np.abs(scene.astype(int) - other).mean() for other in expected) < 4
    # Faces of up to 160 pixels, with a quarter more on each side.
    assert all(max(p.shape[:2]) <= 240 for p in pictures if p.shape[:2] != (540, 960))


def test_no_file_contains_data_of_a_stranger(finished):
    vault = finished.data / "vault"
    assert len(list((vault / "references").iterdir())) == 2
    for path in finished.folder.rglob("*"):
        if path.is_file() and path.name != "annex.html":
            content = path.read_bytes()
            assert b"\xff\xd8\xff" not in content, path  # JPEG
            assert b"\x89PNG" not in content, path
    list_facts = settings.load(finished.config)
    embedder = bootstrap.load_embedder(list_facts)
    with closing(bootstrap.open_templates(list_facts, embedder.facts)) as templates:
        assert len(templates.all(["default"])) == 2


def test_the_same_input_yields_the_same_lines_and_only_json_is_printed(place, finished):
    ended = openlfr(place, "run", "CONFIG.yaml", "--as-fast-as-possible", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert without_emission(lines) == without_emission(finished.lines())


def test_cameras_fold_into_one_alert_and_quiet_prints_nothing(place, street, capfd):
    place.configure(
        gate=camera(street.video, extra=", position: [52.5163, 13.3777]"),
        door=camera(
            street.video,
            start=FILMED + timedelta(seconds=5),
            extra=", position: [52.5523, 13.3777]",
        ),
    )
    alerts = place.folder / "alerts.jsonl"
    args = ["--as-fast-as-possible", "--quiet", "--alerts", str(alerts)]
    assert main(["run", str(place.config), *args]) == 0
    assert capfd.readouterr() == ("", "")
    lines = place.lines()
    assert {(line["subject"], line["camera"]) for line in lines} == {
        (subject, name) for subject in street.listed for name in ("gate", "door")
    }
    for subject in street.listed:
        mine = [line for line in lines if line["subject"] == subject]
        assert len({line["alert_id"] for line in mine}) == 1
        assert [line["event"] for line in mine] == ["opened"] + ["joined"] * (len(mine) - 1)
        assert mine[0]["camera"] == "gate"  # the first capture, whichever frame was decoded first
        # 4 km from there, 5 s later: each change of place is flagged, nothing else is.
        moved = [b["event_id"] for a, b in pairwise(mine) if a["camera"] != b["camera"]]
        assert moved
        flagged = {line["event_id"]: line["impossible"] for line in mine if "impossible" in line}
        assert sorted(flagged) == sorted(moved)
        first = flagged[moved[0]]
        assert (first["why"], first["camera"], first["metres"]) == ("too_far", "gate", 4003)
        assert 0 < first["seconds"] <= 6


def test_outside_its_hours_no_frame_is_analysed_and_every_frame_is_counted(place, street):
    place.configure(ends="2026-11-23T09:00:02Z", gate=camera(street.video, extra=", fps: 5"))
    report = place.folder / "report"
    alerts = place.folder / "alerts.jsonl"
    args = ["--as-fast-as-possible", "--quiet", "--alerts", str(alerts), "--report", str(report)]
    assert main(["run", str(place.config), *args]) == 0
    (counts,) = json.loads((report / "report.json").read_text())["cameras"]
    names = ("decoded", "sampled_away", "outside_hours", "analysed", "unreadable", "dropped_late")
    assert [counts[f"frames_{name}"] for name in names] == [60, 30, 20, 10, 0, 0]
    assert {line["subject"] for line in place.lines()} == {"player-6"}
    assert all(
        moment(line["captured_at"]) < FILMED + timedelta(seconds=2) for line in place.lines()
    )


def test_late_frames_are_dropped_and_counted(place, street, capfd):
    pictures = place.folder / "pictures"
    pictures.mkdir()
    with av.open(str(street.video)) as film:
        for n, frame in enumerate(film.decode(video=0)):
            cv2.imwrite(str(pictures / f"{n}.jpg"), frame.to_ndarray(format="bgr24"))
    # Sixty pictures are due within a tenth of a second and may not wait, so that some are late.
    place.configure(gate=camera(pictures, extra=", fps: 600"))
    place.config.write_text(place.config.read_text().replace("max_age: off", "max_age: 1ms"))
    report = place.folder / "report"
    assert main(["run", str(place.config), "--report", str(report)]) == 0
    (counts,) = json.loads((report / "report.json").read_text())["cameras"]
    assert counts["frames_dropped_late"] > 0
    assert counts["frames_dropped_late"] + counts["frames_analysed"] == 60
    assert f"{counts['frames_dropped_late']} dropped as too late" in capfd.readouterr().err


def test_an_entry_that_had_expired_when_the_face_was_captured_does_not_match(place, street):
    expires = moment(EXPIRES)
    start = expires - timedelta(seconds=2)
    place.configure(gate=camera(street.video, start=start))
    alerts = place.folder / "alerts.jsonl"
    args = ["--as-fast-as-possible", "--quiet", "--alerts", str(alerts)]
    assert main(["run", str(place.config), *args]) == 0
    assert [line["subject"] for line in place.lines()] == ["player-6"]
    assert moment(place.lines()[0]["captured_at"]) <= expires


@pytest.fixture
def endless_camera(tmp_path, street):
    """Three seconds in which both listed people pass, repeated like a live camera."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with av.open(str(street.video)) as film:
        for n, frame in enumerate(film.decode(video=0)):
            if 18 <= n < 48:
                cv2.imwrite(str(folder / f"{n}.jpg"), frame.to_ndarray(format="bgr24"))
    return camera(folder, start=None, extra=", fps: 10, loop: true")


IN_FORCE = timedelta(seconds=60)
"""A loose bound: `embedded/watchlist_updater.py` looks twice a second, if it gets a processor."""


def test_the_watchlist_changes_during_a_run(bare_place, street, endless_camera, capsys):
    place = bare_place
    place.configure(gate=endless_camera)
    command = ["run", "CONFIG.yaml", "--quiet", "--alerts", "alerts.jsonl"]

    def emitted(subject):
        lines = place.lines(at_work=True)
        return [moment(line["emitted_at"]) for line in lines if line["subject"] == subject]

    def await_absence(gone, other):
        """Wait until `other`, who passes as often as `gone`, has been seen three times since."""

        def times():
            return sum(at > max(emitted(gone)) for at in emitted(other))

        await_that(f"absence of {gone}", lambda: times() >= 3, seen=times, alive=[run])

    def change(*args):
        assert main(["watchlist", *args, "--config", str(place.config)]) == 0
        return datetime.now(UTC)

    with subprocess.Popen(
        [sys.executable, "-m", "openlfr", *command], cwd=place.folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        try:
            assert run.stderr.readline().startswith("problem: Nobody is listed")
            assert place.lines() == []
            change("import", str(street.manifest))
            assert capsys.readouterr().out.count("accepted") == 3  # two rows and their sum
            await_that(
                "everybody", lambda: all(emitted(name) for name in street.listed), alive=[run]
            )

            suspended = change("suspend", "player-3")
            await_absence("player-3", "player-6")
            last = max(emitted("player-3"))
            removed = change("remove", "player-6", "--by", "Otto Officer")
            change("resume", "player-3", "--by", "Otto Officer")
            await_absence("player-6", "player-3")
        finally:
            run.send_signal(signal.SIGINT)
            output = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130, output
    assert output[1].startswith("problem: Nobody was listed when the run began")
    assert output[1].count("\n") == 1
    assert last < suspended + IN_FORCE
    assert [at for at in emitted("player-3") if last < at < removed] == []
    assert max(emitted("player-6")) < removed + IN_FORCE
    assert place.servers() == []
    assert len(list((place.data / "vault" / "references").iterdir())) == 1


def copy_of(finished, tmp_path):
    """Return a copy of a run's files, as if it had been written here."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    place = Place(tmp_path / "copy", finished.models, finished.video)
    with closing(sqlite3.connect(place.data / "openlfr.db")) as records, records:
        [written] = records.execute("SELECT alerts_path, report_path FROM runs").fetchall()
        assert written == (f"{finished.folder}/alerts.jsonl", f"{finished.folder}/report")
        here = (f"{place.folder}/alerts.jsonl", f"{place.folder}/report")
        records.execute("UPDATE runs SET alerts_path = ?, report_path = ?", here)
    return place


def test_a_sealed_face_is_in_no_file_of_the_run(finished, tmp_path):
    place = copy_of(finished, tmp_path)
    place.configure()
    alert, *others = dict.fromkeys(line["alert_id"] for line in place.lines())
    annex = place.folder / "report" / "annex.html"
    before = annex.read_text()
    assert before.count(f'id="{alert}"') == 1
    for words in (("decide", alert, "engage"), ("outcome", alert, "refuted")):
        ended = openlfr(place, "alerts", *words, "--by", "Op", "--config", "CONFIG.yaml")
        assert ended.returncode == 0, ended.stderr
    after = annex.read_text()
    card = re.search(f"<!-- alert {alert} -->.*?<!-- /alert -->", before, re.DOTALL)[0]
    pictures = re.findall('data:image/jpeg;base64,[^"]+', card)
    assert len(pictures) == 3
    probe, _, scene = pictures
    assert not any(each in after for each in (probe, scene))
    assert f"<code>{alert}</code> The pictures are sealed" in after
    assert all(f'id="{each}"' in after for each in others)
    data = (place.folder / "report" / "report.json").read_bytes()
    assert json.loads(data)["annex"]["sha256"] == hashlib.sha256(annex.read_bytes()).hexdigest()


def test_a_rejected_alert_is_erased_from_every_file_of_the_run(finished, tmp_path):
    place = copy_of(finished, tmp_path)
    place.configure("alerting: {undo: 1ms, settle: 1ms}\n")
    subject = next(line["subject"] for line in place.lines())
    [alert] = {line["alert_id"] for line in place.lines() if line["subject"] == subject}

    def holders():
        files = [place.folder / "alerts.jsonl", *(place.folder / "report").iterdir()]
        files += [path for path in (place.data / "redis").rglob("*") if path.is_file()]
        return sorted(path.name for path in files if subject.encode() in path.read_bytes())

    assert {"alerts.jsonl", "annex.html", "report.html", "report.json"} < set(holders())
    kept = len(list((place.data / "vault" / "evidence").iterdir()))
    left = ("decide", alert, "do_not_engage", "--by", "Op")
    ended = openlfr(place, "alerts", *left, "--config", "CONFIG.yaml")
    assert ended.returncode == 0, ended.stderr
    ended = openlfr(place, "alerts", "list", "--config", "CONFIG.yaml")
    assert "1 alert about somebody else" in ended.stderr
    assert holders() == []
    assert len(list((place.data / "vault" / "evidence").iterdir())) < kept
    assert len(place.lines()) == len(finished.lines())
    others = [line for line in place.lines() if "erased" not in line]
    assert others == [line for line in finished.lines() if line["alert_id"] != alert]
