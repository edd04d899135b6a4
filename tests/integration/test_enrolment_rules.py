"""The enrolment rules on many public photos of one person each."""

import os
from pathlib import Path

import pytest

from openlfr.domain.errors import BadInput
from openlfr.operations.examine import EnrolmentRules, examine

EVERY = 33  # every photo, so that the test takes seconds; the figure in examine.py has every second


@pytest.mark.testdata
def test_at_most_one_photo_in_a_hundred_is_refused_for_a_second_face(yunet, sface):
    folder = Path(os.environ["OPENLFR_TEST_DATA"]) / "testdata/lfw/images"
    every = int(os.environ.get("OPENLFR_EVERY", EVERY))
    photos = sorted(folder.glob("*/*.jpg"))[::every]
    reasons = []
    for path in photos:
        try:
            examine(path, yunet, sface, EnrolmentRules())
        except BadInput as error:
            reasons.append(str(error).removeprefix(f"{path}: ").split(",")[0])
    counted = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
    print(f"{len(photos)} photos; refused: {counted}")  # noqa: T201 - the measurement itself
    assert sum("equally large" in reason for reason in reasons) <= 0.01 * len(photos)
    assert len(reasons) <= 0.03 * len(photos)
