"""The ports: interfaces of models, cameras and stores. Each has a real and an in-process adapter.

All adapters of a port pass the same contract suite in `tests/contract`.
Errors: `BadInput` for one unusable item, `Unavailable` while the service does not answer,
`Misconfigured` if it can never work with these settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.ports.alerts import AlertChanges, AlertRecording, AlertRecords
from openlfr.ports.deployments import (
    BaselineChanges,
    BaselineRecords,
    DeploymentChanges,
    DeploymentRecords,
)
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
    "CameraSource",
    "DeploymentChanges",
    "DeploymentRecords",
    "FaceDetector",
    "FaceEmbedder",
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
    """Finds faces and their five landmarks."""

    def detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Detect faces in pictures, all with one input size.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.
            input_size: (width, height) of the network's input. Each picture is scaled to fit into
                it with its aspect ratio, so the size determines how small a face can be found.

        Returns:
            The detections of each picture in source pixels, best score first.
        """
        ...

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect all possible faces in small pictures, before a part of them is kept.

        The detector chooses its input size and a low confidence: a false face does little harm
        here, while an overlooked face would be shown.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.

        Returns:
            The detections of each picture in source pixels.
        """
        ...


class FaceEmbedder(Protocol):
    """Makes templates of aligned faces."""

    @property
    def facts(self) -> GalleryFacts:
        """Facts that all templates of this embedder have in common."""
        ...

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned faces.

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
        """The source's own frame rate; None if it has none."""
        ...

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield frames from `first_seq` on, in order, until the source ends.

        Raises:
            BadInput: The source is truncated; the frames before were yielded.
        """
        ...

    def close(self) -> None:
        """Free the source; safe to call twice and from another thread."""
        ...


class TemplateStore(Protocol):
    """The store of record for reference templates (Milvus Lite, Milvus)."""

    def facts(self) -> GalleryFacts | None:
        """Facts that all stored templates have in common; None while the store is new."""
        ...

    def put(self, templates: Sequence[StoredTemplate]) -> None:
        """Insert or replace by reference_id; durable on return, confirmed by a strong read.

        Raises:
            BadInput: A vector of the wrong dimension, not finite, or not of unit length.
        """
        ...

    def remove(self, reference_ids: Sequence[str]) -> None:
        """Delete; unknown ids are ignored. Durable on return."""
        ...

    def get(self, reference_ids: Sequence[str]) -> list[StoredTemplate]:
        """The stored templates of these references, ordered by reference_id."""
        ...

    def all(self, watchlists: Sequence[str]) -> list[StoredTemplate]:
        """Every stored template of these watchlists, ordered by reference_id."""
        ...

    def close(self) -> None:
        """Free the store and its lock; safe to call twice."""
        ...


class WatchlistIndex(Protocol):
    """Searches the templates that are searchable now."""

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """The best subjects for each template, best first, one candidate for each subject.

        At most `limit` listed people are returned, and as many control subjects. A score is a
        cosine similarity and does not depend on who else is listed.

        Args:
            templates: (n, dimension) float32, L2-normalised.
            at: Each template's `captured_at`; references that expired before it are left out.
            limit: Most listed people, and most control subjects, for each template.
        """
        ...

    def __len__(self) -> int:
        """Number of searchable references, expired ones included."""
        ...


class AlertBook(Protocol):
    """Folds sightings into alerts, atomically, and counts them (Redis, memory)."""

    def nearest(self, sighting: Sighting) -> list[Sighting]:
        """The stored sightings of the same subject nearest in capture time, a few on each side."""
        ...

    def knows(self, sighting: Sighting, *, call: str = "") -> bool:
        """Whether `fold` would return None: another call has folded it, or it was erased."""
        ...

    def fold(
        self,
        sighting: Sighting,
        *,
        window: timedelta,
        call: str = "",
        impossible: ImpossibleMatch | None = None,
    ) -> AlertEvent | None:
        """Open an alert or join one; None if this sighting was folded before.

        A sighting joins an alert of its deployment and subject if it was captured within `window`
        of any sighting of that alert, before or after. Otherwise it opens an alert. The event and
        its flag are stored in the same atomic step, so that a crash before publishing loses
        neither.

        Args:
            sighting: The sighting.
            window: Greatest difference in capture time within one alert.
            call: Key of this call, such as the message's offset. A repeated call with the same key
                returns the stored event again, so that a process that was killed between folding
                and publishing can publish it after a restart. Without a key no call is repeated.
            impossible: The flag of an impossible match; a repeated call returns the first one.
        """
        ...

    def move(self, event: AlertEvent) -> None:
        """Move a stored event to another alert, since the alert that it joined was over.

        Later sightings join the other alert too. An erased event stays erased.
        """
        ...

    def events(self, deployment: str) -> list[AlertEvent]:
        """Every stored event of the deployment in the order of folding."""
        ...

    def counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Number of events by (camera, hour as 'YYYY-MM-DDTHH' UTC), without replays."""
        ...

    def opened(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Number of opened alerts, by the keys of `counts`."""
        ...

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings (rejected or expired alerts).

        Their ids stay known. Events that have expired are erased from the disk as well.
        """
        ...

    def close(self) -> None:
        """Free the connection, and end the server if this process started it."""
        ...


class Vault(Protocol):
    """Encrypted blobs: reference pictures and evidence."""

    def put(self, name: str, content: bytes) -> None:
        """Store or replace; durable on return."""
        ...

    def get(self, name: str) -> bytes:
        """The content of a blob.

        Raises:
            BadInput: There is no such blob, or it was altered or encrypted under another key.
        """
        ...

    def delete(self, name: str) -> None:
        """Erase; an unknown name is ignored."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Names of all blobs that start with `prefix`, sorted."""
        ...

    def erase_unfinished(self, before: datetime) -> int:
        """Erase partly written files from a crash before this moment; return their number."""
        ...

    def derive(self, purpose: str) -> bytes:
        """A constant key of 32 bytes for one purpose; it reveals nothing about other keys."""
        ...

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content that is stored elsewhere (a template in the outbox of the records)."""
        ...

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt the result of `seal` with the same name.

        Raises:
            BadInput: It was altered, or sealed with another name or under another key.
        """
        ...
