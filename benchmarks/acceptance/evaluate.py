"""Open-set identification on the shared half of Labeled Faces in the Wild."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.acceptance.findings import Bench, Check, Findings, openlfr

if TYPE_CHECKING:
    from typing import Any

LEAST_RANK1 = 0.993
LEAST_TPIR = 0.970
AT_FPIR = "0.01"


def evaluate(bench: Bench) -> Findings:
    """Hold `openlfr evaluate` against the bars."""
    out = bench.work / "evaluate.json"
    openlfr("evaluate", bench.faces, "--json", out)
    found: dict[str, Any] = json.loads(out.read_text())
    at = found["tpir_at_fpir"][AT_FPIR]
    return Findings(
        (
            Check("LFW half: rank-1", found["rank1"], f">= {LEAST_RANK1}",
                  found["rank1"] >= LEAST_RANK1),
            Check(f"LFW half: TPIR at FPIR {AT_FPIR} (threshold {at['threshold']:.3f}, interval"
                  f" by person {at['low']:.4f} to {at['high']:.4f})",
                  at["tpir"], f">= {LEAST_TPIR}", at["tpir"] >= LEAST_TPIR),
        ),
        found,
    )  # fmt: skip
