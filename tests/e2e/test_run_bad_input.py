"""Bad input to `openlfr run`: one clear sentence, the right exit code, and the rest continues."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing

import av
import cv2
import pytest
from filelock import FileLock
from small_street import FILMED, camera

from awaiting import PATIENCE_S
from openlfr import bootstrap, settings
from openlfr.cli import main


@pytest.fixture
def run(capfd):
    """Return a function that runs in a place, and returns the exit code and stderr's lines."""

    def run(place, *args):
        report = place.folder / "report"
        alerts = place.folder / "alerts.jsonl"
        command = ["run", str(place.config), "--as-fast-as-possible", "--quiet"]
        command += ["--alerts", str(alerts), "--report", str(report), *args]
        capfd.readouterr()
        code = main(command)
        messages = capfd.readouterr()
        assert messages.out == ""
        assert place.servers() == []
        return code, messages.err.splitlines()

    return run


def counts_of(place):
    cameras = json.loads((place.folder / "report" / "report.json").read_text())["cameras"]
    return {counts["camera"]: counts for counts in cameras}


def subjects(place):
    return {(line["camera"], line["subject"]) for line in place.lines()}


def missing(folder, street):
    return folder / "nope.mp4"


def empty_file(folder, street):
    (folder / "video.mp4").touch()
    return folder / "video.mp4"


def text(folder, street):
    (folder / "video.mp4").write_text("Dear diary,\n" * 100)
    return folder / "video.mp4"


def beginning(folder, street):
    """Write the first part of an MP4 file, which lacks the table of its frames."""
    with av.open(str(street.video)) as film, av.open(str(folder / "plain.mp4"), "w") as plain:
        stream = plain.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                plain.mux(packet)
    whole = (folder / "plain.mp4").read_bytes()
    (folder / "video.mp4").write_bytes(whole[: len(whole) // 2])
    return folder / "video.mp4"


def empty_folder(folder, street):
    (folder / "pictures").mkdir()
    return folder / "pictures"


BAD_SOURCES = [
    (missing, "nope.mp4 does not exist"),
    (empty_file, r"video.mp4 is empty \(0 bytes\)"),
    (text, "video.mp4 (contains no video|cannot be read as a video: .*)"),
    (beginning, "video.mp4 cannot be read as a video: .*"),
    (empty_folder, "pictures contains no JPEG or PNG picture"),
]


@pytest.mark.parametrize(("make", "sentence"), BAD_SOURCES)
def test_a_camera_that_cannot_be_opened_is_one_sentence(bare_place, street, run, make, sentence):
    bare_place.configure(gate=camera(make(bare_place.folder, street)))
    code, messages = run(bare_place)
    assert code == 2
    assert len(messages) == 1
    assert re.fullmatch(f"error: camera gate: .*{sentence}", messages[0])


def test_a_start_that_fails_leaves_the_unfinished_run_to_be_resumed(place, street, run):
    first = place.config.read_text()
    with closing(bootstrap.open_records(settings.load(place.config))) as records:
        unfinished = records.runs.plan("Market", "0" * 64, at=FILMED)
        records.runs.start(unfinished)
        place.configure(gate=camera("nope.mp4"))
        assert run(place)[0] == 2
        place.config.write_text(first)
        code, (message,) = run(place, "--resume")  # finds the unfinished run with other settings
        assert code == 2
        assert message.startswith(f"error: The unfinished run of {FILMED:%Y-%m-%d %H:%M} was made")
        assert records.runs.find_unfinished("Market") == unfinished


def test_the_other_cameras_continue(place, street, run):
    place.configure(gate=camera("nope.mp4"), door=camera(street.video))
    code, messages = run(place)
    assert code == 1
    assert messages == [f"problem: camera gate: {place.folder}/nope.mp4 does not exist"]
    assert subjects(place) == {("door", subject) for subject in street.listed}
    assert counts_of(place)["gate"]["frames_decoded"] == 0


def cut_off(folder, street, keep=0.5):
    """A truncated video file, in a format that can be read up to its end."""
    path = folder / "cut [1].mkv"
    with av.open(str(street.video)) as film, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    return path


def test_the_frames_before_the_break_of_a_video_are_analysed(place, street, run):
    path = cut_off(place.folder, street)
    place.configure(gate=camera(path))
    code, messages = run(place)
    assert code == 1
    (problem,) = messages
    last = counts_of(place)["gate"]["frames_analysed"] - 1
    assert 10 < last < 50
    assert problem.startswith(f"problem: camera gate: {path} breaks off after frame {last}")
    assert ("gate", "player-6") in subjects(place)
    assert max(line["frame_index"] for line in place.lines()) <= last
    assert run(place, "--resume")[0] == 1  # the first run was finished, so this is a new run


def test_a_corrupt_picture_in_a_folder_is_skipped_and_keeps_its_number(place, street, run):
    pictures = place.folder / "pictures"
    pictures.mkdir()
    with av.open(str(street.video)) as film:
        for n, frame in enumerate(film.decode(video=0)):
            cv2.imwrite(str(pictures / f"{n}.jpg"), frame.to_ndarray(format="bgr24"))
    (pictures / "1.jpg").write_bytes(b"\xff\xd8\xff broken")
    place.configure(gate=camera(pictures, extra=", fps: 10"))
    code, messages = run(place)
    assert code == 1
    (problem,) = messages
    assert problem.startswith(f"problem: camera gate: {pictures}/1.jpg is not a readable picture")
    counts = counts_of(place)["gate"]
    assert (counts["frames_decoded"], counts["frames_analysed"]) == (60, 59)
    assert (counts["frames_unreadable"], counts["frames_sampled_away"]) == (1, 0)
    assert subjects(place) == {("gate", subject) for subject in street.listed}
    assert 1 not in {line["frame_index"] for line in place.lines()}
    for line in place.lines():
        assert street.person_at(line) == line["subject"]


def test_an_unknown_key_is_reported_with_its_line(bare_place, run):
    text = bare_place.config.read_text()
    bare_place.config.write_text(text.replace("max_age: off", "max_agee: off"))
    line = text.splitlines().index("max_age: off") + 1
    code, (sentence,) = run(bare_place)
    assert code == 2
    assert f"CONFIG.yaml line {line}: unknown key 'max_agee'" in sentence
    assert "did you mean 'max_age'" in sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  authorised_by: Inspector Otto\n", "", "deployment.authorised_by is missing"),
        ("  purpose: To find two people\n  place: The market square\n", "",
         "deployment.purpose and deployment.place are missing"),
        ("ends: 2199-01-01T00:00Z", "ends: 2019-01-01T00:00Z", "must end after it starts"),
    ],
)  # fmt: skip
def test_without_a_complete_authorisation_no_camera_opens(bare_place, run, old, new, sentence):
    text = bare_place.config.read_text()
    assert old in text
    bare_place.config.write_text(text.replace(old, new).replace(str(bare_place.video), "nope.mp4"))
    code, (message,) = run(bare_place)
    assert code == 2
    assert sentence in message
    assert "nope.mp4" not in message
    assert not bare_place.data.exists()


@pytest.mark.parametrize(
    "hours",
    [
        {"ends": "2026-11-23T09:00:00Z"},
        {"starts": "2026-11-23T09:00:06Z"},
        {"ends": "2026-11-22T09:00:00Z"},
    ],
)
def test_a_file_wholly_outside_the_hours_is_refused(place, run, hours):
    place.configure(**hours)
    code, (message,) = run(place)
    assert code == 2
    assert message.startswith(
        "error: not authorised: camera gate was filmed from 2026-11-23 09:00:00"
    )
    assert "outside the deployment's hours" in message
    assert place.lines() == [] if (place.folder / "alerts.jsonl").exists() else True


def test_an_altered_model_is_not_loaded(place, run, tmp_path, model_store):
    models = tmp_path / "models"
    shutil.copytree(model_store.folder, models)
    (model,) = models.glob("face_recognition_sface_2021dec.onnx")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    place.config.write_text(place.config.read_text().replace(str(place.models), str(models)))
    code, (message,) = run(place)
    assert code == 2
    assert "sface" in message
    assert "sha256" in message or "hash" in message


def test_missing_models_yield_the_command_that_installs_them(place, run, tmp_path):
    config = place.config.read_text()
    place.config.write_text(config.replace(str(place.models), str(tmp_path / "none")))
    code, (message,) = run(place)
    assert code == 2
    assert "openlfr models install" in message


def test_an_empty_watchlist_is_reported_and_people_are_counted(bare_place, run):
    code, (message,) = run(bare_place)
    assert code == 1
    assert message.startswith("problem: Nobody is listed")
    counts = counts_of(bare_place)["gate"]
    assert counts["frames_analysed"] == 60
    assert counts["tracks_closed"] >= 6
    assert bare_place.lines() == []


def test_a_second_run_in_one_data_folder_is_refused(place, run):
    with FileLock(place.data / "run.lock"):
        code, (message,) = run(place)
    assert code == 2
    assert message.startswith(f"error: Another run is active in {place.data}")


@pytest.mark.parametrize(("option", "name"), [("--alerts", "a.jsonl"), ("--report", "report")])
def test_an_unwritable_place_is_reported_at_the_start(place, run, option, name):
    (place.folder / "file").write_text("")
    code, (message,) = run(place, option, str(place.folder / "file" / name))
    assert code == 2
    assert "cannot be written" in message
    assert str(place.folder / "file" / name) in message


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["run"], "missing argument 'CONFIG'"),
        (["run", "nope.yaml"], "nope.yaml"),
        (["run", "CONFIG.yaml", "--quiet", "--json"], "--quiet and --json exclude each other"),
        (["run", "CONFIG.yaml", "--alerts", "."], "is a directory"),
    ],
)
def test_wrong_use_is_one_sentence(bare_place, monkeypatch, capfd, args, sentence):
    monkeypatch.chdir(bare_place.folder)
    assert main(args) == 2
    (message,) = capfd.readouterr().err.splitlines()
    assert sentence in message


def test_a_configuration_without_cameras_is_reported(bare_place, run):
    text = bare_place.config.read_text()
    start, end = text.index("cameras:"), text.index("models:")
    bare_place.config.write_text(text[:start] + text[end:])
    code, (message,) = run(bare_place)
    assert code == 2
    assert "has no camera" in message


# A run that can write no more from its first sighting on: every file that it would let grow is
# refused, as on a full disk or quota; the server of the alert book, started before, is not.
FULL = """
import resource, signal, sys
from openlfr.cli import main
from openlfr.embedded.desk import AlertDesk

original = AlertDesk.raise_alert

def raise_alert(self, sighted):
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
    return original(self, sighted)

AlertDesk.raise_alert = raise_alert
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_that_cannot_write_ends_and_resume_completes_it(place, run, street):
    command = ["run", "CONFIG.yaml", "--as-fast-as-possible", "--quiet"]
    command += ["--alerts", "alerts.jsonl", "--report", "report"]
    ended = subprocess.run(
        [sys.executable, "-c", FULL, *command], cwd=place.folder,
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (3, ""), ended.stderr
    (message,) = ended.stderr.splitlines()
    assert os.strerror(errno.EFBIG) in message or "disk" in message
    assert place.servers() == []
    before = place.lines()
    assert run(place, "--resume") == (0, [])
    assert place.lines()[: len(before)] == before
    assert subjects(place) == {("gate", subject) for subject in street.listed}
    ids = [line["event_id"] for line in place.lines()]
    assert len(ids) == len(set(ids)) == counts_of(place)["gate"]["sightings"]


@pytest.mark.service
@pytest.mark.parametrize("room", [0, 40, 80, 120])
def test_on_a_full_disk_the_run_ends_and_resume_completes_it(
    bare_place, enrolled, street, run, room
):
    """The test needs the right to mount a small file system."""
    place = bare_place
    place.data.mkdir()
    size = sum(path.stat().st_size for path in enrolled.rglob("*")) // 1024 + 1500
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(place.data)]
    subprocess.run(mount, check=True)
    try:
        shutil.copytree(enrolled, place.data, dirs_exist_ok=True)
        place.data.chmod(0o700)
        ballast = place.data / "ballast"
        free = shutil.disk_usage(place.data).free
        ballast.write_bytes(b"\0" * (free - room * 1024))
        code, (message,) = run(place)
        assert code == 3
        assert re.search(r"disk is full|[Nn]o space", message)
        ballast.unlink()
        assert run(place, "--resume") == (0, [])
        assert subjects(place) == {("gate", subject) for subject in street.listed}
        ids = [line["event_id"] for line in place.lines()]
        assert len(ids) == len(set(ids)) == counts_of(place)["gate"]["sightings"]
    finally:
        for process in place.servers():
            process.kill()
            process.wait(PATIENCE_S)
        subprocess.run(["umount", str(place.data)], check=True)
