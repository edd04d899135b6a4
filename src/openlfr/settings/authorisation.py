"""Refuses work without a complete authorisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from openlfr.domain.deployment import Deployment
    from openlfr.settings.schema import Settings


def require_authorisation(settings: Settings) -> Deployment:
    """Return the deployment, if its authorisation is complete.

    Raises:
        Misconfigured: The authorisation is absent or incomplete; the message lists every missing
            field.
    """
    deployment = settings.deployment
    if deployment is not None:
        return deployment
    missing = settings.deployment_entry.missing
    names = [f"deployment.{name}" for name in missing]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    verb = "is" if len(names) == 1 else "are"
    raise Misconfigured(
        f"not authorised: {listed} {verb} missing in {settings.path};"
        " no camera is opened without a complete authorisation"
    )
