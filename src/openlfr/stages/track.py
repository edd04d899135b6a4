"""Track: follow each face of one camera from frame to frame.

Each track should contain the faces of one person only. If a track continues with the wrong face
after one person has hidden another, a stranger can score like a listed person. In a street most
heads are at the same height, so place and speed do not show which of two people reappears.
Therefore a detection and a track must agree in place, size and looks. Looks are a few coarse pixels
of the aligned face (`looks`): their correlation is 0.95 from one frame to the next, and below 0.4
for another person. All detections of a frame are assigned together. A detection that agrees with no
track starts a new track: an additional search is cheap, a track of two people is not.

The motion model is an alpha-beta filter on the centre of the box and the logarithm of its size
(gains: Kalata, 1984). The assignment is SciPy's Jonker-Volgenant algorithm.
`benchmarks/compare_trackers.py` compares the identity switches of this tracker and two libraries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from openlfr.domain.moments import SECOND, is_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection

LOOKS = 8 * 8 * 3


@dataclass(frozen=True, slots=True)
class TrackRules:
    """Parameters of tracking.

    Attributes:
        start_score: Minimum detector confidence of a detection that starts a track.
        reach: Maximum distance of a detection from the predicted place, in face sizes.
        first_reach: `reach` for the second detection of a track, whose speed is still unknown.
        size_change: Maximum ratio of the sizes of a detection and its track.
        alike: Minimum correlation of a detection's looks with those of the track: of its last face
            or its running mean, whichever is greater.
        alike_alone: Used instead of `alike` if no other face is within `elbow_room`.
        elbow_room: Distance within which another face counts as near, in face sizes.
        looks_cost: Weight of a difference in looks, relative to the distance in face sizes.
        patience: Seconds after the last detection at which a track ends.
        looks_gain: Weight of the newest face in the running mean of looks.
        centre_gain, speed_gain: Gains of the alpha-beta filter.
    """

    start_score: float = 0.55
    reach: float = 0.5
    first_reach: float = 1.3
    size_change: float = 1.45
    alike: float = 0.4
    alike_alone: float = 0.0
    elbow_room: float = 1.5
    looks_cost: float = 1.0
    looks_gain: float = 0.2
    patience: float = 0.8
    centre_gain: float = 0.7
    speed_gain: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Place and speed of a face.

    Attributes:
        place: (3,) float64: centre x, centre y (source pixels), log of the size in pixels.
        speed: (3,) float64: change of `place` per second.
        at: Capture time of the last detection, whole microseconds since 1970.
    """

    place: NDArray[np.float64]
    speed: NDArray[np.float64]
    at: int

    def predict(self, at: int) -> NDArray[np.float64]:
        """Return the predicted place at a later time."""
        return self.place + self.speed * ((at - self.at) / SECOND)


@dataclass(frozen=True, slots=True, eq=False)
class TrackedBox:
    """The state of one live track.

    Attributes:
        track: Number of the track within the camera's epoch, from 0; no number is used twice.
        motion: Place and speed at the last detection.
        detections: Number of detections in the track.
        last_looks: Looks (`looks`) of the last face.
        mean_looks: Running mean of the looks of all faces.
    """

    track: int
    motion: Motion
    detections: int
    last_looks: NDArray[np.float32]
    mean_looks: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrackerState:
    """All live tracks of one camera, and the number of the next track."""

    live: tuple[TrackedBox, ...] = ()
    next_track: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """The tracks of one frame's detections.

    Attributes:
        tracks: Track number of each detection; -1 if the detection is too weak to start a track.
        ended: Numbers of the tracks that ended with this frame.
    """

    tracks: tuple[int, ...]
    ended: tuple[int, ...] = field(default=())


def _place(detection: Detection) -> NDArray[np.float64]:
    x, y = detection.box.centre
    return np.array([x, y, 0.5 * np.log(max(detection.box.area, 1.0))])


def looks(aligned: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the coarse looks of aligned faces, which distinguish neighbours in a street.

    Args:
        aligned: (n, 112, 112, 3) uint8 BGR.

    Returns:
        (n, 192) float32: 8 x 8 means of each colour, minus the colour's overall mean,
        L2-normalised. The scalar product of two rows is the correlation of two faces' looks.
    """
    rows = np.empty((len(aligned), LOOKS), np.float32)
    for row, face in zip(rows, aligned, strict=True):
        small = cv2.resize(face[16:, 12:100], (8, 8), interpolation=cv2.INTER_AREA)
        colours = small.reshape(-1, 3).astype(np.float32)
        colours -= colours.mean(axis=0)
        row[:] = colours.ravel() / (np.linalg.norm(colours) + 1e-6)
    return rows


def track(
    state: TrackerState,
    detections: Sequence[Detection],
    appearances: NDArray[np.float32],
    *,
    at: int,
    rules: TrackRules = TrackRules(),
) -> tuple[TrackerState, Assignment]:
    """Assign a frame's detections to tracks.

    Args:
        state: State after the camera's previous frame.
        detections: Detections of this frame, in any order.
        appearances: (n, d) float32, the detections' `looks`.
        at: Capture time of the frame, whole microseconds since 1970; not before the previous
            frame's.
        rules: Parameters of tracking.

    Returns:
        The new state, and the track of each detection.
    """
    live = [f for f in state.live if is_at_most(at - f.motion.at, rules.patience)]
    ended = tuple(f.track for f in state.live if not is_at_most(at - f.motion.at, rules.patience))
    places = [_place(d) for d in detections]
    assigned = _assign(live, places, appearances, at, rules)

    number = state.next_track
    tracks: list[int] = []
    boxes = {f.track: f for f in live}
    for index, (detection, place) in enumerate(zip(detections, places, strict=True)):
        if (known := assigned.get(index)) is not None:
            boxes[known.track] = _update(known, place, appearances[index], at, rules)
            tracks.append(known.track)
        elif detection.score >= rules.start_score:
            first = appearances[index]
            boxes[number] = TrackedBox(number, Motion(place, np.zeros(3), at), 1, first, first)
            tracks.append(number)
            number += 1
        else:
            tracks.append(-1)
    return TrackerState(tuple(boxes.values()), number), Assignment(tuple(tracks), ended)


def _assign(
    live: Sequence[TrackedBox],
    places: Sequence[NDArray[np.float64]],
    appearances: NDArray[np.float32],
    at: int,
    rules: TrackRules,
) -> dict[int, TrackedBox]:
    """Return the live track that each detection continues, by the detection's index."""
    if not live or not places:
        return {}
    predicted = np.stack([f.motion.predict(at) for f in live])
    detected = np.stack(places)
    size = np.exp(0.5 * (predicted[:, None, 2] + detected[None, :, 2]))
    distance = np.hypot(*np.moveaxis(predicted[:, None, :2] - detected[None, :, :2], 2, 0)) / size
    growth = np.abs(predicted[:, None, 2] - detected[None, :, 2]) / np.log(rules.size_change)
    reach = np.array([rules.first_reach if f.detections == 1 else rules.reach for f in live])[
        :, None
    ]
    alike = np.maximum(
        np.stack([f.last_looks for f in live]) @ appearances.T,
        np.stack([f.mean_looks for f in live]) @ appearances.T,
    )
    is_crowded = _find_crowded(predicted, detected, rules.elbow_room)
    min_alike = np.where(is_crowded, rules.alike, rules.alike_alone)
    allowed = (distance <= reach) & (growth <= 1.0) & (alike >= min_alike)
    cost = np.where(allowed, distance + 0.5 * growth + rules.looks_cost * (1 - alike), 1e6)
    rows, columns = linear_sum_assignment(cost)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {column: live[row] for row, column in pairs if allowed[row, column]}


def _find_crowded(
    predicted: NDArray[np.float64], detected: NDArray[np.float64], elbow_room: float
) -> NDArray[np.bool_]:
    """Return whether another detection or predicted track is within `elbow_room` of each, (n,).

    The counts include the detection itself and its own track, hence "> 1".
    """
    near = []
    for others in (predicted, detected):
        size = np.exp(np.maximum(others[:, None, 2], detected[None, :, 2]))
        gap = np.hypot(*np.moveaxis(others[:, None, :2] - detected[None, :, :2], 2, 0)) / size
        near.append((gap < elbow_room).sum(axis=0))
    return np.asarray((near[0] > 1) | (near[1] > 1))


def _update(
    known: TrackedBox,
    place: NDArray[np.float64],
    appearance: NDArray[np.float32],
    at: int,
    rules: TrackRules,
) -> TrackedBox:
    elapsed = max(at - known.motion.at, 1000) / SECOND
    if known.detections == 1:
        motion = Motion(place, (place - known.motion.place) / elapsed, at)
    else:
        predicted = known.motion.predict(at)
        error = place - predicted
        motion = Motion(
            predicted + rules.centre_gain * error,
            known.motion.speed + rules.speed_gain * error / elapsed,
            at,
        )
    mean = (1 - rules.looks_gain) * known.mean_looks + rules.looks_gain * appearance
    mean /= np.linalg.norm(mean) + 1e-6
    return TrackedBox(known.track, motion, known.detections + 1, appearance, mean)
