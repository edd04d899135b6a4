"""What the core asks of the world. Each port has a real and an in-process adapter.

Every adapter of a port passes the same contract suite in `tests/contract`.
Errors: `BadInput` for one unusable item, `Unavailable` when the service does not answer,
`Misconfigured` when it can never work as it is set.
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
    from openlfr.domain.impossible import Impossible
    from openlfr.domain.sightings import Sighting
    from openlfr.domain.watchlist import GalleryFacts, StoredTemplate

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
        """Detect faces in pictures of one camera size class.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.
            input_size: (width, height) of the network's input; each picture is shrunk or grown
                to fit into it with its aspect kept, so the size decides the range of a camera.

        Returns:
            For each picture its detections in source pixels, best score first.
        """
        ...

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect whatever may be a face in small pictures, before some of them is kept.

        Size and the least confidence are the detector's own: a false face does little harm where
        an overlooked one would be shown.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.

        Returns:
            For each picture its detections in source pixels.
        """
        ...


class FaceEmbedder(Protocol):
    """Turns aligned faces into templates."""

    @property
    def facts(self) -> GalleryFacts:
        """What every template of this embedder has in common."""
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
        """The source's own frame rate; None where it has none."""
        ...

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield frames from `first_seq` on, in order, until the source ends.

        Raises:
            BadInput: The source breaks off (truncated file); frames before it were yielded.
        """
        ...

    def close(self) -> None:
        """Free the source; safe to call twice and from another thread."""
        ...


class TemplateStore(Protocol):
    """The store of record for reference templates (Milvus Lite, Milvus)."""

    def facts(self) -> GalleryFacts | None:
        """What the stored templates have in common; None while the store is new."""
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
        """Those of these templates that are stored, ordered by reference_id."""
        ...

    def all(self, watchlists: Sequence[str]) -> list[StoredTemplate]:
        """Every stored template of these watchlists, ordered by reference_id."""
        ...

    def close(self) -> None:
        """Free the store and its lock; safe to call twice."""
        ...


class WatchlistIndex(Protocol):
    """Answers searches over the templates that are searchable now."""

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """Best subjects for each template, best first, one candidate a subject.

        The best `limit` of those who are looked for are among them, and as many control subjects.
        A score is a cosine similarity and does not depend on who else is listed.

        Args:
            templates: (n, dimension) float32, L2-normalised.
            at: For each template its `captured_at`; references expired by then do not answer.
            limit: How many subjects at most, and as many control subjects.
        """
        ...

    def __len__(self) -> int:
        """How many references are searchable, expired ones included."""
        ...


class AlertBook(Protocol):
    """Folds sightings into alerts, atomically, and keeps the counts (Redis, memory)."""

    def near(self, sighting: Sighting) -> list[Sighting]:
        """The stored sightings of its subject that lie nearest in captured time, a few a side."""
        ...

    def knows(self, sighting: Sighting, *, call: str = "") -> bool:
        """Whether `fold` would give nothing: another call has folded it, or it was erased since."""
        ...

    def fold(
        self,
        sighting: Sighting,
        *,
        window: timedelta,
        call: str = "",
        impossible: Impossible | None = None,
    ) -> AlertEvent | None:
        """Open an alert or join one; None if this sighting is known already.

        The call that folded it gives its event each time that it is repeated with the same
        `call` (where the message stood, for instance), so that who was killed between folding
        and telling can make up for it. Without a `call` each call is one of its own.

        A sighting joins the alert of its (deployment, subject) when it was captured within
        `window` of any sighting of that alert (late and early ones included), else it opens
        one. The event is stored with the same atomic step, so that it outlives a crash before
        anybody has seen it; so is what says that it is impossible, which a repeated call gives as
        the first one had it.
        """
        ...

    def move(self, event: AlertEvent) -> None:
        """Put a stored event under another alert, since the one it joined was over.

        Sightings after it join that one. An event that was forgotten stays so.
        """
        ...

    def events(self, deployment: str) -> list[AlertEvent]:
        """Every stored event of the deployment in the order of folding."""
        ...

    def counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Events counted by (camera, hour as 'YYYY-MM-DDTHH' UTC), replays not counted twice."""
        ...

    def opened(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Alerts that were opened, counted as `counts` counts events."""
        ...

    def forget(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings (rejected or expired alerts).

        Their ids stay known, and what has expired by itself is erased for good as well.
        """
        ...

    def close(self) -> None:
        """Free the connection, and the server where this process started it."""
        ...


class Vault(Protocol):
    """Encrypted blobs: reference pictures and evidence."""

    def put(self, name: str, content: bytes) -> None:
        """Store or replace; durable on return."""
        ...

    def get(self, name: str) -> bytes:
        """The content.

        Raises:
            BadInput: No such blob, or it was altered or encrypted under another key.
        """
        ...

    def delete(self, name: str) -> None:
        """Erase; an unknown name is ignored."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Names of all blobs that start with `prefix`, sorted."""
        ...

    def erase_unfinished(self, before: datetime) -> int:
        """Erase what a crash left half written before this; how many they were."""
        ...

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, always the same; it says nothing of other keys."""
        ...

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt what is kept elsewhere (a template on its way through the records)."""
        ...

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` gave under the same name.

        Raises:
            BadInput: Altered, of another name, or encrypted under another key.
        """
        ...
