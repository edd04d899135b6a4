"""The ports: interfaces of models, cameras and stores.

Each port has a real adapter and an in-process adapter.

All adapters of a port pass the same contract suite in `tests/contract`.
Errors: `BadInput` for one unusable item, `Unavailable` while the service does not answer, and
`Misconfigured` if the service can never work with these settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.ports.alerts import AlertChanges, AlertRecording, AlertRecords
from openlfr.ports.deployments import (
    BaselineChanges,
    BaselineRecords,
    CalibrationChanges,
    CalibrationRecords,
    DeploymentChanges,
    DeploymentRecords,
)
from openlfr.ports.passages import PassageChanges, PassageRecords
from openlfr.ports.records import AuditLog, Records, Tallies, UnitOfWork
from openlfr.ports.watchlist import WatchlistChanges, WatchlistRecords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import numpy as np
    from numpy.typing import NDArray

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.faces import Candidate, Detection
    from openlfr.domain.frames import Frame
    from openlfr.domain.impossible import ImpossibleMatch
    from openlfr.domain.sightings import Sighting
    from openlfr.domain.templates import GalleryFacts, StoredTemplate

__all__ = [
    "AlertBook",
    "AlertChanges",
    "AlertRecording",
    "AlertRecords",
    "AuditLog",
    "BaselineChanges",
    "BaselineRecords",
    "CalibrationChanges",
    "CalibrationRecords",
    "CameraSource",
    "DeploymentChanges",
    "DeploymentRecords",
    "FaceDetector",
    "FaceEmbedder",
    "PassageChanges",
    "PassageRecords",
    "Records",
    "Tallies",
    "TemplateStore",
    "UnitOfWork",
    "Vault",
    "WatchlistChanges",
    "WatchlistIndex",
    "WatchlistRecords",
]


class FaceDetector(Protocol):
    """A detector of faces and their five landmarks."""

    def detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Detect faces in pictures, all with one input size.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.
            input_size: (width, height) of the network's input. Each picture is scaled to fit into
                this size with its aspect ratio, so this size limits how small a face may be.

        Returns:
            The detections of each picture in source pixels, best score first.
        """
        ...

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect all possible faces in small pictures, before parts of the pictures are stored.

        The detector chooses its input size and a low confidence. Here a false face does little
        harm, while an overlooked face would stay visible in the evidence.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.

        Returns:
            The detections of each picture in source pixels.
        """
        ...


class FaceEmbedder(Protocol):
    """A model that computes templates of aligned faces."""

    @property
    def facts(self) -> GalleryFacts:
        """The model and dimension that all templates of this embedder share."""
        ...

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the templates of aligned faces.

        Args:
            faces: (n, 112, 112, 3) uint8 BGR, aligned by `stages.align`.

        Returns:
            (n, dimension) float32, each row L2-normalised. n may be 0.
        """
        ...


class CameraSource(Protocol):
    """An open camera, video file or image folder."""

    @property
    def fps(self) -> float | None:
        """The frame rate that the source declares; None if it declares none."""
        ...

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield frames from `first_seq` on, in order, until the source ends.

        Raises:
            BadInput: The source is truncated. All frames before that point were yielded.
        """
        ...

    def close(self) -> None:
        """Close the source; safe to call twice and from another thread."""
        ...


class TemplateStore(Protocol):
    """The store of record for reference templates (Milvus Lite, Milvus)."""

    def facts(self) -> GalleryFacts | None:
        """Return the model of all stored templates; None while the store is new."""
        ...

    def put(self, templates: Sequence[StoredTemplate]) -> None:
        """Insert or replace templates by reference_id.

        On return the templates are on disk, and a strongly consistent read has confirmed that.

        Raises:
            BadInput: A vector has the wrong dimension, is not finite, or is not of unit length.
        """
        ...

    def remove(self, reference_ids: Sequence[str]) -> None:
        """Delete templates from the disk; unknown ids are ignored."""
        ...

    def get(self, reference_ids: Sequence[str]) -> list[StoredTemplate]:
        """Return the stored templates of these references, ordered by reference_id."""
        ...

    def all(self, watchlists: Sequence[str]) -> list[StoredTemplate]:
        """Return all stored templates of these watchlists, ordered by reference_id."""
        ...

    def close(self) -> None:
        """Close the store and release its lock; safe to call twice."""
        ...


class WatchlistIndex(Protocol):
    """An index of the templates that are searchable now."""

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """Return the most similar subjects for each template, best first.

        Each subject is one candidate. At most `limit` listed people and at most `limit` control
        subjects are returned. A score is a cosine similarity and does not depend on the other
        entries of the list.

        Args:
            templates: (n, dimension) float32, L2-normalised.
            at: Each template's `captured_at`; references that expired before are left out.
            limit: Maximum number of listed people, and of control subjects, per template.
        """
        ...

    def __len__(self) -> int:
        """Return the number of searchable references, expired references included."""
        ...


class AlertBook(Protocol):
    """A store that assigns sightings to alerts atomically, and counts events and opened alerts."""

    def nearest_sightings(self, sighting: Sighting) -> list[Sighting]:
        """Return the subject's stored sightings nearest in capture time, a few on each side."""
        ...

    def has_folded(self, sighting: Sighting, *, call: str = "") -> bool:
        """Return whether `fold` would return None.

        Then another call has folded this sighting, or the sighting was erased.
        """
        ...

    def fold(
        self,
        sighting: Sighting,
        *,
        window: timedelta,
        call: str = "",
        impossible: ImpossibleMatch | None = None,
    ) -> AlertEvent | None:
        """Assign a sighting to an alert; return None if another call has folded the sighting.

        A sighting joins an alert of its deployment and subject if it was captured within `window`
        of any sighting of that alert, before or after. Otherwise it opens an alert. The event and
        its flag are stored in the same atomic step, so a crash before publishing loses neither.

        Args:
            sighting: The sighting.
            window: Maximum difference in capture time within one alert.
            call: Key of this call, such as the message's offset. A repeated call with the same key
                returns the stored event again. So a process that was killed between folding and
                publishing can publish the event after a restart. Without a key every call is new.
            impossible: The flag of an impossible match; a repeated call returns the first flag.
        """
        ...

    def move(self, event: AlertEvent) -> None:
        """Move a stored event to another alert, because the event's alert was over.

        Later sightings join the new alert too. An erased event stays erased.
        """
        ...

    def events(self, deployment: str) -> list[AlertEvent]:
        """Return all stored events of the deployment in the order of folding."""
        ...

    def event_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Return the number of events by (camera, UTC hour as 'YYYY-MM-DDTHH'), without replays."""
        ...

    def opened_alert_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Return the number of opened alerts, with the keys of `event_counts`."""
        ...

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings (rejected or expired alerts).

        Their ids are retained. Expired events are erased from the disk as well.
        """
        ...

    def close(self) -> None:
        """Close the connection, and end the server if this process started it."""
        ...


class Vault(Protocol):
    """A store of encrypted blobs: reference pictures and evidence."""

    def put(self, name: str, content: bytes) -> None:
        """Store or replace a blob; on return the blob is on disk."""
        ...

    def get(self, name: str) -> bytes:
        """Return the content of a blob.

        Raises:
            BadInput: The blob does not exist, was altered, or was encrypted under another key.
        """
        ...

    def delete(self, name: str) -> None:
        """Erase a blob; an unknown name is ignored."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all blobs that start with `prefix`, sorted."""
        ...

    def erase_unfinished(self, before: datetime) -> int:
        """Erase files that a crash before this moment left incomplete; return their number."""
        ...

    def derive(self, purpose: str) -> bytes:
        """Return the key of 32 bytes for one purpose, the same in every call.

        A derived key reveals nothing about other keys.
        """
        ...

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content that is stored elsewhere, such as a template in the records."""
        ...

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt the result of `seal` with the same name.

        Raises:
            BadInput: The content was altered, or sealed with another name or key.
        """
        ...
