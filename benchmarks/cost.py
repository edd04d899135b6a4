"""Measures the CPU time besides decoding and model calls, and compares it with a plain OpenCV loop.

    .venv/bin/python -m benchmarks.cost [--config CONFIG.yaml --video FILE]

All passes run in one process on one street, so the ratios are valid on other machines, the
milliseconds are not. Three passes over the same video:

1. decoding alone, by the product's own capture;
2. the product, `embedded.run`, with every thread and child process counted;
3. the plain loop: OpenCV's VideoCapture, FaceDetectorYN and FaceRecognizerSF on every face of
   every frame at its own size, same model files, one thread.

The product's own work is the cost of its pass, less decoding and the model calls (`detect`,
`detect_again` in stored pictures, and `embed`, with their tensor preparation). The work of the face
stages counts per face; all other work (queues, tracks, search, alerts, records, evidence, and work
outside any stage) counts per frame.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import psutil
from benchmarks.acceptance.findings import Bench, Check, Findings
from benchmarks.acceptance.streets import EASY, prepare, street

from openlfr import embedded, settings
from openlfr.bootstrap import find_model_folder

if TYPE_CHECKING:
    from openlfr.embedded import Progress

MOST_MS_A_FRAME = 3.0
MOST_MS_A_FACE = 1.0
MODEL_STAGES = ("detect", "detect_again", "embed")
FACE_STAGES = ("align", "assess", "hold")
PLAIN_SCORE = 0.6
SEED = 6


def cpu_of_all() -> float:
    """Return the CPU seconds of this process and its children so far."""
    total = time.process_time()
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def cpu_of_feeds() -> float:
    """Return the CPU seconds of the live decoding threads.

    These are the feeds and the decoder's own threads: native threads without a Python name that
    started after the first feed.
    """
    named = {thread.native_id: thread.name for thread in threading.enumerate()}
    feeds = [number for number, name in named.items() if number and name.startswith("feed-")]
    first = min(feeds, default=None)
    return sum(
        each.user_time + each.system_time
        for each in psutil.Process().threads()
        if each.id in feeds or (first is not None and each.id > first and each.id not in named)
    )


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the product.

    Attributes:
        cpu: Seconds of the steady part: from the end of the first frame to the end of the last.
        decode: Seconds of the decoding threads in the same time.
        stages: CPU seconds by stage, including the first frame's.
    """

    frames: int
    faces: int
    cpu: float
    decode: float
    stages: dict[str, float]


def run_product(config: Path) -> Pass:
    """Run the embedded mode, like `openlfr run --as-fast-as-possible`."""
    seen: list[tuple[float, float, int]] = []  # CPU of all, of the feeds, frames
    noting: list[float] = []  # cost of `note` itself, a few times a second

    def note(progress: Progress) -> None:
        analysed = sum(c.frames_analysed for c in progress.cameras)
        if not analysed:
            return  # the cost of the start belongs to no frame
        before = time.thread_time()
        seen.append((cpu_of_all(), cpu_of_feeds(), analysed))
        noting.append(time.thread_time() - before)

    options = embedded.RunOptions(alerts=config.parent / "alerts.jsonl", as_fast_as_possible=True)
    summary = embedded.run(settings.load(config), options, on_progress=note)
    (began, decoded, first), (ended, _, last) = seen[0], seen[-1]
    decode = max(feeds for _, feeds, _ in seen) - decoded
    faces = sum(camera.faces_detected for camera in summary.cameras)
    stages = {each.stage: each.cpu_s for each in summary.timings}
    return Pass(last - first, faces, ended - began - sum(noting[:-1]), decode, stages)


def run_plain(video: Path) -> tuple[int, int, float]:
    """Return frames, faces and CPU seconds of the plain loop, including decoding."""
    cv2.setNumThreads(1)
    models = find_model_folder()
    detector = cv2.FaceDetectorYN.create(
        str(models / "face_detection_yunet_2023mar.onnx"), "", (320, 320), PLAIN_SCORE
    )
    recogniser = cv2.FaceRecognizerSF.create(
        str(models / "face_recognition_sface_2021dec.onnx"), ""
    )
    capture = cv2.VideoCapture(str(video))
    before = cpu_of_all()
    frames = faces = 0
    while True:
        ok, image = capture.read()
        if not ok:
            break
        if not frames:
            detector.setInputSize((image.shape[1], image.shape[0]))
        frames += 1
        _, found = detector.detect(image)
        for face in found if found is not None else ():
            recogniser.feature(recogniser.alignCrop(image, face))
            faces += 1
    cpu = cpu_of_all() - before
    capture.release()
    return frames, faces, cpu


def cost(config: Path, video: Path) -> Findings:
    """Measure the passes and compare the product's own work with its bars."""
    product = run_product(config)
    plain_frames, plain_faces, plain = run_plain(video)

    ms_decode = product.decode / product.frames * 1000
    ms_all = product.cpu / product.frames * 1000
    stages = {name: cpu / product.frames * 1000 for name, cpu in product.stages.items()}
    ms_models = sum(stages.get(name, 0.0) for name in MODEL_STAGES)
    ms_faces = sum(stages.get(name, 0.0) for name in FACE_STAGES)
    own_frame = ms_all - ms_decode - ms_models - ms_faces
    own_face = ms_faces * product.frames / max(product.faces, 1)
    ms_plain = plain / plain_frames * 1000

    print(f"  CPU a frame, {product.frames} frames, {product.faces / product.frames:.1f} faces each"
          f" (plain loop: {plain_faces / plain_frames:.1f})", file=sys.stderr)  # fmt: skip
    rows = {"plain OpenCV loop, all": ms_plain, "openlfr, all": ms_all, "  decode": ms_decode}
    rows |= {f"  {name}": ms for name, ms in stages.items() if name != "decode"}
    claimed = ms_decode + sum(ms for name, ms in stages.items() if name != "decode")
    rows["  claimed by no stage"] = ms_all - claimed
    for name, ms in rows.items():
        print(f"  {name:26} {ms:8.2f} ms {ms / ms_plain:7.3f} of plain", file=sys.stderr)
    return Findings(
        (
            Check("own work a frame, ms CPU", round(own_frame, 2), f"<= {MOST_MS_A_FRAME:g}",
                  own_frame <= MOST_MS_A_FRAME),
            Check("own work a face, ms CPU", round(own_face, 3), f"<= {MOST_MS_A_FACE:g}",
                  own_face <= MOST_MS_A_FACE),
            Check("own work as a share of decoding and model calls",
                  round((own_frame + ms_faces) / (ms_decode + ms_models), 3)),
            Check("all of it as a share of the plain OpenCV loop", round(ms_all / ms_plain, 3)),
            Check("frames a core-second", round(1000 / ms_all, 1)),
            Check("frames a core-second of the plain OpenCV loop", round(1000 / ms_plain, 1)),
        ),
        {"ms_a_frame": {name.strip(): round(ms, 3) for name, ms in rows.items()},
         "faces_a_frame": round(product.faces / product.frames, 2)},
    )  # fmt: skip


def cost_on_street(bench: Bench) -> Findings:
    """Measure on the easy street of the first tuning seed, with its watchlist."""
    made = street(bench, EASY, SEED)
    config = prepare(bench, bench.work / "cost", made, {"input_size": list(EASY.input_size)})
    return cost(config, made / "video.mp4")


def main() -> int:
    """Print the figures; return 1 if a bar is not met."""
    parser = argparse.ArgumentParser(prog="benchmarks.cost")
    parser.add_argument("--config", type=Path, help="a configuration with its watchlist imported")
    parser.add_argument("--video", type=Path, help="the video of its camera")
    wanted = parser.parse_args()
    if wanted.config and wanted.video:
        found = cost(wanted.config, wanted.video)
    elif test_data := os.environ.get("OPENLFR_TEST_DATA"):
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        work = cache / "openlfr" / "acceptance"
        found = cost_on_street(Bench(Path(test_data).resolve(), work))
    else:
        parser.error("give --config and --video, or set OPENLFR_TEST_DATA")
    found.print()
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
