"""Tallies as records."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from openlfr.domain import scores as bins
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.measures import EYE_EDGES, SHARE_EDGES, Measures
from openlfr.domain.tallies import COUNTS, QUALITY_EDGES, Reporter, Tally
from openlfr.domain.watching import UnwatchedReason
from openlfr.wire.codec.baselines import adoption_of, baseline_message, ref_of
from openlfr.wire.codec.fields import (
    enum_name,
    parse,
    read_moment,
    required_enum,
    timestamp_of,
    unusable,
)
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import tally_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = ("first_seq", "last_seq", *COUNTS)
_UNWATCHED = {why: f"unwatched_{why}_us" for why in UnwatchedReason}
_SINCE_0_2 = (
    *("tracks_control", "tracks_matched_control", "tracks_nobody_listed", "fine_scores"),
    *("control_scores", "eye_distances", "sharpness", "light", "watched_us", "baseline"),
    *_UNWATCHED.values(),
    "frames_paused",
    "tracks_lost_paused",
)  # this version writes all of these fields, an earlier version none
_EDGES = {"eye_distances": EYE_EDGES, "sharpness": SHARE_EDGES, "light": SHARE_EDGES}


def encode_tally(tally: Tally, *, traceparent: str = "") -> Record:
    """Encode a tally; the key is the camera's name."""
    why, lost = tally.tracks_not_searched, tally.tracks_lost
    numbers: dict[str, Any] = {name: getattr(tally, name) for name in _NUMBERS}
    numbers |= {name: tally.unwatched_us.get(each, 0) for each, name in _UNWATCHED.items()}
    measures: dict[str, Any] = {
        name: tally_pb2.Measure(lowest=edges, counts=getattr(tally.measures, name))
        for name, edges in _EDGES.items()
    }
    message = tally_pb2.Tally(
        tally_id=tally.tally_id,
        deployment=tally.deployment,
        camera=tally.camera,
        epoch=tally.epoch,
        reporter=enum_name("REPORTER", tally.reporter),
        first_captured_at=timestamp_of(tally.first_captured_at),
        last_captured_at=timestamp_of(tally.last_captured_at),
        tracks_too_small=why.get(NotSearchedReason.TOO_SMALL, 0),
        tracks_too_poor=why.get(NotSearchedReason.TOO_POOR, 0),
        tracks_too_short=why.get(NotSearchedReason.TOO_SHORT, 0),
        tracks_nobody_listed=why.get(NotSearchedReason.NOBODY_LISTED, 0),
        tracks_lost_interrupted=lost.get(LossReason.INTERRUPTED, 0),
        tracks_lost_paused=lost.get(LossReason.PAUSED, 0),
        tracks_lost_moved=lost.get(LossReason.MOVED, 0),
        tracks_lost_failed=lost.get(LossReason.FAILED, 0),
        tracks_searched=tally.tracks_scored,
        bands=[_band_message(band, counts) for band, counts in sorted(tally.scores.items())],
        fine_scores=_fine_message(tally.fine_scores),
        control_scores=_fine_message(tally.control_scores),
        baseline=tally.baseline,
        baseline_since=tally.baseline_since and timestamp_of(tally.baseline_since),
        baseline_taken_up=baseline_message(tally.adoption) if tally.adoption else None,
        **numbers,
        **measures,
    )
    return record_of(tally.camera, message, tally.last_captured_at, traceparent)


def decode_tally(value: bytes | None) -> Tally:
    """Decode a tally."""
    message = parse(tally_pb2.Tally, value)
    if len({message.HasField(name) for name in _SINCE_0_2}) > 1:
        raise unusable(message, "it lacks some of its counts")
    why = {
        NotSearchedReason.TOO_SMALL: message.tracks_too_small,
        NotSearchedReason.TOO_POOR: message.tracks_too_poor,
        NotSearchedReason.TOO_SHORT: message.tracks_too_short,
        NotSearchedReason.NOBODY_LISTED: message.tracks_nobody_listed,
    }
    lost = {
        LossReason.INTERRUPTED: message.tracks_lost_interrupted,
        LossReason.PAUSED: message.tracks_lost_paused,
        LossReason.MOVED: message.tracks_lost_moved,
        LossReason.FAILED: message.tracks_lost_failed,
    }
    unwatched = {why: getattr(message, name) for why, name in _UNWATCHED.items()}
    numbers = {name: getattr(message, name) for name in _NUMBERS}
    if not message.HasField("tracks_begun"):  # an earlier version counted only ended tracks
        numbers["tracks_begun"] = message.tracks_closed
    tally = Tally(
        deployment=message.deployment,
        camera=message.camera,
        epoch=message.epoch,
        reporter=required_enum(Reporter, message, "reporter"),
        first_captured_at=read_moment(message, "first_captured_at"),
        last_captured_at=read_moment(message, "last_captured_at"),
        tracks_not_searched={reason: count for reason, count in why.items() if count},
        tracks_lost={reason: count for reason, count in lost.items() if count},
        unwatched_us={why: us for why, us in unwatched.items() if us},
        scores=_scores(message),
        fine_scores=_fine_of(message, "fine_scores"),
        control_scores=_fine_of(message, "control_scores"),
        measures=_measures_of(message),
        baseline=message.baseline,
        baseline_since=ref_of(message).adopted_at,
        adoption=adoption_of(message),
        **numbers,
    )
    if tally.tally_id != message.tally_id or tally.first_seq > tally.last_seq:
        raise unusable(message, "its tally_id does not match its range of frames")
    if tally.tracks_scored != message.tracks_searched:
        raise unusable(message, "the sum of its bands is not tracks_searched")
    if tally.fine_scores and sum(tally.fine_scores.values()) != tally.tracks_scored:
        raise unusable(message, "the sum of its fine_scores is not tracks_searched")
    return tally


def _band_message(band: int, counts: tuple[int, ...]) -> tally_pb2.QualityBand:
    return tally_pb2.QualityBand(
        lowest_quality=QUALITY_EDGES[band],
        highest_quality=QUALITY_EDGES[band + 1],
        lowest_score=bins.SCORE_LOW,
        bin_width=bins.SCORE_STEP,
        counts=counts,
    )


def _scores(message: tally_pb2.Tally) -> dict[int, tuple[int, ...]]:
    scores: dict[int, tuple[int, ...]] = {}
    for each in message.bands:
        edges = (each.lowest_quality, each.highest_quality)
        histogram = (each.lowest_score, each.bin_width, len(each.counts))
        if histogram != (bins.SCORE_LOW, bins.SCORE_STEP, bins.SCORE_BINS):
            raise unusable(message, "its histograms have other bins than this version's")
        bands = {own: band for band, own in enumerate(pairwise(QUALITY_EDGES))}
        if edges not in bands or bands[edges] in scores:
            raise unusable(message, "its quality bands are not this version's")
        scores[bands[edges]] = tuple(each.counts)
    return scores


def _fine_message(counts: Mapping[int, int]) -> tally_pb2.FineScores:
    numbers = sorted(counts)
    return tally_pb2.FineScores(
        bin_width=bins.FINE_STEP, bins=numbers, counts=[counts[number] for number in numbers]
    )


def _fine_of(message: tally_pb2.Tally, name: str) -> dict[int, int]:
    fine: tally_pb2.FineScores = getattr(message, name)
    if not message.HasField(name):
        return {}
    numbers = list(fine.bins)
    if fine.bin_width != bins.FINE_STEP or numbers != sorted(set(numbers)):
        raise unusable(message, f"its {name} have other bins than this version's")
    if len(numbers) != len(fine.counts):
        raise unusable(message, f"its {name} lack the count of a bin")
    return dict(zip(numbers, fine.counts, strict=True))


def _measures_of(message: tally_pb2.Tally) -> Measures:
    measures = {}
    for name, edges in _EDGES.items():
        measure: tally_pb2.Measure = getattr(message, name)
        if message.HasField(name):
            if (tuple(measure.lowest), len(measure.counts)) != (edges, len(edges)):
                raise unusable(message, f"its {name} has other bins than this version's")
            measures[name] = tuple(measure.counts)
    return Measures(**measures)
