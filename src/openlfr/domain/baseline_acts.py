"""Is a baseline what its act says, and its id the hash of what it is?

Its row can be changed by somebody who owns the database, the audit log only by taking its triggers
away. Figures are compared and added up by what a baseline is, so under one that was altered none
are claimed.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from openlfr.domain.audit_baselines import BaselineOpened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.baseline_openings import Opening


def as_recorded(opening: Opening, deployment_id: str, act: Mapping[str, object] | None) -> Opening:
    """A baseline with what of it is not as its act says.

    Args:
        opening: As its row has it.
        deployment_id: Of which the row says that it is.
        act: The detail of the `baseline.opened` of its number; None where none was recorded.
    """
    return replace(opening, altered=_altered(opening, deployment_id, act))


def _altered(opening: Opening, deployment_id: str, act: Mapping[str, object] | None) -> str:
    content = opening.baseline
    if opening.baseline_id != content.baseline_id or content.deployment != deployment_id:
        return "its id is not the hash of its content"
    if act is None:
        return "no act opened it"
    said = BaselineOpened.of(opening)
    detail = said.detail()
    names = [each.name for each in fields(said)[1:] if detail.get(each.name) != act.get(each.name)]
    return f"{' and '.join(names)} not as its act says" if names else ""
