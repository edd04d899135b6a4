"""The counts of each baseline, and of groups of baselines whose counts may be added up."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from openlfr.domain.counts import CameraCounts

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.baseline_openings import Opening


@dataclass(frozen=True, slots=True)
class BaselineFigures:
    """The counts of one baseline.

    Attributes:
        opening: The baseline; None for counts without a recorded, unaltered baseline: frames that
            were never analysed, counts of versions without baselines, and counts of altered ones.
        until: Time at which the next baseline opened, UTC; None for the last baseline, and without
            a baseline.
        counts: Sum of all cameras.
    """

    opening: Opening | None
    until: datetime | None
    counts: CameraCounts

    @property
    def number(self) -> int:
        """The baseline's number; 0 without a baseline."""
        return self.opening.number if self.opening else 0

    @property
    def is_displayed(self) -> bool:
        """False for skipped frames without a baseline, which are displayed elsewhere.

        Counts without a baseline are displayed if they include an analysed frame, a closed track or
        an opened alert.
        """
        counts = self.counts
        return self.opening is not None or any(
            (counts.frames_analysed, counts.tracks_closed, counts.alerts_opened)
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """Baselines of the same model, rules and threshold, whose figures may be added up.

    Attributes:
        numbers: Numbers of the baselines.
        counts: Sum of all cameras in all these baselines.
        other_pools: For each other pool, the numbers of its baselines, and the differences.
    """

    numbers: tuple[int, ...]
    counts: CameraCounts
    other_pools: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class FiguresByBaseline:
    """The same counts by baseline and by pool; pools contain only unaltered baselines."""

    baselines: tuple[BaselineFigures, ...] = ()
    pools: tuple[Pool, ...] = ()


def figures_json(each: BaselineFigures) -> dict[str, Any]:
    """Return a baseline and its counts as JSON values, with times and enums as Python objects.

    An altered baseline has only its number, its id and the alteration, and its counts.
    """
    opening = each.opening
    values: dict[str, Any] = {"number": each.number}
    if opening is not None and opening.alteration:
        values |= {"baseline_id": opening.baseline_id, "altered": opening.alteration}
    elif opening is not None:
        content = opening.baseline.to_json()
        del content["deployment"]
        target = content["threshold"]["target_fpir"]
        content["threshold"]["target_fpir"] = None if target is None else f"{target:g}"
        values |= content | {
            "baseline_id": opening.baseline_id,
            "opened_at": opening.opened_at,
            "until": each.until,
            "why": list(opening.changes),
            "fpir_may_be_claimed": opening.baseline.threshold.claims_fpir,
        }
    return values | _counts_json(each.counts)


def pool_json(pool: Pool) -> dict[str, Any]:
    """Return a pool and its counts as JSON values, with times and enums as Python objects."""
    return {
        "numbers": list(pool.numbers),
        "apart": [
            {"numbers": list(numbers), "differs_in": list(why)} for numbers, why in pool.other_pools
        ],
        **_counts_json(pool.counts),
    }


def _counts_json(counts: CameraCounts) -> dict[str, Any]:
    """Return the counts without the fields of a single camera."""
    return {
        each.name: getattr(counts, each.name)
        for each in fields(CameraCounts)
        if each.name not in ("camera", "frame_size")
    }
