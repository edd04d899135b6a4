"""Deployments for tests: authorised, started, with chosen hours."""

from datetime import UTC, datetime

from openlfr.domain.control import DeploymentState
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.in_force import DeploymentInForce


def configured(starts, ends, *, name="Market", status=DeploymentStatus.STARTED):
    """Return a deployment as configured; its id is its name, so that ids are readable."""
    authorisation = Authorisation(name, "Find Ann", "Square", "Act 5", "Chief X", starts, ends)
    return Deployment(name, authorisation, status)


def deployment(starts, ends, **more):
    """Return a deployment in force, as read from control.v1."""
    given = configured(starts, ends, **more)
    in_force = DeploymentInForce(given)
    in_force.update(state_of(given))
    return in_force


def state_of(given, version=1, **more):
    """Return the state of a deployment as published on control.v1."""
    hours = given.authorisation
    words = {
        "deployment_id": given.deployment_id, "name": given.name,
        "status": given.status, "revision": given.revision,
        "starts": hours.starts, "ends": hours.ends,
        "cameras": given.cameras, "watchlists": given.watchlists,
        "version": version, "changed_at": datetime(2026, 11, 23, 8, tzinfo=UTC),
    }  # fmt: skip
    return DeploymentState(**words | more)
