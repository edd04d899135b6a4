"""Detects baselines whose row was altered in the database.

A row is compared with the act that opened the baseline, and its id with the hash of its content.
The owner of the database can change the row, but the audit log only after removing its triggers.
Figures are compared and added up by the content of baselines, so an altered one has no figures.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from openlfr.domain.audit_baselines import BaselineOpened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.baseline_openings import Opening


def as_recorded(opening: Opening, deployment_id: str, act: Mapping[str, object] | None) -> Opening:
    """Return the opening with `altered` set from a comparison with its act.

    Args:
        opening: The opening as read from its row.
        deployment_id: The deployment that the row names.
        act: The details of the `baseline.opened` act with its number; None without such an act.
    """
    return replace(opening, altered=_alteration(opening, deployment_id, act))


def _alteration(opening: Opening, deployment_id: str, act: Mapping[str, object] | None) -> str:
    content = opening.baseline
    if opening.baseline_id != content.baseline_id or content.deployment != deployment_id:
        return "its id is not the hash of its content"
    if act is None:
        return "no act opened it"
    expected = BaselineOpened.of(opening)
    detail = expected.detail()
    names = [
        each.name for each in fields(expected)[1:] if detail.get(each.name) != act.get(each.name)
    ]
    return f"{' and '.join(names)} not as its act says" if names else ""
