"""Shows a progress bar for each camera while a street is simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from rich.console import Console

    from openlfr.simulate import StreetOptions


class StreetProgress:
    """Progress bars on a terminal; to be called with a camera and its number of finished frames.

    Calls may come from any thread.
    """

    def __init__(self, console: Console, options: StreetOptions) -> None:
        self._progress = Progress(
            TextColumn("filming {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=console.quiet or not console.is_terminal,
        )
        self._tasks = {
            name: self._progress.add_task(name, total=options.frames) for name in options.cameras
        }

    def __call__(self, camera: str, frames: int) -> None:
        """Update the bar of a camera."""
        self._progress.update(self._tasks[camera], completed=frames)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
