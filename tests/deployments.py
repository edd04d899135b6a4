"""A deployment for tests: authorised, started, with hours of one's own."""

from datetime import UTC, datetime

from openlfr.domain.control import DeploymentState
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.in_force import DeploymentInForce


def configured(starts, ends, *, name="Market", status=DeploymentStatus.STARTED):
    """As a configuration has it; its id is its name, so that one reads what belongs to it."""
    authorisation = Authorisation(name, "Find Ann", "Square", "Act 5", "Chief X", starts, ends)
    return Deployment(name, authorisation, status)


def deployment(starts, ends, **more):
    """In force, as control.v1 said."""
    given = configured(starts, ends, **more)
    in_force = DeploymentInForce(given)
    in_force.update(state_of(given))
    return in_force


def state_of(given, version=1, **more):
    """What control.v1 says of a deployment."""
    hours = given.authorisation
    words = {
        "deployment_id": given.deployment_id, "name": given.name,
        "status": given.status, "revision": given.revision,
        "starts": hours.starts, "ends": hours.ends,
        "cameras": given.cameras, "watchlists": given.watchlists,
        "version": version, "changed_at": datetime(2026, 11, 23, 8, tzinfo=UTC),
    }  # fmt: skip
    return DeploymentState(**words | more)
