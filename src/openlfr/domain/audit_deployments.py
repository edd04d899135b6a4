"""Audit events about deployments (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class DeploymentActDetails(ActDetails):
    """Details of an act on a deployment.

    Attributes:
        name: The deployment's label at that time.
        reason: Free text of the person; empty if the act needs no reason.
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
        revision: Number of the new revision.
        changes: Old and new value by field.
    """

    kind: ClassVar[str] = "deployment.revised"
    revision: int = 0
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeploymentAuthorised(DeploymentActDetails):
    """A deployment was authorised; the act contains the whole authorisation.

    Attributes:
        starts, ends: ISO 8601, UTC.
        cameras, watchlists: Names; empty in acts of earlier versions.
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
    """A deployment was started, so that faces are searched within its hours.

    Attributes:
        threshold: Per-track score from which a track is matched; None if the starting command did
            not choose a threshold.
        threshold_origin: default, set or calibrated.
        threshold_list_size: Number of subjects listed at the start.
        config_hash: sha256 (hex) of the other settings that determine the results.
        list_root: RFC 6962 tree hash (hex) of the list at the start.
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
    """A deployment was paused, so that no face is searched until the next start."""

    kind: ClassVar[str] = "deployment.paused"


@dataclass(frozen=True, slots=True)
class DeploymentStopped(DeploymentActDetails):
    """A deployment was stopped; it may be started again."""

    kind: ClassVar[str] = "deployment.stopped"


@dataclass(frozen=True, slots=True)
class DeploymentClosed(DeploymentActDetails):
    """A deployment was closed for good."""

    kind: ClassVar[str] = "deployment.closed"


@dataclass(frozen=True, slots=True)
class ReportWritten(DeploymentActDetails):
    """A report of the deployment was written; the act precedes the files.

    Attributes:
        folder: Absolute path of the report's folder, so that an erasure finds the report.
        host: Name of the machine with the folder.
    """

    kind: ClassVar[str] = "deployment.report_written"
    folder: str = ""
    host: str = ""
