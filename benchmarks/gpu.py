"""Measures the models on this machine's providers: speed by batch, and agreement with the CPU.

    .venv/bin/python -m benchmarks.gpu [--json FILE] [--providers cuda tensorrt] [--quick]

Runs wherever `requirements/*-gpu.txt` is installed and a GPU is available, and records
device, driver, versions and providers. Without a GPU it reports this, measures the CPU with small
batches, and exits with 0 and `"gpu": null`.

For each available provider it measures YuNet at 640 and at 1280 x 736, and SFace, at batch 1, 8, 32
and 128 by the product's calls (`detect`, `embed`; these split batches larger than their own), and
the share of preparing the batch. Then it measures one Analyser over frames of eight cameras, and a
whole worker: the service's own batches of JPEGs are decoded in its pool while the batch before is
detected, tracked, embedded and searched in a list of 10,000. The CPU's results for the same
pictures are the reference: boxes within 1 pixel, templates with a cosine of at least 0.9995, and
equal results for a picture alone and in a batch.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.acceptance.findings import Check, Findings, commit, machine, write_json
from benchmarks.city import load

from openlfr import bootstrap
from openlfr.adapters.models.onnx import CPU, ON_GPU, available_providers, short_name, starts
from openlfr.adapters.models.sface import SFace
from openlfr.adapters.models.yunet import YuNet, fit_pictures
from openlfr.domain.frames import Frame
from openlfr.domain.ids import Ids
from openlfr.domain.templates import StoredTemplate, hash_template
from openlfr.domain.watchlist import ManifestEntry
from openlfr.pipeline import Analyser
from openlfr.stages.align import align
from openlfr.stages.detect import stack_landmarks
from openlfr.stages.search import ExactIndex
from openlfr_analysis.service import BATCH_SIZE, BATCH_SIZE_ON_GPU
from openlfr_analysis.worker import DECODER_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection

    Pixels = NDArray[np.uint8]

BATCHES, QUICK = (1, 8, 32, 128), (1, 8)
SIZES = ((640, 640), (1280, 736))
LEAST_COSINE, MOST_PIXELS = 0.9995, 1.0
CAMERAS, FRAMES_EACH = 8, 16
LISTED = 10_000  # references on the worker's list
AT_LEAST_S = 0.5  # each figure is the median of the calls within this time


def see_gpus() -> list[dict[str, str]] | None:
    """Return name, driver and memory of each GPU; None without a GPU."""
    asked = ("name", "driver_version", "memory.total", "compute_cap")
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    said = subprocess.run(
        [program, f"--query-gpu={','.join(asked)}", "--format=csv,noheader"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    lines = said.stdout.strip().splitlines() if said.returncode == 0 else []
    found = [
        dict(zip(asked, (part.strip() for part in line.split(",")), strict=False)) for line in lines
    ]
    return found or None


def versions() -> dict[str, str]:
    """Return the versions on which figures may depend."""
    import onnxruntime

    found = {"onnxruntime": onnxruntime.__version__, "numpy": np.__version__,
             "python": platform.python_version()}  # fmt: skip
    for name in ("cuda_version", "cudnn_version", "tensorrt_version"):
        if value := getattr(onnxruntime, name, None) or getattr(
            getattr(onnxruntime, "capi", None), name, None
        ):
            found[name] = str(value)
    return found


def scenes(number: int) -> list[Pixels]:
    """Return pictures (720, 1280, 3) BGR of the same six people at changing places."""
    import cv2

    with resources.as_file(resources.files("insightface") / "data/images/t1.jpg") as path:
        group = cv2.imread(str(path))
    if group is None:
        raise SystemExit("insightface no longer carries its sample picture.")
    group = cv2.resize(group, (640, 443), interpolation=cv2.INTER_AREA)
    made = []
    for n in range(number):
        scene = np.full((720, 1280, 3), 60 + n % 100, np.uint8)
        x, y = 13 * n % 600, 7 * n % 250
        scene[y : y + 443, x : x + 640] = group if n % 2 else group[:, ::-1]
        made.append(scene)
    return made


def seconds(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the elapsed seconds of the first call, and the median of the later calls."""
    began = time.perf_counter()
    call()
    first = time.perf_counter() - began
    taken: list[float] = []
    while len(taken) < 3 or (sum(taken) < AT_LEAST_S and len(taken) < 50):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return first, float(np.median(taken))


def row(
    what: str, batch: int, call: Callable[[], Any], prepare: Callable[[], Any]
) -> dict[str, Any]:
    """Return one line of the table."""
    first, usual = seconds(call)
    _, preparing = seconds(prepare)
    return {
        "what": what, "batch": batch, "ms_each": round(1000 * usual / batch, 3),
        "each_second": round(batch / usual, 1), "first_call_s": round(first, 2),
        "preparing_ms_each": round(1000 * preparing / batch, 3),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Both models on the same providers."""

    detector: YuNet
    embedder: SFace

    @classmethod
    def on(cls, providers: Sequence[str]) -> Pair:
        """Open both models."""
        store = bootstrap.open_models()
        sface = store.load("sface")
        return cls(
            YuNet(store.load("yunet"), providers=providers),
            SFace(sface, providers=providers,
                  default_threshold=bootstrap.SFACE_DEFAULTS[0].value),
        )  # fmt: skip


def faces_in(pictures: Sequence[Pixels], found: Sequence[Sequence[Detection]]) -> Pixels:
    """Return every face of the pictures, aligned, (n, 112, 112, 3)."""
    return np.concatenate(
        [align(p, stack_landmarks(each)) for p, each in zip(pictures, found, strict=True)]
    )


def apart(ours: Sequence[Sequence[Detection]], theirs: Sequence[Sequence[Detection]]) -> float:
    """Return the greatest difference of boxes or landmarks, pixels; infinite for a missing face."""
    worst = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        if len(mine) != len(other):
            return float("inf")
        by_place = [sorted(each, key=lambda d: (d.box.x, d.box.y)) for each in (mine, other)]
        for a, b in zip(*by_place, strict=True):
            worst = max(worst, *(abs(p - q) for p, q in zip(a.box, b.box, strict=True)))
            worst = max(worst, float(np.abs(a.landmarks - b.landmarks).max()))
    return worst


def analyse(pair: Pair, pictures: Sequence[Pixels]) -> float:
    """Return the frames per second of one Analyser over several cameras, 16 in a batch."""
    analyser = Analyser(
        ids=Ids("Benchmark", bytes(32)), detector=pair.detector, embedder=pair.embedder,
        index=ExactIndex({}, []), threshold=0.41,
    )  # fmt: skip
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    frames = [
        Frame(f"camera-{camera}", 1, seq, begin + timedelta(seconds=seq / 10),
              pictures[(camera * 5 + seq // 4) % len(pictures)])
        for seq in range(FRAMES_EACH) for camera in range(CAMERAS)
    ]  # fmt: skip
    analyser.analyse(frames[:16])
    began = time.perf_counter()
    for start in range(16, len(frames), 16):
        analyser.analyse(frames[start : start + 16])
    return (len(frames) - 16) / (time.perf_counter() - began)


def work(pair: Pair, pictures: Sequence[Pixels], batch: int) -> dict[str, Any]:
    """Run the service's worker without Kafka: JPEGs in, sightings out.

    Returns:
        Frames per second, and the analysing thread's time by stage, ms per frame.
    """
    import cv2

    files = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    random = np.random.default_rng(0)
    templates = random.normal(0, 1, (LISTED, pair.embedder.facts.dimension)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    stored = [StoredTemplate(f"r{n}", "default", f"person {n}", hash_template(each), each)
              for n, each in enumerate(templates)]  # fmt: skip
    until = datetime(2030, 1, 1, tzinfo=UTC)
    listed = {each.reference_id: ManifestEntry(
        "default", "wanted", each.template_hash, each.entry_hash, until
    )
              for each in stored}  # fmt: skip
    index = ExactIndex(listed, stored)
    analyser = Analyser(
        ids=Ids("Benchmark", bytes(32)), detector=pair.detector, embedder=pair.embedder,
        index=index, threshold=0.41,
    )  # fmt: skip
    spent: Counter[str] = Counter()
    analyser.timings.observe = lambda stage, seconds: spent.update({stage: seconds})
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    places = [(seq, camera) for seq in range(FRAMES_EACH) for camera in range(CAMERAS)]

    def decoded(place: tuple[int, int]) -> Frame:
        seq, camera = place
        content = files[(camera * 5 + seq // 4) % len(files)]
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return Frame(f"camera-{camera}", 1, seq, begin + timedelta(seconds=seq / 10),
                     picture.astype(np.uint8, copy=False))  # fmt: skip

    batches = [places[start : start + batch] for start in range(0, len(places), batch)]
    with ThreadPoolExecutor(DECODER_THREADS, "decode") as pool:
        analyser.analyse([decoded(place) for place in batches[0]])  # models' first call
        spent.clear()
        began = time.perf_counter()
        waiting = [pool.submit(decoded, place) for place in batches[1]]
        for number in range(1, len(batches)):
            frames = [each.result() for each in waiting]
            following = batches[number + 1] if number + 1 < len(batches) else []
            waiting = [pool.submit(decoded, place) for place in following]
            analyser.analyse(frames)
        taken = time.perf_counter() - began
    looked = len(places) - len(batches[0])
    stages = {stage: round(1000 * each / looked, 3) for stage, each in spent.most_common()}
    return {"frames_a_second": round(looked / taken, 1), "batch": batch, "stages_ms": stages}


def measure(
    provider: str, reference: Pair, batches: Sequence[int]
) -> tuple[list[Check], dict[str, Any]]:
    """Measure one provider."""
    name = short_name(provider)
    pair = Pair.on([provider] if provider == CPU else [provider, CPU])
    pictures = scenes(32)
    table: list[dict[str, Any]] = []
    checks: list[Check] = []
    for size in SIZES:
        what = f"YuNet {size[0]}x{size[1]}"
        for batch in batches:
            shown = [pictures[n % len(pictures)] for n in range(batch)]
            table.append(row(what, batch, partial(pair.detector.detect, shown, size),
                             partial(fit_pictures, shown, size)))  # fmt: skip
        together = pair.detector.detect(pictures, size)
        alone = [pair.detector.detect([picture], size)[0] for picture in pictures]
        differ = max(apart(together, reference.detector.detect(pictures, size)),
                     apart(together, alone))  # fmt: skip
        checks.append(
            Check(f"{name}: {what}, greatest difference to the CPU and to one alone, px",
                  round(differ, 4), f"<= {MOST_PIXELS:g}", differ <= MOST_PIXELS)
        )  # fmt: skip
    faces = faces_in(pictures, reference.detector.detect(pictures, SIZES[-1]))
    for batch in batches:
        shown_faces = np.resize(faces, (batch, *faces.shape[1:]))
        table.append(row("SFace", batch, partial(pair.embedder.embed, shown_faces),
                         partial(np.stack, list(shown_faces))))  # fmt: skip
    templates = pair.embedder.embed(faces)
    singly = np.concatenate([pair.embedder.embed(face[None]) for face in faces])
    for against, other in (("the CPU", reference.embedder.embed(faces)), ("one alone", singly)):
        cosine = float((templates * other).sum(axis=1).min())
        checks.append(Check(f"{name}: SFace, least cosine to {against}", round(cosine, 6),
                            f">= {LEAST_COSINE}", cosine >= LEAST_COSINE))  # fmt: skip
    rate = analyse(pair, pictures)
    people = len(faces) / len(pictures)
    checks.append(Check(f"{name}: Analyser, {CAMERAS} cameras of 1280x720 with {people:.0f} faces "
                        "each, frames a second", round(rate, 1)))  # fmt: skip
    worker = work(pair, pictures, BATCH_SIZE if provider == CPU else BATCH_SIZE_ON_GPU)
    checks.append(Check(f"{name}: a whole worker, {CAMERAS} cameras, JPEGs of 1280x720, {LISTED} "
                        "listed, frames a second", worker["frames_a_second"]))  # fmt: skip
    ran = {"detector": pair.detector.providers, "embedder": pair.embedder.providers}
    return checks, {"provider": provider, "ran": ran, "table": table, "worker": worker}


def show(detail: dict[str, Any]) -> None:
    """Print the table of a provider."""
    print(f"\n{detail['provider']}")
    print(
        f"  {'':16} {'batch':>5} {'ms each':>9} {'a second':>9} {'preparing':>10} {'1st call':>9}"
    )
    for each in detail["table"]:
        print(f"  {each['what']:16} {each['batch']:5} {each['ms_each']:9.2f}"
              f" {each['each_second']:9.1f} {each['preparing_ms_each']:7.2f} ms"
              f" {each['first_call_s']:7.2f} s")  # fmt: skip
    worker = detail["worker"]
    spent = ", ".join(f"{stage} {each:g}" for stage, each in worker["stages_ms"].items())
    print(f"  a whole worker, batches of {worker['batch']}: {worker['frames_a_second']:g} frames a"
          f" second; ms a frame: {spent}")  # fmt: skip


def main() -> int:
    """Print the figures; return 1 if a provider does not agree with the CPU."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu")
    parser.add_argument("--providers", nargs="*", metavar="NAME", help="only these, such as cuda")
    parser.add_argument("--quick", action="store_true", help="only batches of 1 and 8")
    parser.add_argument("--json", type=Path, help="file for the figures")
    wanted = parser.parse_args()
    gpus = see_gpus()
    there = [name for name in ON_GPU if name in available_providers() and starts(name)]
    if not gpus or not there:
        why = "no GPU answers" if not gpus else "none of CUDA and TensorRT starts here"
        print(f"No GPU was seen ({why}): what follows is this machine's CPU.")
    for gpu in gpus or ():
        print(", ".join(f"{key} {value}" for key, value in gpu.items()))
    used = [*there, CPU]
    if wanted.providers:
        used = [name for name in used if short_name(name) in wanted.providers]
    checks: list[Check] = []
    details = []
    reference = Pair.on([CPU])
    for provider in used:
        batches = QUICK if wanted.quick or (provider == CPU and there) else BATCHES
        found, detail = measure(provider, reference, batches)
        show(detail)
        checks += found
        details.append(detail)
    print()
    findings = Findings(tuple(checks), {"measured": details})
    findings.print()
    print(f"load averages at the end: {load()} on {os.cpu_count()} cores")
    result = {
        "commit": commit(), "machine": machine(), "load": load(), "gpu": gpus if there else None,
        "versions": versions(), "providers": available_providers(), **findings.as_json(),
    }  # fmt: skip
    if wanted.json:
        write_json(wanted.json, result)
    return 0 if findings.passed else 1


if __name__ == "__main__":
    sys.exit(main())
