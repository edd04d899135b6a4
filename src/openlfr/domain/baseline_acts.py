"""Detects baselines whose row was altered in the database.

A row is compared with the act that opened the baseline, and the row's id with the hash of its
content. The owner of the database can change the row, but must remove triggers to change the audit
log. Figures are compared and added up by the content of baselines, so an altered baseline has no
figures.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from openlfr.domain.audit_baselines import BaselineOpened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.baseline_openings import Opening


def with_alteration(
    opening: Opening, deployment_id: str, act: Mapping[str, object] | None
) -> Opening:
    """Return the opening with `alteration` set from a comparison with its act.

    Args:
        opening: The opening as read from its row.
        deployment_id: The deployment that the row names.
        act: The details of the `baseline.opened` act with the same number; None without one.
    """
    return replace(opening, alteration=_find_alteration(opening, deployment_id, act))


def _find_alteration(opening: Opening, deployment_id: str, act: Mapping[str, object] | None) -> str:
    content = opening.baseline
    if opening.baseline_id != content.baseline_id or content.deployment != deployment_id:
        return "its id is not the hash of its content"
    if act is None:
        return "no act opened it"
    expected = BaselineOpened.from_opening(opening)
    detail = expected.detail()
    names = [
        each.name for each in fields(expected)[1:] if detail.get(each.name) != act.get(each.name)
    ]
    return f"{' and '.join(names)} changed after its act" if names else ""
