"""A few drawn 'people' in LFW's format: no detector and no photo of anybody is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def face_colour(person: int, photo: int = 0) -> tuple[int, int, int]:
    return (40 * person % 200 + 40, 255 - 35 * person % 200, 60 + 20 * photo)


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    for person in range(6):
        folder = root / "images" / f"P{person}"
        folder.mkdir(parents=True)
        for photo in range(3 if person < 4 else 1):
            image = np.full((250, 250, 3), 30, np.uint8)
            image[68:182, 68:182] = face_colour(person, photo)
            cv2.imwrite(str(folder / f"{photo}.png"), image)
    return root
