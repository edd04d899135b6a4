"""A deployment for tests: authorised, started, with hours of one's own."""

from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.in_force import DeploymentInForce


def deployment(starts, ends, *, name="Market", status=DeploymentStatus.STARTED):
    """In force; its id is its name, so that one reads in a test what belongs to it."""
    authorisation = Authorisation(name, "Find Ann", "Square", "Act 5", "Chief X", starts, ends)
    return DeploymentInForce(Deployment(name, authorisation, status))
