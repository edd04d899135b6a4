"""Requires a complete authorisation, without which no camera is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from openlfr.domain.deployment import Deployment
    from openlfr.settings.schema import Settings


def require_authorisation(settings: Settings) -> Deployment:
    """Return the deployment with its complete authorisation.

    Raises:
        Misconfigured: The authorisation is absent or incomplete. The message lists all missing
            fields.
    """
    deployment = settings.deployment
    if deployment is not None:
        return deployment
    missing = settings.deployment_entry.missing
    names = [f"deployment.{name}" for name in missing]
    fields = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    verb = "is" if len(names) == 1 else "are"
    raise Misconfigured(
        f"not authorised: {fields} {verb} missing in {settings.path};"
        " no camera is opened without a complete authorisation"
    )
