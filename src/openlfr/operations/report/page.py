"""Renders the page and the annex from their templates."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

import jinja2

from openlfr.domain.counts import add_up
from openlfr.domain.text import escape_text
from openlfr.operations.erasure_words import describe_erasures
from openlfr.operations.report import charts, figures

if TYPE_CHECKING:
    from openlfr.domain.baseline_figures import BaselineFigures
    from openlfr.domain.summary import RunSummary


def render_annex(summary: RunSummary) -> str:
    """Render the pictures of a run's alerts as one HTML document; empty without pictures."""
    cards = figures.cards(summary.alerts)
    if not any(card.probe or card.reference or card.scene for card in cards):
        return ""
    environment, here = _environment(), resources.files(__package__)
    template = environment.from_string((here / "annex.html.jinja").read_text(encoding="utf-8"))
    css = (here / "page.css").read_text(encoding="utf-8")
    return template.render(run=summary, cards=cards, plural=figures.plural, css=css)


def render_page(
    summary: RunSummary, *, data_name: str, data_sha256: str, annex: str, annex_sha256: str
) -> str:
    """Render the report as one HTML document, with all inserted text escaped.

    Args:
        summary: The figures of the run.
        data_name: Name of the JSON file with the same figures.
        data_sha256: Hash of the JSON file, hex.
        annex: Name of the file with the pictures; empty if there is none.
        annex_sha256: Hash of the annex, hex.
    """
    environment = _environment()
    here = resources.files(__package__)
    template = environment.from_string((here / "page.html.jinja").read_text(encoding="utf-8"))
    total = add_up(summary.cameras)
    return template.render(
        run=summary,
        total=total,
        headline=figures.headline(summary),
        steps=figures.funnel(summary),
        cards=figures.cards(summary.alerts),
        histograms=charts.histograms(total, summary.threshold.value),
        sparklines={
            camera.camera: charts.sparkline(charts.select_scores(camera), summary.threshold.value)
            for camera in summary.cameras
        },
        baseline_bars=_bars_of,
        not_compared=figures.not_compared,
        plural=figures.plural,
        span=_span,
        amount=_amount,
        one_in=lambda share: f"{int(1 / share):,}",
        stages=figures.timed_stages(summary.timings),
        chart=charts,
        css=(here / "page.css").read_text(encoding="utf-8"),
        data_name=data_name,
        data_sha256=data_sha256,
        annex=annex,
        annex_sha256=annex_sha256,
        erased=describe_erasures(summary.erased),
        meter=figures.render_meter,
    )


def _bars_of(each: BaselineFigures) -> tuple[charts.Bar, ...]:
    """Lay out a baseline's scores; if the threshold is unknown, no bar reaches it."""
    threshold = each.opening.baseline.threshold.value if each.opening else float("inf")
    return charts.sparkline(charts.select_scores(each.counts), threshold)


def _amount(value: float) -> str:
    """Format a count, share or rate with three significant digits, and counts completely."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return format(Decimal(f"{value:.3g}"), ",f")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_harmless,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "second": lambda at: f"{_day(at)} {_clock(at)}",
        "tenths": _tenths,
        "number": lambda value: f"{value:,}",
    }
    return environment


def _harmless(value: object) -> object:
    """Escape characters that reorder or hide text, since browsers apply them too."""
    return (
        escape_text(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
    )


def _span(first: datetime, last: datetime) -> str:
    """Describe a period; the day of its end appears only if it differs from the first day."""
    end = _clock(last) if _day(first) == _day(last) else f"{_day(last)} {_clock(last)}"
    return f"{_day(first)} {_clock(first)} to {end} UTC"


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%-d %B %Y")


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S")


def _tenths(at: datetime) -> str:
    return f"{_clock(at)}.{at.microsecond // 100_000}"
