"""From a search's answers to a sighting or none."""

import pytest

from openlfr.domain.faces import Candidate
from openlfr.stages.decide import decide

ANN, BOB = Candidate("ann", "r1", 0.52, "a", "wanted"), Candidate("bob", "r2", 0.48, "a", "wanted")


@pytest.mark.parametrize(
    ("candidates", "threshold", "chosen"),
    [
        ([], 0.4, None),
        ([ANN], 0.4, ANN),
        ([ANN], 0.52, ANN),
        ([ANN], 0.53, None),
        ([ANN, BOB], 0.4, ANN),
        ([Candidate("ann", "r1", -1.0, "a", "wanted")], 0.0, None),
    ],
    ids=["nobody listed", "above", "exactly at", "below", "the best alone", "the opposite"],
)
def test_the_best_candidate_is_chosen_from_the_threshold_on(candidates, threshold, chosen):
    assert decide(candidates, threshold) == chosen
