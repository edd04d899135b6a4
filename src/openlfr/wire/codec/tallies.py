"""Tallies as records."""

from __future__ import annotations

from itertools import pairwise

from openlfr.domain import summary
from openlfr.domain.summary import Lost, NotSearched
from openlfr.domain.tallies import COUNTS, QUALITY_EDGES, Reporter, Tally
from openlfr.wire.codec.fields import broken, moment, parse, said, stamp, word
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import tally_pb2

_NUMBERS = ("first_seq", "last_seq", *COUNTS)


def encode_tally(tally: Tally, *, traceparent: str = "") -> Record:
    """Key: the camera."""
    why, lost = tally.tracks_not_searched, tally.tracks_lost
    message = tally_pb2.Tally(
        tally_id=tally.tally_id,
        deployment=tally.deployment,
        camera=tally.camera,
        epoch=tally.epoch,
        reporter=word("REPORTER", tally.reporter),
        first_captured_at=stamp(tally.first_captured_at),
        last_captured_at=stamp(tally.last_captured_at),
        tracks_too_small=why.get(NotSearched.TOO_SMALL, 0),
        tracks_too_poor=why.get(NotSearched.TOO_POOR, 0),
        tracks_too_short=why.get(NotSearched.TOO_SHORT, 0),
        tracks_lost_interrupted=lost.get(Lost.INTERRUPTED, 0),
        tracks_lost_moved=lost.get(Lost.MOVED, 0),
        tracks_lost_failed=lost.get(Lost.FAILED, 0),
        tracks_searched=tally.tracks_searched,
        bands=[_band(band, counts) for band, counts in sorted(tally.scores.items())],
        **{name: getattr(tally, name) for name in _NUMBERS},
    )
    return record_of(tally.camera, message, tally.last_captured_at, traceparent)


def decode_tally(value: bytes | None) -> Tally:
    """What `encode_tally` wrote."""
    message = parse(tally_pb2.Tally, value)
    why = {
        NotSearched.TOO_SMALL: message.tracks_too_small,
        NotSearched.TOO_POOR: message.tracks_too_poor,
        NotSearched.TOO_SHORT: message.tracks_too_short,
    }
    lost = {
        Lost.INTERRUPTED: message.tracks_lost_interrupted,
        Lost.MOVED: message.tracks_lost_moved,
        Lost.FAILED: message.tracks_lost_failed,
    }
    numbers = {name: getattr(message, name) for name in _NUMBERS}
    if not message.HasField("tracks_begun"):  # an earlier version's: it knew those that ended
        numbers["tracks_begun"] = message.tracks_closed
    tally = Tally(
        deployment=message.deployment,
        camera=message.camera,
        epoch=message.epoch,
        reporter=said(Reporter, message, "reporter"),
        first_captured_at=moment(message, "first_captured_at"),
        last_captured_at=moment(message, "last_captured_at"),
        tracks_not_searched={reason: count for reason, count in why.items() if count},
        tracks_lost={reason: count for reason, count in lost.items() if count},
        scores=_scores(message),
        **numbers,
    )
    if tally.tally_id != message.tally_id or tally.first_seq > tally.last_seq:
        raise broken(message, "its tally_id is not that of its range")
    if tally.tracks_searched != message.tracks_searched:
        raise broken(message, "its bands do not add up to tracks_searched")
    return tally


def _band(band: int, counts: tuple[int, ...]) -> tally_pb2.QualityBand:
    return tally_pb2.QualityBand(
        lowest_quality=QUALITY_EDGES[band],
        highest_quality=QUALITY_EDGES[band + 1],
        lowest_score=summary.SCORE_LOW,
        bin_width=summary.SCORE_STEP,
        counts=counts,
    )


def _scores(message: tally_pb2.Tally) -> dict[int, tuple[int, ...]]:
    scores: dict[int, tuple[int, ...]] = {}
    for carried in message.bands:
        borders = (carried.lowest_quality, carried.highest_quality)
        bins = (carried.lowest_score, carried.bin_width, len(carried.counts))
        if bins != (summary.SCORE_LOW, summary.SCORE_STEP, summary.SCORE_BINS):
            raise broken(message, "its histograms have other bins than this version's")
        bands = {edges: band for band, edges in enumerate(pairwise(QUALITY_EDGES))}
        if borders not in bands or bands[borders] in scores:
            raise broken(message, "its quality bands are not this version's")
        scores[bands[borders]] = tuple(carried.counts)
    return scores
