"""Every key of CONFIG.yaml does something: a changed value changes what somebody can see.

A key that is added without a case here fails the test.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import cv2
import pytest
import run_without_faces
from pydantic import BaseModel

from openlfr import bootstrap, settings
from openlfr.bootstrap import stores
from openlfr.cli import main
from openlfr.domain.adjudication import Case, Judgement
from openlfr.domain.adjudication_rules import decide
from openlfr.domain.alerts import Adjudication
from openlfr.domain.errors import OpenLFRError
from openlfr.domain.principals import SYSTEM
from openlfr.settings import Settings

BASE: dict[str, Any] = {
    "data_dir": "data",
    "deployment": {
        "name": "Market", "purpose": "Find Ann", "place": "Square", "legal_basis": "Act 5",
        "authorised_by": "Chief X", "starts": "2026-11-23T09:00Z", "ends": "2026-11-23T17:00Z",
    },
    "cameras": {
        "gate": {
            "url": "thirty.mp4", "start": "2026-11-23T09:00Z", "position": [52.5163, 13.3777],
        },
        # 200 m beyond the 100 that are forgiven, in a second: 720 km/h
        "yard": {
            "url": "thirty.mp4", "start": "2026-11-23T09:00Z", "position": [52.5190, 13.3777],
        },
    },
    "max_age": "off",
}  # fmt: skip


def keys_of(schema: type[BaseModel], before: str = "") -> list[str]:
    """Every key that may stand in the file, dotted; those of any camera once."""
    found = []
    for name, field in schema.model_fields.items():
        blocks = _blocks(field.annotation)
        dotted = before + (field.alias or name)
        found += keys_of(blocks[0], dotted + ".") if blocks else [dotted]
    return found


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for part in get_args(annotation) for block in _blocks(part)]


# --- keys that a run is steered by

RUN = {
    "data_dir": ("elsewhere", "folder"),
    "deployment.id": ("market-1", "deployment"),
    "deployment.name": ("Fair", "authorised"),
    "deployment.purpose": ("Find Bea", "authorised"),
    "deployment.place": ("Station", "authorised"),
    "deployment.legal_basis": ("Act 6", "authorised"),
    "deployment.authorised_by": ("Chief Y", "authorised"),
    "deployment.starts": ("2026-11-23T09:00:01Z", "outside hours"),
    "deployment.ends": ("2026-11-23T09:00:02Z", "outside hours"),
    "cameras.url": ("twenty.mp4", "frames"),
    "cameras.fps": (5, "frames"),
    "cameras.start": ("2026-11-23T10:00Z", "captured"),
    "cameras.input_size": (320, "input sizes"),
    "cameras.loop": (True, "frames"),
    "cameras.position": ([52.5190, 13.3777], "events"),
    "watchlists": (["default", "second"], "subjects"),
    "matching.threshold": (0.55, "threshold"),
    "alerting.window": ("500ms", "events"),
    "alerting.fastest_km_h": (2000, "events"),
    "alerting.retention": ("60d", "long ago erased"),
    "max_age": ("1s", "late"),
}
"""Key: another value of it, and what of a run it changes. Of a camera: `gate`."""
LIVE = {"max_age"}
"""Where frames have to come at their own pace, and the first one keeps the run."""
REFUSED = {"matching.target_fpir": (0.001, "needs a calibration")}


AUTHORISATION = [
    key for key in sorted(RUN) if key.startswith("deployment.") and key != "deployment.id"
]


@pytest.fixture
def write(tmp_path, make_video):
    make_video("thirty.mp4", frames=30)
    make_video("twenty.mp4", frames=20)

    def put(key="", value=None):
        config = copy.deepcopy(BASE)
        block = config
        *path, last = key.replace("cameras.", "cameras.gate.").split(".")
        for part in path:
            block = block.setdefault(part, {})
        if last:
            block[last] = value
        file = tmp_path / "CONFIG.yaml"
        file.write_text(json.dumps(config))
        return file

    return put


@pytest.fixture(scope="module")
def before():
    """What came of the unchanged configuration, by whether it was run at its own pace."""
    return {}


@pytest.mark.parametrize("key", sorted(RUN))
def test_a_changed_key_changes_a_run(key, write, before, monkeypatch, tmp_path):
    value, changes = RUN[key]
    live = key in LIVE
    if live not in before:
        how = {"paced": live, "slow": live}
        before[live] = run_without_faces.run(write(), monkeypatch, **how)
        (tmp_path / "data").rename(tmp_path / "of-before")
    after = run_without_faces.run(write(key, value), monkeypatch, paced=live, slow=live)
    assert "refused" not in before[live]
    assert "refused" not in after, after
    assert after[changes] != before[live][changes]


@pytest.mark.parametrize("key", AUTHORISATION)
def test_no_run_starts_without_a_field_of_the_authorisation(key, write, monkeypatch):
    outcome = run_without_faces.run(write(key, None), monkeypatch)
    assert key in outcome["refused"]


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_a_key_that_cannot_be_met_yet_is_refused(key, write, monkeypatch):
    value, says = REFUSED[key]
    assert says in run_without_faces.run(write(key, value), monkeypatch)["refused"]


# --- keys that other parts read


def secret(folder, text):
    (folder / "secret").write_text(text + "\n")
    return "secret"


def kafka_of(config):
    return bootstrap.require_kafka(config)


def context_of(config):
    """What a TLS connection would be made with; a file that is no certificate is refused by it."""
    try:
        return config.services.kafka.access.client_arguments()
    except OpenLFRError as error:
        return str(error)


def redis_of(config):
    client = bootstrap.open_alert_book(config)._client
    return client.connection_pool.connection_kwargs | {"class": client.connection_pool}


def milvus_of(config):
    return (*config.services.milvus.address, config.services.milvus.ca_file)


def sql_of(config):
    return stores._records_url(config)


def outcome_of(function):
    def observe(config):
        try:
            return function(config)
        except OpenLFRError as error:
            return str(error)

    return observe


def topics_of(config):
    return {t.name: (t.partitions, t.replicas, dict(t.configs)) for t in config.topics.plan}


def target_of(config):
    from openlfr.embedded.calibrating import require_target

    return require_target(config, 0.05)


class TopicsWithoutDifferences:
    """Kafka's topics; records the transit bounds that they are compared with."""

    def __init__(self):
        self.compared = []

    def find_differences(self, plan, *, transit):
        self.compared.append(transit)
        return []

    def read_transit_bound(self, plan):
        return ""


def transit_of(config):
    """Return the transit bounds that `openlfr topics` compares with the brokers."""
    from openlfr.cli import topics

    cluster = TopicsWithoutDifferences()
    topics._print_differences(cluster, config.topics)
    return cluster.compared


def index_of(config):
    from openlfr_analysis.service import choose_index_class

    return choose_index_class(config).__name__


def max_cameras(config):
    from openlfr.domain.sharing import Cost
    from openlfr_ingest.capacity import max_cameras

    return max_cameras(config.ingest, {"gate": Cost(1)})


def _engaged(config):
    case = Case("a")
    what, at = Judgement(Adjudication.ENGAGE), datetime(2026, 5, 1, tzinfo=UTC)
    return decide(case, what, by=SYSTEM, at=at, times=config.alerting.times).first_verdict


PLAIN = {"url": "kafka://b:9092", "tls": False, "auth": "plain"}
USER = {**PLAIN, "username": "me", "password": "p"}
TLS = {"url": "kafka://b:9092", "tls": True}

OTHER = {
    # key: (the block's other keys, value, other value, what is seen)
    "ingest.max_cameras": ({}, None, 1, max_cameras),
    "alerting.undo": ({}, "8s", "20s", lambda c: _engaged(c).final_at),
    "alerting.settle": ({}, "14m", "1m", lambda c: _engaged(c).settle_at),
    "alerting.second_look": ({}, 0.2, 1, lambda c: c.alerting.second_look),
    "alerting.sealed": ({}, "24h", "48h", lambda c: c.alerting.times.sealed),
    "matching.max_fpir": ({}, 0.01, 0.1, outcome_of(target_of)),
    "matching.index": ({}, "snapshot", "milvus", index_of),
    "models.folder": ({}, "here", "there", lambda c: bootstrap.open_models(c).__dict__),
    "models.detector": ({}, "yunet", "other", outcome_of(bootstrap.load_detector)),
    "models.embedder": ({}, "sface", "other", outcome_of(bootstrap.load_embedder)),
    "models.threads": ({}, 1, 3, lambda c: bootstrap.load_detector(c)._calls.parallel),
    "models.providers": (
        {}, "auto", ["NoSuchExecutionProvider"], outcome_of(bootstrap.list_providers),
    ),
    "services.kafka.url": ({}, "kafka://a:1", "kafka://b:2", lambda c: kafka_of(c).brokers),
    "services.kafka.tls": (
        {"url": "kafka://b:1"}, False, True,
        lambda c: kafka_of(c).client_arguments()["security_protocol"],
    ),
    "services.kafka.auth": (
        {**USER}, "plain", "scram-sha-256",
        lambda c: kafka_of(c).client_arguments()["sasl_mechanism"],
    ),
    "services.kafka.username": (USER, "me", "you", lambda c: kafka_of(c).username),
    "services.kafka.username_file": (
        {**PLAIN, "password": "p"}, "one", "two", outcome_of(lambda c: kafka_of(c).username),
    ),
    "services.kafka.password": (USER, "p", "q", lambda c: kafka_of(c).password),
    "services.kafka.password_file": (
        {**PLAIN, "username": "me"}, "one", "two", outcome_of(lambda c: kafka_of(c).password),
    ),
    "services.kafka.ca_file": (TLS, "one", None, context_of),
    "services.kafka.cert_file": ({**TLS, "key_file": "one"}, "one", "gone", context_of),
    "services.kafka.key_file": ({**TLS, "cert_file": "one"}, "one", "gone", context_of),
    "services.redis.url": ({}, "redis://a:1", "redis://b:2", redis_of),
    "services.redis.password": ({"url": "redis://a:1"}, "p", "q", redis_of),
    "services.redis.password_file": ({"url": "redis://a:1"}, "one", "two", outcome_of(redis_of)),
    "services.redis.ca_file": ({"url": "rediss://a:1"}, "one", "two", redis_of),
    "services.milvus.url": ({}, "http://a:1", "http://b:2", milvus_of),
    "services.milvus.password": ({"url": "http://a:1"}, "u:p", "u:q", milvus_of),
    "services.milvus.password_file": ({"url": "http://a:1"}, "one", "two", outcome_of(milvus_of)),
    "services.milvus.ca_file": ({"url": "https://a:1"}, "one", "two", milvus_of),
    "services.sql.url": ({}, "sqlite:///a.db", "sqlite:///b.db", sql_of),
    "services.sql.password": ({"url": "postgresql://u@h/d"}, "p", "q", sql_of),
    "services.sql.password_file": (
        {"url": "postgresql://u@h/d"}, "one", "two", outcome_of(sql_of),
    ),
    "services.sql.ca_file": ({"url": "postgresql://u@h/d"}, "one", "two", sql_of),
    "topics.replication": ({}, 3, 1, topics_of),
    "topics.partitions": ({}, {}, {"frames.v1": 5}, topics_of),
    "topics.frames_retention": ({}, "30s", "90s", topics_of),
    "topics.frames_transit": ({}, "60s", "90s", transit_of),
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(OTHER))
def test_a_changed_key_changes_what_a_part_does(key, tmp_path, monkeypatch):
    others, one, two, observe = OTHER[key]
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"secret {name}\n")
    seen = []
    for value in (one, two):
        config: dict[str, Any] = {"data_dir": "data"}
        block = config
        *path, last = key.split(".")
        for part in path:
            block = block.setdefault(part, {})
        block |= others
        if value is not None:
            block[last] = value
        if key == "topics.frames_transit":
            config["services"] = {"kafka": "kafka://b:1"}
        (tmp_path / "CONFIG.yaml").write_text(json.dumps(config))
        seen.append(observe(settings.load(tmp_path / "CONFIG.yaml", {})))
    assert seen[0] != seen[1]


# --- keys that an enrolment is judged by

ENROLMENT = {
    "enrolment.min_eye_distance": (900, "too small"),
    "enrolment.min_quality": (100, "of poor quality"),
    "enrolment.min_sharpness": (1, "not sharp"),
    "enrolment.min_exposure": (1, "badly exposed"),
    "enrolment.categories": (["lost"], "category"),
    "enrolment.longest": ({"wanted": "30d"}, "is listed for 30 days at most"),
}


@pytest.mark.parametrize("key", sorted(ENROLMENT))
def test_a_changed_rule_refuses_a_photo(
    key, tmp_path, monkeypatch, capsys, yunet, sface, astronaut
):
    value, says = ENROLMENT[key]
    monkeypatch.setattr(bootstrap, "load_detector", lambda _: yunet)
    monkeypatch.setattr(bootstrap, "load_embedder", lambda _: sface)
    cv2.imwrite(str(tmp_path / "ann.png"), astronaut)
    manifest = tmp_path / "manifest.csv"
    in_a_year = (datetime.now(UTC) + timedelta(days=365)).date()
    manifest.write_text(
        "subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires\n"
        f"Ann,ann.png,wanted,Order 1,passport,2025-01-31,Eve Enroller,Otto Officer,{in_a_year}\n"
    )
    outputs = []
    for chosen in ({}, {key.partition(".")[2]: value}):
        config = tmp_path / "CONFIG.yaml"
        config.write_text(json.dumps({"data_dir": "data", "enrolment": chosen}))
        assert main(["watchlist", "check", str(manifest), "--config", str(config)]) == 0
        outputs.append(capsys.readouterr().out)
    assert "good" in outputs[0]
    assert says not in outputs[0]
    assert says in outputs[1]


def test_every_key_has_a_case():
    cases = [*RUN, *REFUSED, *OTHER, *ENROLMENT]
    assert sorted(cases) == sorted(keys_of(Settings))
