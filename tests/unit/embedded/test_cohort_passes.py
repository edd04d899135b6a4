"""Everybody of a cohort walks, and a search is credited to the people whose faces are in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from openlfr.domain.faces import Box
from openlfr.embedded import cohort_passes
from openlfr.embedded.cohort_passes import CohortFilming, CohortScores, make_street_options
from openlfr.live_tracks import BestScore
from openlfr.simulate import Person
from openlfr.simulate.journeys import plan_street

ANN, BEA = Box(100, 100, 50, 50), Box(400, 100, 50, 50)
BETWEEN = Box(250, 300, 50, 60)


def people(number):
    return [Person(f"p{each}", (Path("a.jpg"),)) for each in range(number)]


@pytest.mark.parametrize("number", [1, 6, 17, 60])
@pytest.mark.parametrize("walks", [1, 2])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everybody_walks_and_in_a_group_as_often_as_requested(number, walks, seed):
    plan = plan_street(make_street_options(number, walks, seed), people(number))
    times = Counter(walk.person for walk in plan.walks["street"])
    assert len(times) == number
    if number >= 17:
        assert set(times.values()) == {walks}
    assert not any(walk.listed for walk in plan.walks["street"])


@pytest.mark.parametrize(
    ("number", "sizes"), [(5, [5]), (60, [60]), (61, [31, 30]), (130, [44, 43, 43])]
)
def test_groups_are_of_nearly_equal_size(number, sizes, monkeypatch):
    groups, done = [], []
    monkeypatch.setattr(
        CohortFilming, "_film_and_analyse", lambda _, group, seed, __: groups.append((seed, group))
    )
    filming = CohortFilming(
        Path("unused"), detector=None, embedder=None, index=None, at=None,
        walks_per_person=2, seed=7,
    )  # fmt: skip
    filming.score(people(number), progress=done.append)
    assert [len(group) for _, group in groups] == sizes
    assert [seed for seed, _ in groups] == list(range(7, 7 + len(sizes)))
    assert len({each.name for _, group in groups for each in group}) == number
    assert done[-1] == number


class ScriptedAnalyser:
    """Reports searches instead of analysing."""

    searches = ()

    def __init__(self, *, on_search, threshold, **_):
        assert threshold > 1
        self._on_search = on_search

    def analyse(self, _):
        for number, score, boxes in self.searches:
            faces = [SimpleNamespace(seq=seq, box=box) for seq, box in boxes]
            track = SimpleNamespace(number=number, score=score and BestScore(score, 50.0))
            self._on_search(SimpleNamespace(faces=faces, track=track))

    def close_camera(self, _):
        pass


@pytest.mark.parametrize(
    ("searches", "best", "of_nobody"),
    [
        ([(0, 0.3, [(0, ANN)])], {"ann": 0.3}, 0),
        ([(0, 0.3, [(0, ANN)]), (0, 0.5, [(0, ANN), (1, ANN)])], {"ann": 0.5}, 0),
        ([(0, 0.5, [(0, ANN)]), (1, 0.2, [(0, ANN)])], {"ann": 0.5}, 0),
        ([(0, 0.3, [(0, ANN), (1, BEA)])], {"ann": 0.3, "bea": 0.3}, 0),
        ([(0, 0.3, [(0, BETWEEN)])], {}, 1),
        ([(0, 0.3, [(9, ANN)])], {}, 1),  # a frame without a walker
        ([(0, 0.3, [(0, BETWEEN)]), (0, 0.4, [(0, ANN)])], {"ann": 0.4}, 0),
        ([(0, None, [(0, ANN)])], {}, 0),  # only control subjects were searchable
        ([(0, -0.2, [(0, ANN)])], {"ann": -0.2}, 0),
    ],
)
def test_a_search_is_credited_to_the_people_in_it(monkeypatch, searches, best, of_nobody):
    source = SimpleNamespace(frames=lambda: [None], close=lambda: None)
    monkeypatch.setattr(cohort_passes, "Analyser", ScriptedAnalyser)
    monkeypatch.setattr(cohort_passes, "open_source", lambda *_, **__: source)
    monkeypatch.setattr(ScriptedAnalyser, "searches", searches)
    filming = CohortFilming(
        Path("unused"), detector=None, embedder=None, index=None, at=None,
        walks_per_person=1, seed=1,
    )  # fmt: skip
    scores = CohortScores()
    faces = {seq: [("ann", ANN), ("bea", BEA)] for seq in (0, 1)}
    filming._analyse(Path("unused"), faces, scores)
    assert (scores.best, scores.tracks_of_nobody) == (best, of_nobody)
