"""Tallies in SQL: a tally counts once, even if it is recorded several times."""

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

_NOT_SEARCHED_COLUMNS = {reason: f"tracks_{reason}" for reason in NotSearchedReason}
_LOST_COLUMNS = {reason: f"tracks_lost_{reason}" for reason in LossReason}
_UNWATCHED_COLUMNS = {reason: f"unwatched_{reason}_us" for reason in UnwatchedReason}
_HISTOGRAM_COLUMNS = (
    tallies.c.scores, tallies.c.fine_scores, tallies.c.control_scores, tallies.c.measures,
)  # fmt: skip
_SUMMED_COLUMNS = (
    *COUNTS,
    "tracks_searched",
    *_NOT_SEARCHED_COLUMNS.values(),
    *_LOST_COLUMNS.values(),
    *_UNWATCHED_COLUMNS.values(),
)


class TallyRecords:
    """The tallies of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, reported: Sequence[Tally], *, at: datetime) -> int:
        """Record tallies in one transaction; return the number of new tallies.

        Args:
            reported: The tallies; a tally whose `tally_id` is recorded already changes nothing.
            at: Time of recording, UTC.
        """
        with self._engine.begin() as connection:
            return sum(insert_new(connection, tallies, **_row_of(each, at)) for each in reported)

    def discard_from(
        self, deployment: str, epoch: int, camera: str, reporter: Reporter, first_seq: int
    ) -> None:
        """Delete the reporter's tallies that end at `first_seq` or later, to count again."""
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
        """Return the total counts of each camera of a deployment, ordered by the camera's name.

        Args:
            deployment: Id of the deployment.
            epoch: Epoch to count; None for all.
        """
        columns = (tallies.c.camera, *_span_columns(), *_sum_columns())
        query = sa.select(*columns).where(*_in_deployment(deployment, epoch))
        query = query.group_by(tallies.c.camera).order_by(tallies.c.camera)
        with reading(self._engine) as connection:
            return [_totals_of(row, row.camera) for row in connection.execute(query)]

    def by_baseline(
        self, deployment: str, *, epoch: int | None = None
    ) -> dict[BaselineRef, tuple[CameraTotals, Histograms]]:
        """Return the total counts and histograms of all cameras, by the baseline of the tallies.

        Args:
            deployment: Id of the deployment.
            epoch: Epoch to count; None for all.
        """
        ref = (tallies.c.baseline, tallies.c.baseline_since)
        query = (
            sa.select(*ref, *_span_columns(), *_sum_columns())
            .where(*_in_deployment(deployment, epoch))
            .group_by(*ref)
        )
        histogram_query = sa.select(*ref, *_HISTOGRAM_COLUMNS).where(
            *_with_closed_tracks(deployment, epoch)
        )
        sums: dict[BaselineRef, _HistogramSum] = {}
        with reading(self._engine) as connection:
            totals = {_ref_of(row): _totals_of(row) for row in connection.execute(query)}
            for row in connection.execution_options(yield_per=1000).execute(histogram_query):
                sums.setdefault(_ref_of(row), _HistogramSum()).add(row)
        return {
            ref: (each, sums.get(ref, _HistogramSum()).result()) for ref, each in totals.items()
        }

    def by_hour(self, deployment: str) -> list[HourTotals]:
        """Return the total counts by camera and hour; a tally counts for the hour of its start."""
        hour = hour_of(tallies.c.first_captured_at, self._engine).label("hour")
        query = (
            sa.select(tallies.c.camera, hour, *_sum_columns())
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
        """Return the summed histograms of a deployment's tallies.

        Args:
            deployment: Id of the deployment.
            camera: Name of a camera; None for all.
            epoch: Epoch to count; None for all.
        """
        query = sa.select(*_HISTOGRAM_COLUMNS).where(*_with_closed_tracks(deployment, epoch))
        if camera is not None:
            query = query.where(tallies.c.camera == camera)
        total = _HistogramSum()
        with reading(self._engine) as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                total.add(row)
        return total.result()


class _HistogramSum:
    """Sum of the histograms of several tallies."""

    def __init__(self) -> None:
        self._bands: dict[int, tuple[int, ...]] = {}
        self._fine: Counter[int] = Counter()
        self._control: Counter[int] = Counter()
        self._measures = Measures()

    def add(self, row: Any) -> None:
        """Add the histograms of one tally's row."""
        for band, counts in row.scores.items():
            before = self._bands.get(int(band), (0,) * len(counts))
            self._bands[int(band)] = tuple(a + b for a, b in zip(before, counts, strict=True))
        self._fine.update({int(number): count for number, count in row.fine_scores.items()})
        self._control.update({int(number): count for number, count in row.control_scores.items()})
        self._measures += Measures.from_json(row.measures)

    def result(self) -> Histograms:
        """Return the sum of all added histograms."""
        return Histograms(
            dict(sorted(self._bands.items())), dict(sorted(self._fine.items())),
            dict(sorted(self._control.items())), self._measures,
        )  # fmt: skip


def _in_deployment(deployment: str, epoch: int | None) -> list[sa.ColumnElement[bool]]:
    conditions = [tallies.c.deployment == deployment]
    return conditions if epoch is None else [*conditions, tallies.c.epoch == epoch]


def _with_closed_tracks(deployment: str, epoch: int | None) -> list[sa.ColumnElement[bool]]:
    """Return conditions for tallies with closed tracks; other tallies have empty histograms."""
    return [*_in_deployment(deployment, epoch), tallies.c.tracks_closed > 0]


def _span_columns() -> tuple[sa.Label[datetime], sa.Label[datetime]]:
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
    why = Counter(
        {
            _NOT_SEARCHED_COLUMNS[reason]: count
            for reason, count in tally.tracks_not_searched.items()
        }
    )
    lost = Counter({_LOST_COLUMNS[reason]: count for reason, count in tally.tracks_lost.items()})
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
        **{name: why[name] for name in _NOT_SEARCHED_COLUMNS.values()},
        **{name: lost[name] for name in _LOST_COLUMNS.values()},
        **{name: tally.unwatched_us.get(why, 0) for why, name in _UNWATCHED_COLUMNS.items()},
        "fine_scores": {str(number): count for number, count in tally.fine_scores.items()},
        "control_scores": {str(number): count for number, count in tally.control_scores.items()},
        "measures": asdict(tally.measures),
        "baseline": tally.baseline,
        "baseline_since": tally.baseline_since,
    }


def _sum_columns() -> list[sa.Label[Any]]:
    return [
        sa.func.coalesce(sa.func.sum(tallies.c[name]), 0).label(name) for name in _SUMMED_COLUMNS
    ]


def _counts_of(row: Any) -> dict[str, Any]:
    # PostgreSQL returns the sum of big integers as a decimal.
    sums = {name: int(getattr(row, name)) for name in _SUMMED_COLUMNS}
    return {
        "tracks_searched": sums["tracks_searched"],
        "tracks_not_searched": {
            why: sums[name] for why, name in _NOT_SEARCHED_COLUMNS.items() if sums[name]
        },
        "tracks_lost": {why: sums[name] for why, name in _LOST_COLUMNS.items() if sums[name]},
        "unwatched_us": {why: sums[name] for why, name in _UNWATCHED_COLUMNS.items() if sums[name]},
        **{name: sums[name] for name in COUNTS},
    }
