"""Counts and times of one camera in all of its filming sessions, for metrics and health pages."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openlfr_ingest.filming import FilmingSession


class CameraStatus:
    """The status of one camera. Safe from any thread.

    Attributes:
        session: The latest filming session; None before the first.
    """

    def __init__(self) -> None:
        """Start without a session, for a camera that should not be filmed yet."""
        self.session: FilmingSession | None = None
        self._lock = threading.Lock()
        self._earlier_counts: Counter[str] = Counter()  # of earlier sessions and the supervisor
        self._earlier_sent_at = 0.0  # seconds since 1970, of earlier sessions
        self._wanted_since = 0.0  # seconds since 1970; 0 while no frame is due

    @property
    def counts(self) -> Counter[str]:
        """The counts of all sessions and of the supervisor.

        The supervisor counts leases_lost, crashes, and its waits by reason: waits_for_hours,
        hours_over, waits_while_paused, waits_for_control, not_of_deployment.
        """
        with self._lock:
            return self._earlier_counts + (self.session.counts if self.session else Counter())

    @property
    def silent_since(self) -> float | None:
        """When a frame last reached Kafka, or frames became due, if later; seconds since 1970.

        None while no frame is due: the deployment is not in force, or a file has ended. A camera
        that ended for another reason counts as silent.
        """
        with self._lock:
            if self.session is not None and self.session.is_paused:
                return None
            last_sent = self.session.last_sent_at if self.session else 0.0
            sent_at = max(self._earlier_sent_at, last_sent)
            wanted_since = self._wanted_since
        return max(sent_at, wanted_since) if wanted_since else None

    @property
    def is_wanted(self) -> bool:
        """Whether frames of the camera are due now."""
        return bool(self._wanted_since)

    def set_wanted(self, *, wanted: bool = True) -> None:
        """Record whether frames are due from now on; a repeated call changes nothing."""
        with self._lock:
            self._wanted_since = (self._wanted_since or time.time()) if wanted else 0.0

    def count(self, name: str) -> None:
        """Add one to a count."""
        with self._lock:
            self._earlier_counts[name] += 1

    def begin_session(self, session: FilmingSession) -> None:
        """Replace the session, and add the counts of the previous session to the total."""
        with self._lock:
            if self.session is not None:
                self._earlier_counts += self.session.counts
                self._earlier_sent_at = max(self._earlier_sent_at, self.session.last_sent_at)
            self.session = session
