"""Holds this process's cameras: takes their leases, renews them, gives them back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.redis_leases import CameraLeases, Lease

RENEW_S = 2.0
_WAIT_S = 0.5

log = structlog.get_logger()


class Holding:
    """The leases that this process holds."""

    def __init__(self, leases: CameraLeases, on_lost: Callable[[str], None]) -> None:
        """Hold nothing yet; `on_lost` is told a camera that somebody else may film now."""
        self._leases = leases
        self._on_lost = on_lost
        self._held: dict[str, Lease] = {}
        self._changed = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)

    def start(self) -> None:
        """Renew from now on what is held."""
        self._thread.start()

    def take(self, camera: str, *, epoch: int | None, stop: threading.Event) -> Lease | None:
        """Wait until the camera is free and take it; None if `stop` is set before.

        Raises:
            BadInput: The camera has had a higher epoch.
            Unavailable: Redis does not answer.
        """
        told = False
        while not stop.is_set():
            lease = self._leases.take(camera, epoch=epoch)
            if lease is not None:
                with self._changed:
                    self._held[camera] = lease
                return lease
            if not told:
                log.info("camera_is_held", camera=camera)
                told = True
            stop.wait(_WAIT_S)
        return None

    def advance(self, camera: str) -> int:
        """The epoch of another connection to a camera that is held.

        Raises:
            Unavailable: Redis does not answer, or the lease is lost.
        """
        with self._changed:
            lease = self._held.get(camera)
        next_ = None if lease is None else self._leases.advance(lease)
        if next_ is None:
            raise Unavailable(f"Camera {camera}: its lease is lost.")
        with self._changed:
            if self._held.get(camera) is lease:
                self._held[camera] = next_
        return next_.epoch

    def give_back(self, camera: str) -> None:
        """Give a camera back."""
        with self._changed:
            lease = self._held.pop(camera, None)
        if lease is not None:
            self._leases.give_back(lease)

    def close(self) -> None:
        """Stop renewing; what is held runs out by itself."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._leases.close()

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_S):
            with self._changed:
                held = list(self._held.values())
            for lease in held:
                try:
                    kept = self._leases.renew(lease)
                except Unavailable as error:  # tried again; it runs out if that lasts
                    log.warning("lease_not_renewed", camera=lease.camera, why=str(error))
                    continue
                except Exception:  # a fault of ours: the thread lives on, the lease runs out
                    log.exception("lease_not_renewed", camera=lease.camera)
                    continue
                if not kept:
                    with self._changed:
                        now = self._held.get(lease.camera)
                        lost = now is not None and now.holder == lease.holder
                        if lost:
                            del self._held[lease.camera]
                    if lost:
                        self._on_lost(lease.camera)
