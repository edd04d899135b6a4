"""Computes the layout of score histograms as numbers for an SVG, without a drawing library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.scores import SCORE_BINS, SCORE_EDGES, SCORE_LOW, SCORE_STEP, to_coarse_bins

if TYPE_CHECKING:
    from openlfr.domain.counts import CameraCounts

WIDTH, HEIGHT = 720.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 26.0, 24.0
_GAP = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one bin: a rectangle, its label, and whether the bin reaches the threshold."""

    x: float
    y: float
    width: float
    height: float
    reached: bool
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """The score histogram of searched tracks.

    Attributes:
        bars, x_ticks, y_ticks: Bars and axis marks.
        threshold_x: Position of the threshold's line.
        base_y: Lower end of the bars.
        top_y, left_x, right_x: Edges of the chart.
        label: Description of the chart for screen readers.
    """

    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    threshold_x: float
    base_y: float
    top_y: float
    left_x: float
    right_x: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A histogram with heading and explanation."""

    id: str
    heading: str
    explained: str
    histogram: Histogram


def histograms(counts: CameraCounts, threshold: float) -> tuple[Chart, ...]:
    """Lay out the charts of scores against listed people, and against control subjects if any.

    If only control subjects were listed, their chart is the only one.
    """
    control = to_coarse_bins(counts.control_scores)
    charts = []
    if any(counts.scores) or not any(control):
        whose = " without a match with a control subject" if any(control) else ""
        charts.append(
            Chart(
                "scores",
                "Similarity of the compared faces",
                f"The best score of each compared pass{whose}, over all its searches.",
                histogram(counts.scores, threshold),
            )
        )
    if any(control):
        charts.append(
            Chart(
                "control-scores",
                "Similarity of the compared faces to control subjects",
                "The best score of each compared pass against control subjects, who consented to "
                "be searched for as a test. Passes of strangers are included.",
                histogram(control, threshold),
            )
        )
    return tuple(charts)


def select_scores(counts: CameraCounts) -> tuple[int, ...]:
    """Return the scores for a line of a table; of control subjects if only they were listed."""
    return counts.scores if any(counts.scores) else to_coarse_bins(counts.control_scores)


def histogram(counts: tuple[int, ...], threshold: float) -> Histogram:
    """Lay out the histogram.

    Args:
        counts: Number of tracks by bin of `SCORE_EDGES`.
        threshold: The threshold. A bin reaches the threshold if the middle of the bin does; the
            threshold may be inside a bin.
    """
    inner_w, base = WIDTH - _LEFT - _RIGHT, HEIGHT - _BOTTOM
    inner_h = base - _TOP
    step, top = _y_scale(max(counts))
    bin_w = inner_w / SCORE_BINS

    def x_of(score: float) -> float:
        return _LEFT + (score - SCORE_LOW) / (SCORE_STEP * SCORE_BINS) * inner_w

    bars = []
    for i, count in enumerate(counts):
        if not count:
            continue
        height = max(inner_h * count / top, 1.5)
        low, high = SCORE_EDGES[i], SCORE_EDGES[i + 1]
        reached = (low + high) / 2 >= threshold
        label = f"{low:.2f} to {high:.2f}: {count} {'pass' if count == 1 else 'passes'}"
        x = _LEFT + i * bin_w + _GAP / 2
        bars.append(Bar(x, base - height, bin_w - _GAP, height, reached, label))
    reached_count = sum(
        n for n, low in zip(counts, SCORE_EDGES, strict=False) if low + SCORE_STEP / 2 >= threshold
    )
    return Histogram(
        bars=tuple(bars),
        x_ticks=tuple(Tick(x_of(s / 10), f"{s / 10:.1f}") for s in range(-2, 11, 2)),
        y_ticks=tuple(Tick(base - inner_h * n / top, str(n)) for n in range(0, top + 1, step)),
        threshold_x=x_of(threshold),
        base_y=base,
        top_y=_TOP,
        left_x=_LEFT,
        right_x=WIDTH - _RIGHT,
        label=f"Histogram of the best score of {sum(counts)} compared passes, {reached_count} of"
        f" them at or above the threshold {threshold:.2f}.",
    )


def sparkline(counts: tuple[int, ...], threshold: float) -> tuple[Bar, ...]:
    """Lay out a small histogram of 120 x 24, for a line of a table."""
    width, height, top = 120.0, 24.0, max(*counts, 1)
    bin_w = width / SCORE_BINS
    return tuple(
        Bar(
            x=i * bin_w,
            y=height - height * count / top,
            width=bin_w * 0.85,
            height=height * count / top,
            reached=(SCORE_EDGES[i] + SCORE_EDGES[i + 1]) / 2 >= threshold,
            label="",
        )
        for i, count in enumerate(counts)
        if count
    )


def _y_scale(highest: int) -> tuple[int, int]:
    """Return the step of the axis, 1, 2 or 5 times a power of ten, and the axis' end.

    At most five steps reach beyond the highest bar.
    """
    power = 1
    while True:
        for factor in (1, 2, 5):
            step = factor * power
            if step * 5 >= highest:
                return step, step * max(-(-highest // step), 1)
        power *= 10
