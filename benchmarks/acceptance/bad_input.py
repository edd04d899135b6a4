"""Bad input: one clear sentence, the right exit code, and the rest goes on."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
from benchmarks.acceptance.findings import OPENLFR, Bench, Check, Findings, openlfr
from benchmarks.acceptance.streets import EASY, prepare, street, write_config

from openlfr.bootstrap import find_model_folder

if TYPE_CHECKING:
    from pathlib import Path

SEED = 6
FIRST, FRAMES = 70, 50  # in which listed people pass
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str
    alerts: int


class Bench6:
    """A prepared data folder, copied afresh for each case, and one good clip."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.folder = bench.work / "bad-input"
        self.made = street(bench, EASY, SEED)
        self.video = self.made / "video.mp4"
        self.base = self.folder / "base"
        prepare(bench, self.base, self.made, {})
        self.clip = self.folder / "clip"
        self._cut()

    def _cut(self) -> None:
        """Some frames of the street as a folder of JPEGs: a second camera that always works."""
        shutil.rmtree(self.clip, ignore_errors=True)
        self.clip.mkdir(parents=True)
        capture = cv2.VideoCapture(str(self.video))
        for number in range(FIRST + FRAMES):
            ok, image = capture.read()
            if not ok:
                break
            if number < FIRST:
                continue
            cv2.imwrite(str(self.clip / f"{number:06}.jpg"), image)
        capture.release()

    def case(self, name: str) -> Path:
        """A data folder of its own."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.base, folder)
        return folder

    def run(self, folder: Path, alerts: Path | None = None, **env: str) -> Result:
        """Run the configuration of a case."""
        alerts = alerts or folder / "alerts.jsonl"
        done = openlfr(
            "run", folder / "CONFIG.yaml", "--alerts", alerts, "--as-fast-as-possible", "--quiet",
            expect=None, timeout=600, **env,
        )  # fmt: skip
        lines = len(alerts.read_text().splitlines()) if alerts.is_file() else 0
        return Result(done.returncode, done.stdout, done.stderr, lines)


def check(name: str, result: Result, code: int, pattern: str, also: str = "", *more: bool) -> Check:
    """Right code, a sentence that says it, no traceback, and whatever else was asked for."""
    said = result.err + result.out
    good = result.code == code and re.search(pattern, said) is not None and TRACEBACK not in said
    lines = [line for line in result.err.strip().splitlines() if line.strip()]
    sentence = next((line for line in lines if re.search(pattern, line)), " / ".join(lines)[:300])
    bar = f"exit {code}, says /{pattern}/" + (f", {also}" if also else "")
    value = f"exit {result.code}: {sentence.strip()[:300]}"
    return Check(name, value, bar, good and all(more))


def videos(own: Bench6) -> list[Check]:
    """Missing, empty and truncated videos beside a camera that works."""
    checks = []
    content = own.video.read_bytes()
    for name, data in (
        ("missing", None),
        ("zero-byte", b""),
        ("truncated", content[: len(content) * 6 // 10]),
    ):
        folder = own.case(f"{name}-video")
        broken = folder / "broken.mp4"
        if data is not None:
            broken.write_bytes(data)
        cameras = {"broken": {"url": str(broken), "input_size": [1280, 736]},
                   "good": {"url": str(own.clip), "fps": 10}}  # fmt: skip
        write_config(folder / "CONFIG.yaml", cameras)
        result = own.run(folder)
        seen = alerts_by_camera(folder)
        goes_on = [seen.get("good", 0) > 0]
        if name == "truncated":
            goes_on.append(seen.get("broken", 0) > 0)
        checks.append(
            check(
                f"{name} video beside a good camera",
                result,
                1,
                "broken",
                "the rest goes on",
                *goes_on,
            )
        )
        if name != "truncated":
            del cameras["good"]
            write_config(folder / "CONFIG.yaml", cameras)
            checks.append(check(f"{name} video alone", own.run(folder), 2, "broken"))
    return checks


def alerts_by_camera(folder: Path) -> dict[str, int]:
    """How many lines each camera gave."""
    seen: dict[str, int] = {}
    path = folder / "alerts.jsonl"
    for line in path.read_text().splitlines() if path.is_file() else ():
        camera = json.loads(line)["camera"]
        seen[camera] = seen.get(camera, 0) + 1
    return seen


def corrupt_picture(own: Bench6) -> Check:
    """A corrupt JPEG in a folder is told and counted; the pictures after it are looked at."""
    folder = own.case("corrupt-jpeg")
    pictures = folder / "pictures"
    shutil.copytree(own.clip, pictures)
    (pictures / f"{FIRST + 2:06}.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    write_config(folder / "CONFIG.yaml", {"folder": {"url": str(pictures), "fps": 10}})
    result = own.run(folder)
    return check(
        "corrupt JPEG in a folder",
        result,
        1,
        rf"{FIRST + 2:06}\.jpg",
        "the rest goes on",
        result.alerts > 0,
    )


def configurations(own: Bench6) -> list[Check]:
    """Unknown key, no authorisation, wrong model."""
    unknown = own.case("unknown-key")
    config = unknown / "CONFIG.yaml"
    text = config.read_text().replace('"cameras"', '"fsp": 3,\n  "cameras"')
    config.write_text(text)
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "fsp" in each)
    checks = [check("unknown config key", own.run(unknown), 2, rf"line {line}: .*fsp")]

    unauthorised = own.case("no-authorisation")
    config = unauthorised / "CONFIG.yaml"
    values = json.loads(config.read_text())
    values["deployment"].pop("authorised_by")
    config.write_text(json.dumps(values))
    result = own.run(unauthorised)
    checks.append(
        check("no authorisation", result, 2, r"authorised_by", "no alert", result.alerts == 0)
    )

    wrong = own.case("wrong-model")
    models = wrong / "models"
    shutil.copytree(find_model_folder(), models)
    for graph in models.glob("face_recognition_sface_2021dec.onnx"):
        content = bytearray(graph.read_bytes())
        content[len(content) // 2] ^= 1
        graph.write_bytes(content)
    result = own.run(wrong, OPENLFR_MODELS=str(models))
    checks.append(
        check("wrong model hash", result, 2, r"sha256|hash", "no alert", result.alerts == 0)
    )
    return checks


def manifest(own: Bench6) -> list[Check]:
    """A bad row is refused with its reason, the others are taken."""
    checks = []
    for name, column, value, pattern in (
        ("manifest row without authoriser", "authorised_by", "", r"authorised_by|authoriser"),
        ("manifest row with a wrong date", "expires", "2030-02-31", r"2030-02-31"),
    ):
        folder = own.case(name.replace(" ", "-"))
        shutil.rmtree(folder / "data")
        with (folder / "watchlist.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        rows[0][column] = value
        with (folder / "watchlist.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        config = folder / "CONFIG.yaml"
        done = openlfr(
            "watchlist", "import", folder / "watchlist.csv", "--config", config, expect=None
        )
        listed = openlfr("watchlist", "list", "--config", config).stdout
        result = Result(done.returncode, done.stdout, done.stdout + done.stderr, 0)
        checks.append(
            check(name, result, 0, pattern, "the rest is taken", rows[-1]["subject"] in listed)
        )
    return checks


def disk_full(own: Bench6) -> list[Check]:
    """A file system without room under the alert lines, and under the data folder."""
    folder = own.case("disk-full")
    config = folder / "CONFIG.yaml"
    small = folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        return [Check("disk full", "not tried: only root can mount a small file system", "", True)]
    sentence = r"disk is full|[Nn]o space"
    try:
        (small / "fill").write_bytes(b"\0" * shutil.disk_usage(small).free)
        result = own.run(folder, alerts=small / "alerts.jsonl")
        checks = [check("disk full (alert lines)", result, 3, sentence)]
        (small / "fill").unlink()
        shutil.copytree(own.base / "data", small / "data")
        values = json.loads(config.read_text())
        config.write_text(json.dumps({**values, "data_dir": str(small / "data")}))
        room = max(shutil.disk_usage(small).free - 100_000, 0)
        (small / "fill").write_bytes(b"\0" * room)
        checks.append(check("disk full (data folder)", own.run(folder), 3, sentence))
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)
    return checks


def interrupted(own: Bench6) -> Check:
    """Ctrl-C finishes the frame and writes the report."""
    folder = own.case("ctrl-c")
    alerts, report = folder / "alerts.jsonl", folder / "report"
    words = ["--alerts", alerts, "--report", report, "--as-fast-as-possible", "--quiet"]
    process = subprocess.Popen(
        [OPENLFR, "run", folder / "CONFIG.yaml", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if alerts.is_file() and alerts.read_text().count("\n") >= 2:
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    result = Result(process.returncode, out, err, len(alerts.read_text().splitlines()))
    written = report.is_dir() and any(report.iterdir())
    return check("Ctrl-C", result, 130, "", "the report is written", written)


def bad_input(bench: Bench) -> Findings:
    """Every case of bad input."""
    own = Bench6(bench)
    checks = videos(own)
    checks.append(corrupt_picture(own))
    checks += configurations(own)
    checks += manifest(own)
    checks += disk_full(own)
    checks.append(interrupted(own))
    return Findings(tuple(checks))
