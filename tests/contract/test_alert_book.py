"""Every alert book folds by the same rule, erases on request and recognises a replay."""

import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from dev_servers.process import answers, free_port
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sightings import renamed, sighting_of

from awaiting import await_that
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.redis.alert_book import RedisAlertBook
from openlfr.adapters.redis.connection import connect
from openlfr.adapters.redis.events import sighting_from_json, sighting_to_json
from openlfr.adapters.redis.lite import start_server
from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.sightings import Sighting
from openlfr.ports import AlertBook

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=30)
LONG = timedelta(days=1)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    server = start_server(tmp_path_factory.mktemp("data") / "redis")
    yield server.client
    server.close()


@pytest.fixture(scope="module")
def embedded(client: redis.Redis) -> RedisAlertBook:
    return RedisAlertBook(client, retention=LONG)


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    assert program is not None, "install Debian's redis-server, or leave out the service tests"
    port = free_port()
    folder = tmp_path_factory.mktemp("redis-server")
    with subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            await_that("Redis", lambda: answers(port), alive=[process])
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()  # otherwise the end of the block waits for the process for ever


@pytest.fixture(
    params=["memory", "embedded", pytest.param("server", marks=pytest.mark.service)],
)
def book(request: pytest.FixtureRequest) -> Iterator[AlertBook]:
    if request.param == "memory":
        yield MemoryAlertBook()
    elif request.param == "embedded":
        yield request.getfixturevalue("embedded")
    else:
        server = RedisAlertBook(connect(request.getfixturevalue("server_url")), retention=LONG)
        yield server
        server.close()


def sighting(seconds: float, *, seq: int | None = None, **other: object) -> Sighting:
    plain = sighting_of(
        deployment=f"street {{}}|: {uuid.uuid4()}",
        camera="gate",
        epoch=1,
        seq=int(seconds * 10) if seq is None else seq,
        subject="Ann Árbor",
        watchlist="default",
        reference_id="r1",
        captured_at=NOON + timedelta(seconds=seconds),
        box=Box(10.25, 20.5, 48.125, 60.0),
        score=0.5123456789012345,
        threshold=0.4,
        quality=61.3,
    )
    return renamed(plain, **other)


def fold_all(book: AlertBook, seconds: list[float], **other: object) -> list[AlertEvent | None]:
    one = sighting(0, **other)
    return [
        book.fold(renamed(one, seq=n, captured_at=NOON + timedelta(seconds=s)), window=WINDOW)
        for n, s in enumerate(seconds)
    ]


def grouped(events: list[AlertEvent | None]) -> list[int]:
    """Return the number of each event's alert, in order of first appearance."""
    order: dict[str, int] = {}
    return [order.setdefault(e.alert_id, len(order)) for e in events if e is not None]


@pytest.mark.parametrize(
    ("seconds", "alerts"),
    [
        pytest.param([0, 30, 60, 90], [0, 0, 0, 0], id="each within the window of the last"),
        pytest.param([0, 30.001], [0, 1], id="just outside"),
        pytest.param([0, 30.000001], [0, 1], id="outside by a microsecond"),
        pytest.param([100, 70, 40], [0, 0, 0], id="late ones extend backwards"),
        pytest.param([100, 69.9], [0, 1], id="too early for it"),
        pytest.param([0, 50, 20], [0, 1, 0], id="between two alerts: the nearer"),
        pytest.param([0, 50, 30], [0, 1, 1], id="between two alerts: the nearer, later one"),
        pytest.param([50, 0, 25], [0, 1, 1], id="equally near: the earlier"),
        pytest.param([0, 50, 25, 50.5], [0, 1, 0, 1], id="neither alert is merged away"),
        pytest.param([0, 100, 5, 95, 200, 10], [0, 1, 0, 1, 2, 0], id="each finds its own"),
        pytest.param([0, 0, 0], [0, 0, 0], id="the same moment"),
    ],
)
def test_a_sighting_joins_the_alert_of_the_nearest_one_within_the_window(
    book: AlertBook, seconds: list[float], alerts: list[int]
) -> None:
    events = fold_all(book, seconds)
    assert grouped(events) == alerts
    opened = [e for e in events if e is not None and e.event is EventKind.OPENED]
    assert len(opened) == max(alerts) + 1
    assert all(e.alert_id == alert_id_of(e.sighting.sighting_id) for e in opened)


def test_sightings_of_all_cameras_are_folded_together_by_subject_and_deployment(
    book: AlertBook,
) -> None:
    one = sighting(0)
    others = [
        renamed(one, subject="Ann Árbor:x"),
        renamed(one, deployment=one.deployment + "}"),
    ]
    assert [book.fold(s, window=WINDOW).event for s in [one, *others]] == [EventKind.OPENED] * 3
    elsewhere = book.fold(renamed(one, camera="back"), window=WINDOW)
    assert elsewhere.event is EventKind.JOINED
    assert elsewhere.alert_id == alert_id_of(one.sighting_id)


def test_events_come_back_equal_and_in_the_order_of_folding(book: AlertBook) -> None:
    one = sighting(0)
    events = fold_all(book, [60, 0, 61, 1], deployment=one.deployment)
    assert book.events(one.deployment) == events
    assert book.events("another") == []


def test_a_known_sighting_changes_nothing(book: AlertBook) -> None:
    one = sighting(0)
    first = book.fold(one, window=WINDOW)
    assert [book.fold(one, window=WINDOW) for _ in range(3)] == [None] * 3
    assert book.events(one.deployment) == [first]
    assert sum(book.event_counts(one.deployment).values()) == 1


def test_the_call_that_folded_a_sighting_returns_its_event_again(book: AlertBook) -> None:
    """Only a worker that was killed between folding and publishing publishes the event again."""
    one = sighting(0)
    event = book.fold(one, window=WINDOW, call="sightings.v1/3/17")
    assert event is not None
    again = [book.fold(one, window=WINDOW, call=c) for c in ("sightings.v1/3/17", "x y", "")]
    assert again == [event, None, None]
    assert sum(book.event_counts(one.deployment).values()) == 1
    book.erase(one.deployment, [one.sighting_id])
    assert book.fold(one, window=WINDOW, call="sightings.v1/3/17") is None


def test_the_nearest_stored_sightings_of_a_subject_are_returned(book: AlertBook) -> None:
    one = sighting(0)
    assert book.nearest_sightings(one) == []
    made = [
        renamed(one, seq=100 + s, captured_at=NOON + timedelta(seconds=s)) for s in range(-12, 13)
    ]
    for each in [*made, renamed(one, subject="bob", seq=500), replace(made[0], deployment="x")]:
        book.fold(each, window=WINDOW)
    assert (
        sorted(book.nearest_sightings(one), key=made.index) == made[4:20]
    )  # including the sighting's own time
    assert sorted(book.nearest_sightings(made[12]), key=made.index) == made[4:12] + made[13:21]
    book.erase(one.deployment, [made[13].sighting_id])
    assert sorted(book.nearest_sightings(made[12]), key=made.index) == made[4:12] + made[14:22]


def test_an_impossible_match_is_stored_with_its_event_and_never_changed(
    book: AlertBook,
) -> None:
    one, flag = (
        sighting(0, conflicts_in_frame=True),
        ImpossibleMatch(ImpossibleReason.TOO_FAR, "Straße", 12.5, 4200),
    )
    event = book.fold(one, window=WINDOW, call="1", impossible=flag)
    assert event is not None
    assert (event.sighting, event.impossible) == (one, flag)
    other = replace(flag, camera="another")
    assert book.fold(one, window=WINDOW, call="1", impossible=other) == event
    assert book.fold(one, window=WINDOW, call="1") == event
    plain = book.fold(renamed(one, seq=9), window=WINDOW, call="2")
    assert plain is not None
    assert plain.impossible is None
    assert book.fold(renamed(one, seq=9), window=WINDOW, call="2", impossible=flag) == plain
    assert book.events(one.deployment) == [event, plain]


def test_events_are_counted_by_camera_and_utc_hour(book: AlertBook) -> None:
    one = sighting(0)
    berlin = timezone(timedelta(hours=1))
    for s in (
        one,
        renamed(one, seq=5),
        renamed(one, camera="back|:door", seq=6),
        renamed(one, captured_at=datetime(2026, 11, 24, 0, 30, tzinfo=berlin), seq=7),
    ):
        book.fold(s, window=WINDOW)
    assert book.event_counts(one.deployment) == {
        ("back|:door", "2026-11-23T12"): 1,
        ("gate", "2026-11-23T12"): 2,
        ("gate", "2026-11-23T23"): 1,
    }
    assert book.opened_alert_counts(one.deployment) == {  # the others joined the first
        ("gate", "2026-11-23T12"): 1,
        ("gate", "2026-11-23T23"): 1,
    }
    assert book.opened_alert_counts("nowhere") == {}


def test_a_moved_event_moves_the_later_events_too(book: AlertBook) -> None:
    """The records contain the end of the alert that the sighting joined."""
    one = sighting(0)
    two, three = (renamed(one, seq=n, captured_at=NOON + WINDOW * n / 2) for n in (1, 2))
    first = book.fold(one, window=WINDOW, call="1")
    joined = book.fold(two, window=WINDOW, call="2")
    assert first is not None
    assert joined is not None
    opened = replace(joined, event=EventKind.OPENED, alert_id=alert_id_of(two.sighting_id))
    book.move(opened)
    book.move(opened)
    assert book.events(one.deployment) == [first, opened]
    assert book.fold(two, window=WINDOW, call="2") == opened
    after = book.fold(three, window=WINDOW)
    assert after is not None
    assert (after.event, after.alert_id) == (EventKind.JOINED, opened.alert_id)
    assert sum(book.opened_alert_counts(one.deployment).values()) == 2
    assert sum(book.event_counts(one.deployment).values()) == 3
    book.erase(one.deployment, [two.sighting_id])
    book.move(opened)
    assert [each.sighting for each in book.events(one.deployment)] == [one, three]


def test_an_erased_event_is_deleted_and_its_replay_opens_nothing(book: AlertBook) -> None:
    one, two = sighting(0), sighting(0)
    two = renamed(one, seq=9, captured_at=NOON + timedelta(seconds=9))
    book.fold(one, window=WINDOW)
    kept = book.fold(two, window=WINDOW)
    book.erase(one.deployment, [one.sighting_id, "unknown"])
    book.erase(one.deployment, [one.sighting_id])
    assert book.events(one.deployment) == [kept]
    assert book.fold(one, window=WINDOW) is None
    assert sum(book.event_counts(one.deployment).values()) == 2


def test_an_erased_alert_absorbs_nobody(book: AlertBook) -> None:
    """A refuted stranger's alert must not absorb a listed person who passes soon after."""
    one = sighting(0)
    book.fold(one, window=WINDOW)
    book.erase(one.deployment, [one.sighting_id])
    later = book.fold(renamed(one, seq=1, captured_at=NOON + WINDOW / 3), window=WINDOW)
    assert later.event is EventKind.OPENED


sightings = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from("ab"), st.sampled_from(["gate", "back"])),
    min_size=1,
    max_size=12,
    unique=True,
)
few = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@few
@given(data=st.data(), drawn=sightings)
def test_any_order_and_duplication_yields_the_same_events(
    book: AlertBook, data: st.DataObject, drawn: list[tuple[int, str, str]]
) -> None:
    """Every book groups the events as the book in memory does."""
    one = sighting(0)
    made = [
        renamed(one, seq=s, subject=who, camera=where, captured_at=NOON + timedelta(seconds=s))
        for s, who, where in drawn
    ]
    delivered = data.draw(st.permutations(made + data.draw(st.lists(st.sampled_from(made)))))
    judge = MemoryAlertBook()
    given_out = [book.fold(s, window=WINDOW) for s in delivered]
    assert given_out == [judge.fold(s, window=WINDOW) for s in delivered]
    assert {e.sighting for e in book.events(one.deployment)} == set(made)
    assert sum(book.event_counts(one.deployment).values()) == len(made)


@few
@given(seconds=st.lists(st.integers(0, 500), min_size=1, max_size=15).map(sorted))
def test_in_order_delivery_opens_an_alert_only_after_a_silence_longer_than_the_window(
    book: AlertBook, seconds: list[int]
) -> None:
    events = fold_all(book, [float(s) for s in seconds])
    silences = [b - a > 30 for a, b in pairwise(seconds)]
    assert [e.event is EventKind.OPENED for e in events] == [True, *silences]


def test_a_sighting_survives_json() -> None:
    one = sighting(1 / 3)
    assert sighting_from_json(sighting_to_json(one)) == one
    later_version = sighting_to_json(one).replace("{", '{"new": 1,', 1)
    assert sighting_from_json(later_version) == one


def test_a_call_that_the_client_repeats_is_no_replay(
    client: redis.Redis, embedded: RedisAlertBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken connection loses the response to the first attempt, but not its effect."""
    one, evalsha = sighting(0), client.evalsha

    def call_twice(*args: object) -> object:
        evalsha(*args)
        return evalsha(*args)

    with monkeypatch.context() as patch:
        patch.setattr(client, "evalsha", call_twice)
        event = embedded.fold(one, window=WINDOW)
    assert event is not None
    assert embedded.events(one.deployment) == [event]
    assert embedded.fold(one, window=WINDOW) is None


def keys_of(client: redis.Redis, one: Sighting) -> list[bytes]:
    return list(client.scan_iter(f"*{one.deployment[-36:]}*"))


def test_every_key_expires(client: redis.Redis) -> None:
    one = sighting(0)
    RedisAlertBook(client, retention=timedelta(milliseconds=50)).fold(one, window=WINDOW)
    await_that("end of every key", lambda: not keys_of(client, one))


def test_old_events_are_pruned_while_a_deployment_goes_on(
    client: redis.Redis, embedded: RedisAlertBook
) -> None:
    one = sighting(0)
    other = renamed(one, subject="b", seq=1)
    embedded.fold(one, window=WINDOW)
    embedded.fold(other, window=WINDOW)
    assert len(keys_of(client, one)) == 7
    folded_ms = time.time_ns() // 1_000_000
    await_that("end of the retention", lambda: time.time_ns() // 1_000_000 > folded_ms + 1)
    brief = RedisAlertBook(client, retention=timedelta(milliseconds=1))
    last = brief.fold(renamed(one, seq=2), window=WINDOW)
    assert last.event is EventKind.OPENED
    assert embedded.events(one.deployment) in ([last], [])  # the event may have expired
    for key in keys_of(client, one):
        if client.type(key) == b"zset":
            assert client.zcard(key) <= 1


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    client = redis.Redis(unix_socket_path=str(tmp_path / "none"))
    book = RedisAlertBook(client, retention=LONG)
    with pytest.raises(Unavailable, match="alert book in Redis cannot be read or written"):
        book.fold(sighting(0), window=WINDOW)
    book.close()


def test_a_url_of_another_kind_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match=r"services\.redis"):
        connect("kafka://localhost")


def test_erased_content_is_not_in_the_file_either(tmp_path: Path) -> None:
    server = start_server(tmp_path / "redis")
    book = RedisAlertBook(server.client, retention=LONG, close=server.close)
    one = sighting(0, camera="camera that nobody may know of")
    book.fold(one, window=WINDOW)
    file = tmp_path / "redis" / "appendonly.aof"
    assert b"Ann" in file.read_bytes()
    book.erase(one.deployment, [one.sighting_id])
    assert b'"box"' not in file.read_bytes()
    assert book.fold(one, window=WINDOW) is None
    book.close()


def test_a_known_sighting_is_one_whose_fold_returns_nothing(book: AlertBook) -> None:
    seen = sighting(0)
    assert not book.has_folded(seen)
    assert not book.has_folded(seen, call="topic/0/7")
    assert book.fold(seen, window=WINDOW, call="topic/0/7") is not None
    assert book.has_folded(seen)
    assert book.has_folded(seen, call="topic/0/8")
    assert not book.has_folded(seen, call="topic/0/7")  # so a repeated call folds it again
    book.erase(seen.deployment, [seen.sighting_id])
    assert book.has_folded(seen, call="topic/0/7")
    assert book.fold(seen, window=WINDOW, call="topic/0/7") is None
