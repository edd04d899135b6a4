"""Options of a simulated street."""

from __future__ import annotations

from dataclasses import dataclass

from openlfr.domain.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class StreetOptions:
    """Options of a street; together with the photos they determine every pixel.

    Attributes:
        seed: Seed of all random choices.
        seconds, fps, width, height: Format of each camera's video.
        people: Number of journeys; a journey passes one or more cameras.
        cameras: Names of the cameras; each has its own video of its own street.
        watchlist: Number of listed people.
        enrol: Number of reference photos of each listed person; these photos are not drawn.
        min_px, max_px: Width of the farthest and the nearest face, pixels: the side of the square
            between ears, chin and brow.
        eligible_px: Minimum width of an eligible face, pixels. An eligible face is also at least
            70% visible and wholly inside the picture, so it should be found.
        crf: H.264 quality, 0 (lossless) to 51.
        watch_share: Share of journeys by listed people, if enough of them are free.
        shutter: Share of the frame time during which the shutter is open (motion blur).
        noise: Standard deviation of the sensor's noise, grey levels.
        onward: Probability that a journey continues at another camera.
    """

    seed: int = 1
    seconds: int = 60
    fps: int = 10
    width: int = 1280
    height: int = 720
    people: int = 60
    cameras: tuple[str, ...] = ("street",)
    watchlist: int = 20
    enrol: int = 2
    min_px: int = 40
    max_px: int = 160
    eligible_px: int = 48
    crf: int = 23
    watch_share: float = 0.3
    shutter: float = 0.35
    noise: float = 2.0
    onward: float = 0.6

    def __post_init__(self) -> None:
        """Check the bounds of all values.

        Raises:
            Misconfigured: A value is out of bounds.
        """
        bounds = {
            "seconds": (1, 24 * 3600),
            "fps": (1, 120),
            "width": (320, 7680),
            "height": (240, 4320),
            "people": (1, 100_000),
            "watchlist": (0, 100_000),
            "enrol": (1, 100),
            "min_px": (8, 1000),
            "max_px": (self.min_px, 1000),
            "crf": (0, 51),
            "watch_share": (0, 1),
            "shutter": (0, 1),
            "noise": (0, 40),
            "onward": (0, 1),
        }
        for name, (low, high) in bounds.items():
            if not low <= (value := getattr(self, name)) <= high:
                option = name.replace("_", "-")
                raise Misconfigured(f"--{option} must be between {low} and {high}, not {value}")
        if self.width % 2 or self.height % 2:
            raise Misconfigured(
                f"--width and --height must be even for H.264, not {self.width}x{self.height}"
            )
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise Misconfigured("a street needs at least one camera, and all names must differ")

    @property
    def frames(self) -> int:
        """Number of frames of each camera's video."""
        return self.seconds * self.fps
