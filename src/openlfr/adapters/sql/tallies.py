"""Tallies in SQL: each is counted once, however often it is recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.engine import hour_of, insert_new, reading
from openlfr.adapters.sql.tables import tallies
from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.measures import Measures
from openlfr.domain.tallies import COUNTS, CameraTotals, Histograms, HourTotals
from openlfr.domain.watching import UnwatchedReason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from openlfr.domain.tallies import Reporter, Tally

_WHY = {reason: f"tracks_{reason}" for reason in NotSearchedReason}
_LOST = {reason: f"tracks_lost_{reason}" for reason in LossReason}
_UNWATCHED = {reason: f"unwatched_{reason}_us" for reason in UnwatchedReason}
_HISTOGRAMS = (
    tallies.c.scores, tallies.c.fine_scores, tallies.c.control_scores, tallies.c.measures,
)  # fmt: skip
_SUMMED = (*COUNTS, "tracks_searched", *_WHY.values(), *_LOST.values(), *_UNWATCHED.values())


class TallyRecords:
    """The tallies of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, reported: Sequence[Tally], *, at: datetime) -> int:
        """Record tallies in one transaction; returns the number of new ones.

        Args:
            reported: The tallies; one with a known `tally_id` changes nothing.
            at: Time of recording, UTC.
        """
        with self._engine.begin() as connection:
            return sum(insert_new(connection, tallies, **_row_of(each, at)) for each in reported)

    def discard_from(
        self, deployment: str, epoch: int, camera: str, reporter: Reporter, first_seq: int
    ) -> None:
        """Delete the tallies of a camera's frames from this one on: they are counted again."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(tallies).where(
                    tallies.c.deployment == deployment,
                    tallies.c.epoch == epoch,
                    tallies.c.camera == camera,
                    tallies.c.reporter == reporter,
                    tallies.c.last_seq >= first_seq,
                )
            )

    def totals(self, deployment: str, *, epoch: int | None = None) -> list[CameraTotals]:
        """Total counts of each camera of a deployment, ordered by the camera's name.

        Args:
            deployment: Id of the deployment.
            epoch: Epoch to count; None for all.
        """
        columns = (tallies.c.camera, *_span(), *_sums())
        query = sa.select(*columns).where(*_of(deployment, epoch))
        query = query.group_by(tallies.c.camera).order_by(tallies.c.camera)
        with reading(self._engine) as connection:
            return [_totals_of(row, row.camera) for row in connection.execute(query)]

    def by_baseline(
        self, deployment: str, *, epoch: int | None = None
    ) -> dict[BaselineRef, tuple[CameraTotals, Histograms]]:
        """What all cameras together saw, by what their tallies say of the baseline.

        Args:
            deployment: Of which.
            epoch: Of this one alone; of all by default.
        """
        ref = (tallies.c.baseline, tallies.c.baseline_since)
        query = sa.select(*ref, *_span(), *_sums()).where(*_of(deployment, epoch)).group_by(*ref)
        drawn = sa.select(*ref, *_HISTOGRAMS).where(*_closed(deployment, epoch))
        found: dict[BaselineRef, _HistogramSum] = {}
        with reading(self._engine) as connection:
            totals = {_ref_of(row): _totals_of(row) for row in connection.execute(query)}
            for row in connection.execution_options(yield_per=1000).execute(drawn):
                found.setdefault(_ref_of(row), _HistogramSum()).add(row)
        return {
            ref: (each, found.get(ref, _HistogramSum()).result()) for ref, each in totals.items()
        }

    def by_hour(self, deployment: str) -> list[HourTotals]:
        """Total counts by camera and hour; a tally counts for the hour in which it began."""
        hour = hour_of(tallies.c.first_captured_at, self._engine).label("hour")
        query = (
            sa.select(tallies.c.camera, hour, *_sums())
            .where(tallies.c.deployment == deployment)
            .group_by(tallies.c.camera, hour)
            .order_by(tallies.c.camera, hour)
        )
        with reading(self._engine) as connection:
            return [
                HourTotals(camera=row.camera, hour=str(row.hour), **_counts_of(row))
                for row in connection.execute(query)
            ]

    def histograms(
        self, deployment: str, camera: str | None = None, *, epoch: int | None = None
    ) -> Histograms:
        """The summed histograms of all tallies.

        Args:
            deployment: Id of the deployment.
            camera: Name of a camera; None for all.
            epoch: Epoch to count; None for all.
        """
        query = sa.select(*_HISTOGRAMS).where(*_closed(deployment, epoch))
        if camera is not None:
            query = query.where(tallies.c.camera == camera)
        adding = _HistogramSum()
        with reading(self._engine) as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                adding.add(row)
        return adding.result()


class _HistogramSum:
    """The sum of the histograms of rows."""

    def __init__(self) -> None:
        self._bands: dict[int, tuple[int, ...]] = {}
        self._fine: Counter[int] = Counter()
        self._control: Counter[int] = Counter()
        self._measures = Measures()

    def add(self, row: Any) -> None:
        """Add the histograms of one tally."""
        for band, counts in row.scores.items():
            before = self._bands.get(int(band), (0,) * len(counts))
            self._bands[int(band)] = tuple(a + b for a, b in zip(before, counts, strict=True))
        self._fine.update({int(number): count for number, count in row.fine_scores.items()})
        self._control.update({int(number): count for number, count in row.control_scores.items()})
        self._measures += Measures.from_json(row.measures)

    def result(self) -> Histograms:
        """The sum."""
        return Histograms(
            dict(sorted(self._bands.items())), dict(sorted(self._fine.items())),
            dict(sorted(self._control.items())), self._measures,
        )  # fmt: skip


def _of(deployment: str, epoch: int | None) -> list[sa.ColumnElement[bool]]:
    found = [tallies.c.deployment == deployment]
    return found if epoch is None else [*found, tallies.c.epoch == epoch]


def _closed(deployment: str, epoch: int | None) -> list[sa.ColumnElement[bool]]:
    """Conditions for tallies that may have a histogram."""
    return [*_of(deployment, epoch), tallies.c.tracks_closed > 0]


def _span() -> tuple[sa.Label[datetime], sa.Label[datetime]]:
    return (
        sa.func.min(tallies.c.first_captured_at).label("first_captured_at"),
        sa.func.max(tallies.c.last_captured_at).label("last_captured_at"),
    )


def _ref_of(row: Any) -> BaselineRef:
    return BaselineRef(row.baseline, row.baseline_since)


def _totals_of(row: Any, camera: str = "all cameras") -> CameraTotals:
    return CameraTotals(
        camera=camera,
        first_captured_at=row.first_captured_at,
        last_captured_at=row.last_captured_at,
        **_counts_of(row),
    )


def _row_of(tally: Tally, at: datetime) -> dict[str, Any]:
    why = Counter({_WHY[reason]: count for reason, count in tally.tracks_not_searched.items()})
    lost = Counter({_LOST[reason]: count for reason, count in tally.tracks_lost.items()})
    return {
        "tally_id": tally.tally_id,
        "deployment": tally.deployment,
        "camera": tally.camera,
        "epoch": tally.epoch,
        "reporter": str(tally.reporter),
        "first_seq": tally.first_seq,
        "last_seq": tally.last_seq,
        "first_captured_at": tally.first_captured_at,
        "last_captured_at": tally.last_captured_at,
        "scores": {str(band): list(counts) for band, counts in tally.scores.items()},
        "recorded_at": at,
        "tracks_searched": tally.tracks_searched,
        **{name: getattr(tally, name) for name in COUNTS},
        **{name: why[name] for name in _WHY.values()},
        **{name: lost[name] for name in _LOST.values()},
        **{name: tally.unwatched_us.get(why, 0) for why, name in _UNWATCHED.items()},
        "fine_scores": {str(number): count for number, count in tally.fine_scores.items()},
        "control_scores": {str(number): count for number, count in tally.control_scores.items()},
        "measures": asdict(tally.measures),
        "baseline": tally.baseline,
        "baseline_since": tally.baseline_since,
    }


def _sums() -> list[sa.Label[Any]]:
    return [sa.func.coalesce(sa.func.sum(tallies.c[name]), 0).label(name) for name in _SUMMED]


def _counts_of(row: Any) -> dict[str, Any]:
    # PostgreSQL sums big integers to a decimal.
    sums = {name: int(getattr(row, name)) for name in _SUMMED}
    return {
        "tracks_searched": sums["tracks_searched"],
        "tracks_not_searched": {why: sums[name] for why, name in _WHY.items() if sums[name]},
        "tracks_lost": {why: sums[name] for why, name in _LOST.items() if sums[name]},
        "unwatched_us": {why: sums[name] for why, name in _UNWATCHED.items() if sums[name]},
        **{name: sums[name] for name in COUNTS},
    }
