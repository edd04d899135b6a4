"""Camera sources made of frames, and an opener for code that films cameras."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openlfr.adapters.capture.counters import SourceWithCounters
from openlfr.domain.frames import StartOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import timedelta

    from openlfr.domain.frames import DisplayTransform, Frame


class FrameSource(SourceWithCounters):
    """A `Source` that yields given frames.

    Attributes:
        counters: The counts of the source; a test may add to them.
        closed: Whether `close` was called.
    """

    def __init__(
        self,
        frames: Iterable[Frame] = (),
        *,
        live: bool = False,
        start: datetime | None = None,
        then: Exception | Callable[[], object] | None = None,
    ) -> None:
        """Make a source.

        Args:
            frames: The frames to yield; iterated once, by `frames`.
            live: Whether the source is a live camera rather than a file.
            start: Capture time of a file's first frame; by default the present time.
            then: The error to raise, or the function to call, after the last frame.
        """
        super().__init__()
        self._frames, self._then = frames, then
        self.is_live, self.start = live, start or datetime.now(UTC)
        self.start_origin = StartOrigin.CONFIGURED
        self.closed = False
        self.fps: float | None = None
        self.frame_count: int | None = None
        self.duration: timedelta | None = None
        self.display_transform: DisplayTransform | None = None

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield the frames from `first_seq` on; then raise or call `then`."""
        if self.is_live:
            self.counters.connects += 1
        yield from (frame for frame in self._frames if frame.seq >= first_seq)
        if isinstance(self._then, Exception):
            raise self._then
        if self._then is not None:
            self._then()

    def close(self) -> None:
        """Record that the source was closed."""
        self.closed = True


class Opener:
    """Opens sources one after the other, in place of `openlfr.adapters.capture.open_source`.

    Attributes:
        opened: Camera, address and epoch of each call so far.
    """

    def __init__(self, *sources: FrameSource | Exception | Callable[[int], FrameSource]) -> None:
        """Make an opener.

        Args:
            sources: The result of each call: a source, a function that makes a source for an epoch,
                or an error to raise. Further calls return a source without frames.
        """
        self._remaining = iter(sources)
        self.opened: list[tuple[str, str, int]] = []

    def __call__(self, camera: str, url: str, *, epoch: int, **_: Any) -> FrameSource:
        """Open the next source."""
        self.opened.append((camera, url, epoch))
        source = next(self._remaining, None)
        if source is None:
            return FrameSource()
        if isinstance(source, Exception):
            raise source
        return source if isinstance(source, FrameSource) else source(epoch)
