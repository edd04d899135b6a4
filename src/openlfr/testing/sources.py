"""Camera sources made of frames, and the opener that gives them to what films cameras."""

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
        counters: Its counts of frames left out; a test may add to them.
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
            frames: What it yields; read once, when somebody asks for frames.
            live: Whether it is a live camera rather than a file.
            start: When a file's first frame was captured; now by default.
            then: After the last frame, the error to raise or the function to call.
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
        """Yield the frames from `first_seq` on, then do what `then` asks for."""
        if self.is_live:
            self.counters.connects += 1
        yield from (frame for frame in self._frames if frame.seq >= first_seq)
        if isinstance(self._then, Exception):
            raise self._then
        if self._then is not None:
            self._then()

    def close(self) -> None:
        """Note that the source was closed."""
        self.closed = True


class Opener:
    """Opens sources one after the other, in place of `openlfr.adapters.capture.open_source`.

    Attributes:
        opened: Camera, address and epoch of each call so far.
    """

    def __init__(self, *sources: FrameSource | Exception | Callable[[int], FrameSource]) -> None:
        """Make an opener.

        Args:
            sources: What each call returns: a source, a function that makes one for an epoch, or
                an error to raise. A call too many gives a source without frames.
        """
        self._left = iter(sources)
        self.opened: list[tuple[str, str, int]] = []

    def __call__(self, camera: str, url: str, *, epoch: int, **_: Any) -> FrameSource:
        """Open the next source."""
        self.opened.append((camera, url, epoch))
        following = next(self._left, None)
        if following is None:
            return FrameSource()
        if isinstance(following, Exception):
            raise following
        return following if isinstance(following, FrameSource) else following(epoch)
