"""Every message survives encoding, and an incomplete message is refused in one sentence."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sightings import sighting_of

from openlfr.domain.adjudication import Reason, VerdictKind
from openlfr.domain.alerts import (
    Adjudication,
    AlertEvent,
    EventKind,
    Outcome,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.baseline_openings import BaselineAdoption, BaselineRef
from openlfr.domain.baselines import Baseline, ThresholdUsed
from openlfr.domain.control import (
    DeploymentForgotten,
    DeploymentState,
    EntryForgotten,
    Heartbeat,
    ManifestChange,
)
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.dead_letters import make_dead_letter
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput
from openlfr.domain.evidence import SentEvidence
from openlfr.domain.faces import Box
from openlfr.domain.frames import EncodedFrame
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.listing import ListPart, ListState
from openlfr.domain.measures import EYE_EDGES, SHARE_EDGES, Measures
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.scores import SCORE_BINS
from openlfr.domain.sightings import Sighting
from openlfr.domain.tallies import QUALITY_EDGES, Reporter, Tally, quality_band
from openlfr.domain.thresholds import ThresholdOrigin
from openlfr.domain.verdicts import VerdictEvent
from openlfr.domain.watching import UnwatchedReason
from openlfr.domain.watchlist import EntryStatus
from openlfr.wire import codec
from openlfr.wire.v1 import alert_pb2, control_pb2, frame_pb2, sighting_pb2, tally_pb2, verdict_pb2

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
counts = st.integers(0, 2**40)
whole = st.integers(0, 2**63 - 1)
real = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(timezones=st.just(UTC))
uuids = st.uuids().map(str)
boxes = st.builds(Box, real, real, real, real)
frames = st.builds(
    EncodedFrame, words, words, whole, whole, whole, moments,
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(min_size=1),
    time_assumed=st.booleans(),
)  # fmt: skip
ends = frames.map(lambda frame: dataclasses.replace(frame, jpeg=b"", ended=True))
sightings = st.builds(
    Sighting, uuids, words, words, whole, whole, words, words, uuids, moments, boxes, real, real,
    real, st.booleans(), st.booleans(),
)  # fmt: skip
flags = st.builds(ImpossibleMatch, st.sampled_from(ImpossibleReason), words, real, counts)
evidence = st.none() | st.builds(SentEvidence, words, st.booleans(), st.binary())
fine = st.dictionaries(st.integers(-400, 400), st.integers(1, 9), max_size=4)
measures = st.builds(
    Measures,
    *(st.tuples(*[counts] * len(edges)) for edges in (EYE_EDGES, SHARE_EDGES, SHARE_EDGES)),
)
histograms = st.lists(counts, min_size=SCORE_BINS, max_size=SCORE_BINS).map(tuple)
reasons = st.dictionaries(st.sampled_from(NotSearchedReason), st.integers(1, 2**40))
changes = st.builds(
    ManifestChange, uuids, words, st.text("0123456789abcdef", min_size=64, max_size=64),
    moments, st.sampled_from(EntryStatus), whole, moments,
)  # fmt: skip
states = st.builds(
    DeploymentState, words, words, st.sampled_from(DeploymentStatus), counts, moments, moments,
    st.lists(words, max_size=3).map(tuple), st.lists(words, max_size=3).map(tuple), whole, moments,
    st.none() | real, st.just("") | words,
)  # fmt: skip
verdicts = st.builds(
    VerdictEvent, uuids, words, uuids, words, moments,
    st.none() | st.sampled_from(Adjudication), st.none() | st.sampled_from(Outcome),
    st.none() | st.sampled_from(VerdictKind), st.none() | st.sampled_from(Reason),
    st.just("") | uuids, st.none() | counts, st.just("") | words, st.just("") | words,
    st.none() | moments,
).filter(lambda one: one.adjudication or one.outcome or one.withdraws)  # fmt: skip


@st.composite
def events(draw):
    sighting, flag = draw(sightings), draw(st.none() | flags)
    conflicts_in_frame = flag is not None and flag.why is ImpossibleReason.ONE_FRAME
    sighting = dataclasses.replace(sighting, conflicts_in_frame=conflicts_in_frame)
    alert_id = alert_id_of(draw(uuids))
    kind = draw(st.sampled_from(EventKind))
    return AlertEvent(kind, event_id_of(sighting.sighting_id), alert_id, sighting, flag)


models = st.builds(ModelUsed, words, words, words, st.just("") | words, words)
parts = st.builds(ListPart, words, st.just("") | words, counts, st.none() | counts)
listed = st.builds(
    ListState, words, counts, st.none() | counts, st.lists(parts, max_size=2).map(tuple)
)
thresholds = st.builds(
    ThresholdUsed, real, st.sampled_from(ThresholdOrigin), counts, st.none() | real,
    st.just("") | words, words, st.just("") | words,
)  # fmt: skip


@st.composite
def adoptions(draw, deployment):
    baseline = Baseline(
        deployment, draw(listed), draw(thresholds), draw(st.lists(models, max_size=2).map(tuple)),
        draw(words), draw(words), draw(words),
    )  # fmt: skip
    return BaselineAdoption(baseline, draw(moments), draw(st.just("") | words))


@st.composite
def tallies(draw):
    deployment = draw(words)
    adoption = draw(st.none() | adoptions(deployment))
    ref = adoption.ref if adoption else BaselineRef(draw(st.just("") | words))
    first, last = sorted((draw(whole), draw(whole)))
    named = {name: draw(counts) for name in TALLY_COUNTS}
    bands = st.dictionaries(st.integers(0, len(QUALITY_EDGES) - 2), histograms, max_size=2)
    band = draw(bands)
    return Tally(
        deployment, draw(words), draw(whole), draw(st.sampled_from(Reporter)), first, last,
        draw(moments), draw(moments), tracks_not_searched=draw(reasons), scores=band,
        tracks_lost=draw(st.dictionaries(st.sampled_from(LossReason), st.integers(1, 9))),
        unwatched_us=draw(st.dictionaries(st.sampled_from(UnwatchedReason), st.integers(1, 2**40))),
        control_scores=draw(fine), baseline=ref.baseline_id, baseline_since=ref.adopted_at,
        adoption=adoption,
        fine_scores={-3: scored} if (scored := sum(map(sum, band.values()))) else {},
        measures=draw(measures),
        **named,
    )  # fmt: skip


TALLY_COUNTS = [
    field.name
    for field in dataclasses.fields(Tally)
    if field.name.startswith(("frames_", "faces_"))
    or field.name
    in (
        "tracks_begun",
        "tracks_closed",
        "tracks_matched",
        "sightings",
        "tracks_control",
        "tracks_matched_control",
        "watched_us",
    )
]
SEEN_AT = datetime(2026, 11, 23, 9, 0, 0, 123456, UTC)
SIGHTING = sighting_of(
    "market",
    "gate",
    3,
    250,
    "anna",
    "default",
    "0b2e",
    SEEN_AT,
    Box(1.5, 2, 30, 40),
    0.61,
    0.45,
    71,
)
EVENT = AlertEvent(
    EventKind.OPENED,
    event_id_of(SIGHTING.sighting_id),
    alert_id_of(SIGHTING.sighting_id),
    SIGHTING,
)
FRAME = EncodedFrame("market", "gate", 3, 250, 250, SEEN_AT, 1280, 720, b"\xff\xd8 a face \xff\xd9")
TALLY = Tally(
    "market", "gate", 3, Reporter.ANALYSIS, 0, 49, SEEN_AT, SEEN_AT, frames_analysed=50,
    tracks_closed=2, tracks_not_searched={NotSearchedReason.TOO_POOR: 1},
    scores={quality_band(71): (*(0,) * 30, 1, *(0,) * 29)},
)  # fmt: skip
CHANGE = ManifestChange(
    "0b2e", "default", "ab" * 32, SEEN_AT, EntryStatus.ACTIVE, 7, SEEN_AT, "wanted", "cd" * 32
)  # fmt: skip
STATE = DeploymentState(
    "5a1e", "Night market", DeploymentStatus.PAUSED, 2, SEEN_AT, SEEN_AT + timedelta(hours=4),
    ("gate", "yard"), ("default",), 8, SEEN_AT, 0.41, "set",
)  # fmt: skip
VERDICT = VerdictEvent("5d0c", "market", EVENT.alert_id, "B. Officer", SEEN_AT, Adjudication.ENGAGE)
LETTER = make_dead_letter(
    b"not a frame", topic="frames.v1", partition=2, offset=10, service="analysis",
    reason="It cannot be parsed.", at=SEEN_AT,
)  # fmt: skip


def decode_change(value):
    return codec.decode_control(CHANGE.reference_id.encode(), value)


def decode_state(value):
    return codec.decode_control(STATE.key.encode(), value)


def decode_heartbeat(value):
    return codec.decode_control(codec.HEARTBEAT_KEY, value)


EVERY = {
    "frame": (codec.encode_frame(FRAME), codec.decode_frame),
    "end of a file": (
        codec.encode_frame(dataclasses.replace(FRAME, jpeg=b"", ended=True)),
        codec.decode_frame,
    ),
    "sighting": (codec.encode_sighting(SIGHTING), codec.decode_sighting),
    "sighting with evidence": (
        codec.encode_sighting(SIGHTING, SentEvidence("evidence/1", True, b"sealed")),
        codec.decode_sighting,
    ),
    "alert": (codec.encode_alert(EVENT, SEEN_AT), codec.decode_alert),
    "tally": (codec.encode_tally(TALLY), codec.decode_tally),
    "change": (codec.encode_control(CHANGE), decode_change),
    "state": (codec.encode_control(STATE), decode_state),
    "heartbeat": (codec.encode_control(Heartbeat(SEEN_AT, 9)), decode_heartbeat),
    "verdict": (codec.encode_verdict(VERDICT), codec.decode_verdict),
    "dead letter": (codec.encode_dead_letter(LETTER), codec.decode_dead_letter),
}
every = pytest.mark.parametrize(("record", "decode"), EVERY.values(), ids=EVERY)


@given(frames | ends)
def test_a_frame_survives_encoding(frame):
    assert codec.decode_frame(codec.encode_frame(frame).value) == frame


@given(sightings, evidence)
def test_a_sighting_survives_encoding(sighting, carried):
    record = codec.encode_sighting(sighting, carried)
    assert codec.decode_sighting(record.value) == (sighting, carried)


@given(events(), moments, st.booleans())
def test_an_alert_survives_encoding(event, emitted_at, pictured):
    record = codec.encode_alert(event, emitted_at, has_picture=pictured)
    assert codec.decode_alert(record.value) == (event, emitted_at, pictured)


@given(tallies())
def test_a_tally_survives_encoding(tally):
    assert codec.decode_tally(codec.encode_tally(tally).value) == tally


@given(
    st.one_of(
        changes, states, st.builds(Heartbeat, moments, whole), st.builds(EntryForgotten, uuids),
        st.builds(DeploymentForgotten, words),
    )
)  # fmt: skip
def test_a_control_state_survives_encoding(content):
    record = codec.encode_control(content)
    assert codec.decode_control(record.key, record.value) == content


@given(verdicts)
def test_a_verdict_survives_encoding(verdict):
    assert codec.decode_verdict(codec.encode_verdict(verdict).value) == verdict


@given(words, st.integers(0, 2**31 - 1), whole, words, words, st.none() | st.binary(), moments)
def test_a_dead_letter_survives_encoding(topic, partition, offset, service, reason, value, at):
    letter = make_dead_letter(
        value, topic=topic, partition=partition, offset=offset, service=service, reason=reason,
        at=at,
    )  # fmt: skip
    record = codec.encode_dead_letter(letter)
    assert codec.decode_dead_letter(record.value) == letter
    if value and len(value) > 8:
        assert value not in record.value


@pytest.mark.parametrize("changed", [{"impossible__why": 77}, {"impossible__why": 0}])
def test_an_alert_that_is_flagged_for_an_unknown_reason_is_read_without_it(changed):
    flagged = dataclasses.replace(
        EVENT, impossible=ImpossibleMatch(ImpossibleReason.TOO_FAR, "park", 1.5, 4200)
    )
    value = codec.encode_alert(flagged, SEEN_AT).value
    assert codec.decode_alert(value) == (flagged, SEEN_AT, True)
    assert codec.decode_alert(carried(alert_pb2.Alert, value, **changed)) == (EVENT, SEEN_AT, True)


def test_a_time_in_another_zone_is_the_same_time():
    elsewhere = SEEN_AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    frame = dataclasses.replace(FRAME, captured_at=elsewhere)
    assert codec.encode_frame(frame) == codec.encode_frame(FRAME)
    with pytest.raises(ValueError, match="no time zone"):
        codec.encode_frame(dataclasses.replace(FRAME, captured_at=SEEN_AT.replace(tzinfo=None)))


@every
def test_a_truncated_message_is_refused(record, decode):
    """But for a tally that ends where those of an earlier version ended."""
    readable = []
    for length in range(len(record.value)):
        with suppress(BadInput):
            decode(record.value[:length])
            readable.append(length)
    assert len(readable) == (decode is codec.decode_tally)
    decode(record.value)


@pytest.mark.parametrize("decode", [decode for _, decode in EVERY.values()], ids=EVERY)
@given(garbage=st.binary(max_size=300))
def test_random_bytes_raise_only_the_documented_error(decode, garbage):
    if not garbage and decode in (decode_change, decode_heartbeat):
        garbage = b"\0"
    with pytest.raises(BadInput):
        decode(garbage)


@every
@given(data=st.data())
def test_a_damaged_message_is_refused_or_read_and_never_breaks_the_reader(record, decode, data):
    value = bytearray(record.value)
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(value))
    except BadInput as error:
        assert str(error).startswith("This ")  # noqa: PT017 - either way is right


@every
def test_a_field_of_a_newer_version_is_left_alone(record, decode):
    newer = record.value + b"\xc2\x3e\x05newer"  # field 1000, a string
    assert decode(newer) == decode(record.value)


def carried(message, value, **changed):
    parsed = message.FromString(value)
    for name, new in changed.items():
        target = parsed
        *path, last = name.split("__")
        for step in path:
            target = getattr(target, step)
        if new is None:
            target.ClearField(last)
        else:
            setattr(target, last, new)
    return parsed.SerializeToString()


@pytest.mark.parametrize(
    ("kind", "message", "changed", "sentence"),
    [
        ("frame", frame_pb2.Frame, {"camera": ""}, "its camera is empty"),
        ("frame", frame_pb2.Frame, {"camera": None}, "it lacks its camera"),
        ("frame", frame_pb2.Frame, {"camera": "ga\0te"}, "its camera contains a NUL character"),
        ("frame", frame_pb2.Frame, {"jpeg": b""}, "its jpeg is empty"),
        ("frame", frame_pb2.Frame, {"ended": True}, "is the end of an epoch but has a picture"),
        ("end of a file", frame_pb2.Frame, {"ended": None}, "its jpeg is empty"),
        ("frame", frame_pb2.Frame, {"seq": -1}, "its seq is negative"),
        ("frame", frame_pb2.Frame, {"captured_at": None}, "it lacks its captured_at"),
        ("frame", frame_pb2.Frame, {"captured_at__nanos": -5}, "its captured_at is not a moment"),
        ("frame", frame_pb2.Frame, {"captured_at__seconds": 2**60}, "captured_at is not a moment"),
        ("sighting", sighting_pb2.Sighting, {"score": float("nan")}, "its score is not finite"),
        ("sighting", sighting_pb2.Sighting, {"box__w": float("inf")}, "its w is not finite"),
        ("sighting", sighting_pb2.Sighting, {"box__h": None}, "Box message .* lacks its h"),
        ("sighting", sighting_pb2.Sighting, {"sighting_id": "bert"}, "sighting_id is not a UUID"),
        ("sighting with evidence", sighting_pb2.Sighting, {"evidence__sealing": 9}, "the sealing"),
        ("alert", alert_pb2.Alert, {"event": 9}, "its event 9 is unknown"),
        ("alert", alert_pb2.Alert, {"event": 0}, "it lacks its event"),
        ("alert", alert_pb2.Alert, {"event_id": "x"}, "event_id does not match its sighting"),
        ("tally", tally_pb2.Tally, {"reporter": 9}, "its reporter 9 is unknown"),
        ("tally", tally_pb2.Tally, {"last_seq": 60}, "tally_id does not match its range"),
        ("tally", tally_pb2.Tally, {"baseline": "x" * 65}, "its baseline is not an id"),
        ("tally", tally_pb2.Tally, {"baseline_since__seconds": 9}, "without a baseline"),
        ("tally", tally_pb2.Tally, {"tracks_searched": 3}, "is not tracks_searched"),
        ("change", control_pb2.Control, {"entry__status": 0}, "it lacks its status"),
        ("change", control_pb2.Control, {"entry__template_hash": ""}, "has no template_hash"),
        (
            "change",
            control_pb2.Control,
            {"entry__reference_id": "b"},
            "key does not match its reference_id",
        ),
        (
            "verdict",
            verdict_pb2.Verdict,
            {"adjudication": 0},
            "lacks adjudication, outcome and",
        ),
        ("verdict", verdict_pb2.Verdict, {"outcome": 9}, "its outcome 9 is unknown"),
        ("verdict", verdict_pb2.Verdict, {"kind": 9}, "its kind 9 is unknown"),
    ],
)
def test_an_impossible_value_is_refused_with_the_reason(kind, message, changed, sentence):
    record, decode = EVERY[kind]
    with pytest.raises(BadInput, match=sentence):
        decode(carried(message, record.value, **changed))


def test_a_histogram_that_does_not_fit_is_refused():
    def spoilt(spoil):
        original = dataclasses.replace(TALLY, fine_scores={164: 1}, control_scores={-3: 2, 164: 1})
        tally = tally_pb2.Tally.FromString(codec.encode_tally(original).value)
        spoil(tally)
        return tally.SerializeToString()

    assert codec.decode_tally(spoilt(lambda tally: None)).control_scores == {-3: 2, 164: 1}
    for spoil, says in (
        (lambda tally: tally.fine_scores.counts.append(1), "lack the count of a bin"),
        (lambda tally: setattr(tally.fine_scores, "bin_width", 0.005), "other bins"),
        (lambda tally: tally.control_scores.bins.reverse(), "other bins"),
        (lambda tally: tally.control_scores.bins.__setitem__(0, 164), "other bins"),
        (lambda tally: tally.fine_scores.counts.__setitem__(0, 2), "is not tracks_searched"),
        (lambda tally: tally.light.counts.pop(), "its light has other bins"),
        (lambda tally: tally.light.lowest.__setitem__(1, 0.15), "its light has other bins"),
    ):
        with pytest.raises(BadInput, match=says):
            codec.decode_tally(spoilt(spoil))


def test_a_band_of_another_shape_is_refused():
    tally = tally_pb2.Tally.FromString(codec.encode_tally(TALLY).value)
    for change, sentence in (
        (lambda: tally.bands[0].counts.append(0), "other bins"),
        (lambda: tally.bands[0].counts.pop(), ""),
        (lambda: tally.bands.append(tally.bands[0]), "quality bands"),
    ):
        change()
        if sentence:
            with pytest.raises(BadInput, match=sentence):
                codec.decode_tally(tally.SerializeToString())


def test_a_verdict_for_a_reason_of_a_newer_version_is_a_verdict():
    newer = carried(verdict_pb2.Verdict, EVERY["verdict"][0].value, reason=99)
    assert codec.decode_verdict(newer) == VERDICT


def test_an_entry_of_an_unknown_status_is_not_searched():
    record, _ = EVERY["change"]
    newer = carried(control_pb2.Control, record.value, entry__status=77)
    assert decode_change(newer) == dataclasses.replace(CHANGE, status=EntryStatus.SUSPENDED)


def test_an_entry_of_an_earlier_version_has_neither_category_nor_owner():
    older = dataclasses.replace(CHANGE, category="", entry_hash="")
    message = control_pb2.Control.FromString(codec.encode_control(older).value)
    assert not message.entry.HasField("category")
    assert not message.entry.HasField("entry_hash")
    assert decode_change(message.SerializeToString()) == older


def test_control_of_an_unknown_kind_is_refused():
    with pytest.raises(BadInput, match="its content is unknown"):
        codec.decode_control(b"new", b"\xc2\x3e\x05newer")
    with pytest.raises(BadInput, match="is not the key of an entry"):
        codec.decode_control(b"\xff", None)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("frame", b"gate"),
        ("end of a file", b"gate"),
        ("sighting", b"market/anna"),
        ("alert", EVENT.alert_id.encode()),
        ("tally", b"gate"),
        ("change", b"0b2e"),
        ("heartbeat", b"heartbeat"),
        ("verdict", EVENT.alert_id.encode()),
        ("dead letter", b"frames.v1/2/10"),
    ],
)
def test_messages_that_require_an_order_share_a_key(name, key):
    assert EVERY[name][0].key == key


def test_qualities_fall_into_five_bands():
    qualities = [-1, 0, 19.99, 20, 59, 60, 80, 100, 101]
    assert [quality_band(q) for q in qualities] == [0, 0, 0, 1, 2, 3, 4, 4, 4]


def test_a_deployment_with_an_unknown_status_counts_as_paused():
    message = control_pb2.Control.FromString(codec.encode_control(STATE).value)
    message.deployment.status = 99
    original = decode_state(message.SerializeToString())
    assert original == dataclasses.replace(STATE, status=DeploymentStatus.PAUSED)
    message.deployment.status = 0
    with pytest.raises(BadInput, match="it lacks its status"):
        decode_state(message.SerializeToString())


def test_a_state_under_anothers_key_is_refused():
    with pytest.raises(BadInput, match="its key does not match its deployment_id"):
        codec.decode_control(b"deployment/other", codec.encode_control(STATE).value)
