"""Photos to enrol."""

import cv2
import numpy as np
import pytest

from openlfr.operations.examine import find_faces


@pytest.fixture
def save(tmp_path):
    def write(image, name="photo.png"):
        path = tmp_path / name
        cv2.imwrite(str(path), image)
        return path

    return write


@pytest.fixture
def one_among_others(yunet, group_photo):
    """One person in the middle, others at the edges."""
    central = min(find_faces(group_photo, yunet), key=lambda f: abs(f.box.centre[0] - 640))
    x, y = (int(v) for v in central.box.centre)
    return np.ascontiguousarray(group_photo[max(0, y - 200) : y + 200, max(0, x - 260) : x + 260])
