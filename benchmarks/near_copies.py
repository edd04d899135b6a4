#!/usr/bin/env python3
"""Measures the similarity of copies of one photo, and of two people, for `lookalikes.NEAR_COPY`.

    benchmarks/near_copies.py FOLDER [--people N] [--copied N]

FOLDER contains a folder of photos for each person ($OPENLFR_TEST_DATA/testdata/lfw/images). The
first photo of each person is used. Some of them are copied with common changes: encoded again,
shrunk, cut, mirrored, made grey, lighter, softer. The benchmark prints the cosines of copies to
their originals, and of every two people's photos.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr import bootstrap
from openlfr.domain.errors import OpenLFRError
from openlfr.operations.examine import choose_face, find_faces
from openlfr.stages.align import align
from openlfr.stages.reference import reference_templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from openlfr.ports import FaceDetector, FaceEmbedder

    Image = NDArray[np.uint8]


def encoded(quality: int) -> Callable[[Image], Image]:
    def copy(image: Image) -> Image:
        content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)

    return copy


def scaled(factor: float) -> Callable[[Image], Image]:
    def copy(image: Image) -> Image:
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.asarray(
            cv2.resize(image, None, fx=factor, fy=factor, interpolation=how), np.uint8
        )

    return copy


def cut(share: float) -> Callable[[Image], Image]:
    def copy(image: Image) -> Image:
        y, x = (round(side * share) for side in image.shape[:2])
        return image[y : -y or None, x : image.shape[1] - x // 2]

    return copy


def grey(image: Image) -> Image:
    return np.asarray(
        cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8
    )


def turned(image: Image) -> Image:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return np.asarray(cv2.warpAffine(image, turn, (width, height)), np.uint8)


COPIES: dict[str, Callable[[Image], Image]] = {
    "JPEG 90": encoded(90),
    "JPEG 50": encoded(50),
    "JPEG 20": encoded(20),
    "shrunk to 60%": scaled(0.6),
    "shrunk to 40%": scaled(0.4),
    "grown to 200%": scaled(2),
    "cut by 15%": cut(0.15),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "grey": grey,
    "lighter": lambda image: np.asarray(cv2.convertScaleAbs(image, alpha=1.2, beta=25), np.uint8),
    "softer": lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8),
    "turned by 5 degrees": turned,
    "mirrored, 60%, JPEG 50": lambda image: encoded(50)(scaled(0.6)(image[:, ::-1])),
}


def template_of(
    image: Image, detector: FaceDetector, embedder: FaceEmbedder
) -> NDArray[np.float32] | None:
    found = find_faces(image, detector)
    if not found:
        return None
    try:
        face, _ = choose_face(found, image.shape[1], image.shape[0], Path("photo"))
    except OpenLFRError:
        return None
    return reference_templates(align(image, face.landmarks[None]), embedder)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=1000, help="number of people to compare")
    parser.add_argument("--copied", type=int, default=120, help="number of people to copy")
    options = parser.parse_args()
    detector, embedder = bootstrap.load_detector(), bootstrap.load_embedder()
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir())
    step = max(1, len(folders) // options.people)
    originals, names = [], []
    alike: dict[str, list[float]] = {name: [] for name in COPIES}
    for number, folder in enumerate(folders[::step][: options.people]):
        photo = min(folder.glob("*.jpg"))
        image = np.asarray(cv2.imread(str(photo)), np.uint8)
        template = template_of(image, detector, embedder)
        if template is None:
            continue
        originals.append(template)
        names.append(folder.name)
        if number % max(1, options.people // options.copied) == 0:
            for name, copy in COPIES.items():
                made = template_of(copy(image), detector, embedder)
                if made is not None:
                    alike[name].append(float(made @ template))
    print(f"{'copy':24}    n   least    1%    5%  median")
    for name, scores in alike.items():
        low = np.quantile(scores, (0, 0.01, 0.05, 0.5))
        print(f"{name:24} {len(scores):4} " + " ".join(f"{value:7.3f}" for value in low))
    matrix = np.array(originals) @ np.array(originals).T
    pairs = matrix[np.triu_indices(len(originals), 1)]
    top = np.argsort(pairs)[::-1][:5]
    where = np.triu_indices(len(originals), 1)
    print(f"two people: {len(pairs)} pairs, greatest {pairs.max():.3f}; the most alike:")
    for index in top:
        print(f"  {pairs[index]:.3f} {names[where[0][index]]} and {names[where[1][index]]}")
    every = np.array([score for scores in alike.values() for score in scores])
    for limit in (0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        print(f"at {limit:.2f}: {np.mean(every >= limit):.4f} of copies,"
              f" {int((pairs >= limit).sum())} pairs of people")  # fmt: skip


if __name__ == "__main__":
    main()
