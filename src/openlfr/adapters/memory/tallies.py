"""Tallies in memory; a tally that is recorded several times is counted once."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar

from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.measures import Measures
from openlfr.domain.tallies import COUNTS, CameraTotals, Histograms, HourTotals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access
    from openlfr.domain.tallies import Reporter, Tally

_Key = TypeVar("_Key")
_BY_REASON = ("tracks_not_searched", "tracks_lost", "unwatched_us")


class MemoryTallies:
    """The `Tallies` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def record(self, tallies: Sequence[Tally], *, at: datetime) -> int:
        """Record tallies; return the number of tallies with a new `tally_id`."""
        with self._access.writing() as state:
            before = len(state.tallies)
            for tally in tallies:
                if state.tallies.setdefault(tally.tally_id, tally) is tally:
                    state.recorded_at["tally", tally.tally_id] = at
            return len(state.tallies) - before

    def discard_from(
        self, deployment: str, epoch: int, camera: str, reporter: Reporter, first_seq: int
    ) -> None:
        """Delete this reporter's tallies that end at frame `first_seq` or later."""
        source = (deployment, epoch, camera, reporter)
        with self._access.writing() as state:
            for key, each in list(state.tallies.items()):
                key_fields = (each.deployment, each.epoch, each.camera, each.reporter)
                if key_fields == source and each.last_seq >= first_seq:
                    del state.tallies[key], state.recorded_at["tally", key]

    def totals(self, deployment: str, *, epoch: int | None = None) -> list[CameraTotals]:
        """Return the counts of each camera, ordered by the camera's name."""
        grouped = _group_by(self._select(deployment, epoch), lambda each: each.camera)
        return [_totals(each, camera) for camera, each in sorted(grouped.items())]

    def by_baseline(
        self, deployment: str, *, epoch: int | None = None
    ) -> dict[BaselineRef, tuple[CameraTotals, Histograms]]:
        """Return the counts and histograms of all cameras together for each baseline."""
        grouped = _group_by(
            self._select(deployment, epoch),
            lambda each: BaselineRef(each.baseline, each.baseline_since),
        )
        return {
            ref: (_totals(each, "all cameras"), _histograms(each)) for ref, each in grouped.items()
        }

    def by_hour(self, deployment: str) -> list[HourTotals]:
        """Return the counts by camera and hour; the hour of a tally is that of its first frame."""
        grouped = _group_by(self._select(deployment), lambda each: (each.camera, _hour(each)))
        return [
            HourTotals(camera=camera, hour=hour, **_counts(each))
            for (camera, hour), each in sorted(grouped.items())
        ]

    def histograms(
        self, deployment: str, camera: str | None = None, *, epoch: int | None = None
    ) -> Histograms:
        """Return a deployment's summed histograms; None means all cameras or all runs."""
        tallies = self._select(deployment, epoch)
        return _histograms([each for each in tallies if camera in (None, each.camera)])

    def _select(self, deployment: str, epoch: int | None = None) -> list[Tally]:
        return [
            each
            for each in self._access.reading().tallies.values()
            if each.deployment == deployment and epoch in (None, each.epoch)
        ]


def _group_by(tallies: Iterable[Tally], key: Callable[[Tally], _Key]) -> Mapping[_Key, list[Tally]]:
    grouped: dict[_Key, list[Tally]] = defaultdict(list)
    for each in tallies:
        grouped[key(each)].append(each)
    return grouped


def _hour(tally: Tally) -> str:
    return tally.first_captured_at.astimezone(UTC).strftime("%Y-%m-%dT%H")


def _totals(tallies: Sequence[Tally], camera: str) -> CameraTotals:
    return CameraTotals(
        camera=camera,
        first_captured_at=min(each.first_captured_at for each in tallies),
        last_captured_at=max(each.last_captured_at for each in tallies),
        **_counts(tallies),
    )


def _counts(tallies: Sequence[Tally]) -> dict[str, Any]:
    summed: dict[str, Any] = {
        name: sum(getattr(each, name) for each in tallies) for name in (*COUNTS, "tracks_searched")
    }
    for name in _BY_REASON:
        reasons: Counter[Any] = Counter()
        for each in tallies:
            reasons.update(getattr(each, name))
        summed[name] = {reason: count for reason, count in reasons.items() if count}
    return summed


def _histograms(tallies: Sequence[Tally]) -> Histograms:
    bands: dict[int, tuple[int, ...]] = {}
    fine: Counter[int] = Counter()
    control: Counter[int] = Counter()
    measures = Measures()
    for each in tallies:
        if not each.tracks_closed:
            continue
        for band, counts in each.scores.items():
            before = bands.get(band, (0,) * len(counts))
            bands[band] = tuple(a + b for a, b in zip(before, counts, strict=True))
        fine.update(each.fine_scores)
        control.update(each.control_scores)
        measures += each.measures
    return Histograms(
        dict(sorted(bands.items())), dict(sorted(fine.items())), dict(sorted(control.items())),
        measures,
    )  # fmt: skip
