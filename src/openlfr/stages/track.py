"""Follow each face from frame to frame of one camera.

What matters is *whose face a track holds*: a track that is credited with the face that hides its
own makes strangers score like listed people. So prediction carries a track over a short
occlusion, an assignment is made over all pairs at once, a pair must agree in place and in size,
and where the nearest rival is nearly as good the detection starts a track of its own: one search
more is cheap, one identity too many is not.

The motion model is an alpha-beta filter on the box centre and on the logarithm of its size
(Kalata, 1984, gives the gains); the assignment is the Jonker-Volgenant one of SciPy.
`scripts/compare_trackers` counts identity switches on ground truth beside two libraries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection


@dataclass(frozen=True, slots=True)
class TrackRules:
    """How detections become tracks.

    Attributes:
        start_score: Detector confidence from which a detection may start a track.
        reach: Farthest place of a match, in face sizes from the prediction.
        first_reach: The same for the second detection of a track, whose speed is unknown yet.
        size_change: Largest ratio of sizes in a match.
        rival: A detection whose two best tracks differ by less than this cost goes to neither.
        patience: Seconds that a track survives without a detection.
        centre_gain, speed_gain: Of the alpha-beta filter.
    """

    start_score: float = 0.55
    reach: float = 0.6
    first_reach: float = 1.3
    size_change: float = 1.45
    rival: float = 0.12
    patience: float = 0.8
    centre_gain: float = 0.7
    speed_gain: float = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where a face is and where it goes.

    Attributes:
        place: (3,) float64: centre x, centre y (source pixels), log of the size in pixels.
        speed: (3,) float64: the same per second.
        at: Seconds, on the camera's own clock, of the last detection.
    """

    place: NDArray[np.float64]
    speed: NDArray[np.float64]
    at: float

    def predict(self, at: float) -> NDArray[np.float64]:
        """The place at a later time."""
        return self.place + self.speed * (at - self.at)


@dataclass(frozen=True, slots=True, eq=False)
class Following:
    """One live track.

    Attributes:
        track: Number within the camera's epoch, from 0 upwards, never used twice.
        seen: How many detections it holds.
    """

    track: int
    motion: Motion
    seen: int


@dataclass(frozen=True, slots=True, eq=False)
class TrackerState:
    """All live tracks of one camera, and the number of the next one."""

    live: tuple[Following, ...] = ()
    next_track: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """What one frame did to the tracks.

    Attributes:
        tracks: For each detection its track number, or -1 where it is too weak to start one.
        ended: Numbers of the tracks that ended with this frame.
    """

    tracks: tuple[int, ...]
    ended: tuple[int, ...] = field(default=())


def _place(detection: Detection) -> NDArray[np.float64]:
    x, y = detection.box.centre
    return np.array([x, y, 0.5 * np.log(max(detection.box.area, 1.0))])


def track(
    state: TrackerState,
    detections: Sequence[Detection],
    *,
    at: float,
    rules: TrackRules = TrackRules(),
) -> tuple[TrackerState, Tracked]:
    """Assign a frame's detections to tracks.

    Args:
        state: What the previous frame of this camera left.
        detections: Of this frame, in any order.
        at: The frame's time in seconds on the camera's clock; must not go back.
        rules: The gates.

    Returns:
        The new state, and the track of each detection.
    """
    live = [f for f in state.live if at - f.motion.at <= rules.patience]
    ended = tuple(f.track for f in state.live if at - f.motion.at > rules.patience)
    places = [_place(d) for d in detections]
    assigned = _assign(live, places, at, rules)

    number = state.next_track
    tracks: list[int] = []
    following = {f.track: f for f in live}
    for index, (detection, place) in enumerate(zip(detections, places, strict=True)):
        if (known := assigned.get(index)) is not None:
            following[known.track] = _update(known, place, at, rules)
            tracks.append(known.track)
        elif detection.score >= rules.start_score:
            following[number] = Following(number, Motion(place, np.zeros(3), at), 1)
            tracks.append(number)
            number += 1
        else:
            tracks.append(-1)
    return TrackerState(tuple(following.values()), number), Tracked(tuple(tracks), ended)


def _assign(
    live: Sequence[Following],
    places: Sequence[NDArray[np.float64]],
    at: float,
    rules: TrackRules,
) -> dict[int, Following]:
    """Which live track each detection continues (detection index -> track)."""
    if not live or not places:
        return {}
    from scipy.optimize import linear_sum_assignment

    predicted = np.stack([f.motion.predict(at) for f in live])
    found = np.stack(places)
    size = np.exp(0.5 * (predicted[:, None, 2] + found[None, :, 2]))
    distance = np.hypot(*np.moveaxis(predicted[:, None, :2] - found[None, :, :2], 2, 0)) / size
    growth = np.abs(predicted[:, None, 2] - found[None, :, 2]) / np.log(rules.size_change)
    reach = np.array([rules.first_reach if f.seen == 1 else rules.reach for f in live])[:, None]
    cost = distance + 0.5 * growth
    allowed = (distance <= reach) & (growth <= 1.0)
    cost = np.where(allowed, cost, 1e6)
    rows, columns = linear_sum_assignment(cost)
    result = {}
    for row, column in zip(rows, columns, strict=True):
        if not allowed[row, column]:
            continue
        rivals = np.delete(cost[:, column], row)
        if rivals.size and rivals.min() - cost[row, column] < rules.rival:
            continue
        result[int(column)] = live[row]
    return result


def _update(
    known: Following, place: NDArray[np.float64], at: float, rules: TrackRules
) -> Following:
    elapsed = max(at - known.motion.at, 1e-3)
    if known.seen == 1:
        motion = Motion(place, (place - known.motion.place) / elapsed, at)
    else:
        predicted = known.motion.predict(at)
        error = place - predicted
        motion = Motion(
            predicted + rules.centre_gain * error,
            known.motion.speed + rules.speed_gain * error / elapsed,
            at,
        )
    return Following(known.track, motion, known.seen + 1)
