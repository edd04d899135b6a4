"""Converts the figures of a run to canonical JSON: the same run always has the same bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from openlfr.domain.alert_results import US_PER_HOUR, WATCHED_HOUR
from openlfr.domain.baseline_figures import figures_json, pool_json
from openlfr.domain.counts import add_up
from openlfr.domain.scores import SCORE_EDGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.alert_results import AlertResults, FalseAlertRate, FalseAlerts
    from openlfr.domain.recognition import Recognition
    from openlfr.domain.summary import AlertItem, RunSummary

VERSION = 1
_SPECIAL_FIELDS = (
    "alerts", "baselines", "false_alerts", "pools", "recognition", "results", "threshold",
)  # fmt: skip
"""Fields that are converted one by one."""
ERASED_VALUES: Mapping[str, Any] = {"subject": "", "reference_id": "", "box": [0, 0, 0, 0]}
"""Values of the sighting of an erased event."""

REJECTED_VALUES: Mapping[str, Any] = {
    "sighting_id": "", "camera": "", "epoch": 0, "seq": 0, "captured_at": None, "score": 0,
    "quality": 0, "time_assumed": False,
}  # fmt: skip
"""Further values of a rejected event, which belongs to an alert about another person."""

_DECIMALS = 4  # more than any figure needs; avoids exponent notation


def figures_of(summary: RunSummary) -> dict[str, Any]:
    """Convert all figures of the report to JSON values, and pictures to hashes."""
    figures: dict[str, Any] = _plain(
        {f.name: getattr(summary, f.name) for f in fields(summary) if f.name not in _SPECIAL_FIELDS}
    )
    figures["baselines"] = [_plain(figures_json(each)) for each in summary.baselines]
    figures["pools"] = [_plain(pool_json(each)) for each in summary.pools]
    figures["threshold"] = _plain(summary.threshold.value)
    figures["calibrated"] = summary.threshold.is_calibrated
    figures["fpir_may_be_claimed"] = summary.threshold.is_calibrated and not summary.basis_problems
    figures["threshold_basis"] = {
        **{key: _plain(getattr(summary.threshold, key)) for key in ("origin", "list_size", "row")},
        "described": summary.threshold.describe(),
    }
    figures["results"] = results_json(summary.results) if summary.results else None
    figures["false_alerts"] = [_false_alerts(each) for each in summary.false_alerts]
    figures["tpir"] = _recognition(summary.recognition) if summary.recognition else None
    figures["version"] = VERSION
    figures["alerts"] = [_alert(item) for item in summary.alerts]
    figures["total"] = _plain(add_up(summary.cameras))
    figures["score_edges"] = _plain(SCORE_EDGES)
    return figures


def canonical_json(figures: dict[str, Any]) -> bytes:
    """Serialise by RFC 8785: sorted keys, no white space, numbers as in ECMAScript, UTF-8.

    Python and ECMAScript write numbers with at most four decimals in the same way. All keys are
    ASCII, so Python's order by code point is the required order by UTF-16 unit.
    """
    text = json.dumps(
        figures, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def results_json(results: AlertResults) -> dict[str, Any]:
    """Convert the numbers of alerts by decision and outcome."""
    values: dict[str, Any] = _plain(results)
    return values | {"unverified": results.unverified}


def share_text(share: float) -> str:
    """Format a share or rate with six significant digits, without an exponent."""
    return format(Decimal(f"{share:.6g}"), "f")


def _false_alerts(each: FalseAlerts) -> dict[str, Any]:
    bound = each.silence
    return {
        "numbers": list(each.numbers),
        "results": results_json(each.results),
        "rates": {rate.per: _rate(rate) for rate in each.rates},
        "silence": bound
        and {
            "tracks": bound.tracks,
            "tracks_per_walker": share_text(bound.tracks_per_walker),
            "tracks_per_walker_measured": bound.is_measured,
            "one_sided": share_text(bound.one_sided),
            "two_sided": share_text(bound.two_sided),
        },
    }


def _recognition(recognition: Recognition) -> dict[str, Any]:
    shares = ("lowest", "highest", "interval_low", "interval_high")
    values: dict[str, Any] = _plain(recognition)
    for each, rate in zip(values["rates"], recognition.rates, strict=True):
        stated = {name: getattr(rate, name) for name in shares}
        each |= {name: v if v is None else share_text(v) for name, v in stated.items()}
    return values


def _rate(rate: FalseAlertRate) -> dict[str, Any]:
    is_time = rate.per == WATCHED_HOUR
    total = {"total_us": round(rate.total * US_PER_HOUR)} if is_time else {"total": rate.total}
    names = ("lowest", "highest", "interval_low", "interval_high")
    return total | {name: share_text(getattr(rate, name)) for name in names}


def _alert(item: AlertItem) -> dict[str, Any]:
    sighting, flag = item.event.sighting, item.event.impossible
    sighting_values = _plain(sighting)
    del sighting_values["conflicts_in_frame"]  # `impossible` contains the conflict
    pictures = {"probe": item.probe, "reference": item.reference, "scene": item.scene}
    if item.is_erased:  # as `written_files` erases an event from a report
        sighting_values |= ERASED_VALUES
        sighting_values |= REJECTED_VALUES if item.is_rejected else {}
        flag = None
    return {
        "event": str(item.event.event),
        "event_id": item.event.event_id,
        "alert_id": item.event.alert_id,
        "category": item.category,
        "legal_basis": item.legal_basis,
        "missing": item.missing,
        "sighting": sighting_values,
        **({"impossible": _plain(flag)} if flag is not None else {}),
        "pictures_sha256": {
            name: hashlib.sha256(content).hexdigest()
            for name, content in pictures.items()
            if content
        },
        **({"erased": True} if item.is_erased else {}),
        **({"rejected": True} if item.is_rejected else {}),
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    rounded = round(float(value), _DECIMALS)
    return int(rounded) if rounded.is_integer() else rounded
