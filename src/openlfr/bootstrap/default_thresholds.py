"""The measured default thresholds of a model, by length of the list."""

from __future__ import annotations

from openlfr.domain.thresholds import DefaultRow

SFACE_SHA256 = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"

SFACE_DEFAULTS = (
    DefaultRow(20, 0.410, 3275, 3, 0.00267),
    DefaultRow(100, 0.460, 3275, 3, 0.00267),
    DefaultRow(400, 0.480, 3275, 3, 0.00267),
    DefaultRow(800, 0.490, 3275, 2, 0.00220),
)
"""SFace's default thresholds by length of the list. Each is the lowest threshold at which at most 1
in 1000 passes of strangers raises an alert. `python -m benchmarks.default_thresholds`
prints the table (docs/benchmarks.md, ADR 0022)."""
