"""What is recorded of deployments: a class for each kind of act (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class DeploymentActDetails(ActDetails):
    """Something was done to a deployment.

    Attributes:
        name: Its label at that time.
        reason: In the words of the person; empty where none was asked for.
    """

    object_kind: ClassVar[str] = "deployment"
    deployment_id: str
    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentDrafted(DeploymentActDetails):
    """A deployment was planned."""

    kind: ClassVar[str] = "deployment.drafted"


@dataclass(frozen=True, slots=True)
class DeploymentRevised(DeploymentActDetails):
    """A deployment was changed.

    Attributes:
        revision: Its number from now on.
        changes: By field: as it was, as it is.
    """

    kind: ClassVar[str] = "deployment.revised"
    revision: int = 0
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeploymentAuthorised(DeploymentActDetails):
    """Somebody answers for a deployment: the whole authorisation.

    Attributes:
        starts, ends: ISO 8601, UTC.
        cameras, watchlists: Their names; not in acts of former versions.
    """

    kind: ClassVar[str] = "deployment.authorised"
    revision: int = 0
    purpose: str = ""
    place: str = ""
    legal_basis: str = ""
    authorised_by: str = ""
    starts: str = ""
    ends: str = ""
    cameras: Sequence[str] = ()
    watchlists: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DeploymentStarted(DeploymentActDetails):
    """Faces are searched from now on, within the hours.

    Attributes:
        threshold: Per-track score; None where it was not chosen here.
        threshold_origin: Default, set or calibrated.
        threshold_list_size: Subjects that were listed then.
        config_hash: sha256 (hex) of what else decides the results.
        list_root: RFC 6962 tree hash (hex) of the list that is searched first.
    """

    kind: ClassVar[str] = "deployment.started"
    revision: int = 0
    threshold: float | None = None
    threshold_origin: str = ""
    threshold_list_size: int | None = None
    config_hash: str = ""
    list_root: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentPaused(DeploymentActDetails):
    """No face is searched until it is started again."""

    kind: ClassVar[str] = "deployment.paused"


@dataclass(frozen=True, slots=True)
class DeploymentStopped(DeploymentActDetails):
    """The watching ended; it may be started again."""

    kind: ClassVar[str] = "deployment.stopped"


@dataclass(frozen=True, slots=True)
class DeploymentClosed(DeploymentActDetails):
    """It ended for good."""

    kind: ClassVar[str] = "deployment.closed"
