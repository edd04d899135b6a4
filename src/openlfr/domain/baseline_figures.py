"""What was counted in each baseline, and in those that may be taken together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from openlfr.domain.counts import CameraCounts

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.baseline_openings import Opening


@dataclass(frozen=True, slots=True)
class BaselineFigures:
    """What was counted in one baseline.

    Attributes:
        opening: Which one; None for what names none that is recorded (frames that were never
            looked at, and what versions without baselines counted).
        until: When the next one opened, UTC; None for the last.
        counts: Of all cameras.
    """

    opening: Opening | None
    until: datetime | None
    counts: CameraCounts

    @property
    def number(self) -> int:
        """Its number; 0 for what names none."""
        return self.opening.number if self.opening else 0

    @property
    def shown(self) -> bool:
        """Whether a person has anything to read in it: of frames not looked at others tell."""
        counts = self.counts
        return self.opening is not None or any(
            (counts.frames_analysed, counts.tracks_closed, counts.alerts_opened)
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """Baselines of the same model, rules and threshold, whose figures may be added up.

    Attributes:
        numbers: Which ones.
        counts: Of all cameras in all of them.
        apart: Why not the others: numbers of each other pool, and in what it differs.
    """

    numbers: tuple[int, ...]
    counts: CameraCounts
    apart: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class FiguresByBaseline:
    """Every figure once by baseline, and once more in pools."""

    baselines: tuple[BaselineFigures, ...] = ()
    pools: tuple[Pool, ...] = ()


def figures_json(each: BaselineFigures) -> dict[str, Any]:
    """A baseline with its figures, JSON values but for moments and enums."""
    opening = each.opening
    values: dict[str, Any] = {"number": each.number}
    if opening is not None and opening.altered:
        values |= {"baseline_id": opening.baseline_id, "altered": opening.altered}
    elif opening is not None:
        content = opening.baseline.to_json()
        del content["deployment"]
        target = content["threshold"]["target_fpir"]
        content["threshold"]["target_fpir"] = None if target is None else f"{target:g}"
        values |= content | {
            "baseline_id": opening.baseline_id,
            "opened_at": opening.opened_at,
            "until": each.until,
            "why": list(opening.why),
            "fpir_may_be_claimed": opening.baseline.threshold.claims_fpir,
        }
    return values | _counted(each.counts)


def pool_json(pool: Pool) -> dict[str, Any]:
    """A pool with its figures, JSON values but for moments and enums."""
    return {
        "numbers": list(pool.numbers),
        "apart": [
            {"numbers": list(numbers), "differs_in": list(why)} for numbers, why in pool.apart
        ],
        **_counted(pool.counts),
    }


def _counted(counts: CameraCounts) -> dict[str, Any]:
    """Its figures but for those of a single camera."""
    return {
        each.name: getattr(counts, each.name)
        for each in fields(CameraCounts)
        if each.name not in ("camera", "frame_size")
    }
