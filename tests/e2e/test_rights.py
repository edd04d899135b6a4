"""Each service with exactly its own rights, on servers with authentication.

Kafka's rights are those of the chart's own KafkaUsers, enforced by Kafka's authorizer. Users of
Redis and roles of PostgreSQL are what `openlfr rights` prints. The containers are those of the
rendered chart: their commands and variables, with the secrets as files.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from asking_city import AskingCity
from dev_servers.process import end, folder_apart
from kafka import KafkaConsumer, KafkaProducer, TopicPartition, errors
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from small_street import Place

from awaiting import PATIENCE_S, await_that
from rendered_chart import Chart, load_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.service, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def city(tmp_path_factory, street, model_store, servers) -> Iterator[AskingCity]:
    """Servers with users, topics, tables and a watchlist, each created by an authorised user."""
    validate = load_validator()
    validate.fetch()
    place = Place(tmp_path_factory.mktemp("rights"), model_store.folder, street.video)
    with ExitStack() as closing_all:

        def start(starter: Any, *more: Any) -> tuple[str, ...]:
            folder = folder_apart("openlfr-rights-")
            closing_all.callback(shutil.rmtree, folder, ignore_errors=True)
            server, *addresses = starter(folder, *more)
            closing_all.callback(server.wait)
            closing_all.callback(end, server.pid)
            return tuple(addresses)

        made = AskingCity(place, Chart(validate), start, servers.url("milvus"))
        closing_all.callback(made.pods.close)
        yield made


def test_the_jobs_create_topics_and_tables_and_an_operator_enrols(city, street):
    topics = city.pods.call("topics")
    assert topics.returncode == 0, topics
    assert "check interval 10 s" in topics.stdout  # read from the brokers
    assert "7 topics are as configured" in topics.stdout
    migrations = city.pods.call("migrations")
    sentence = "records_alerting and records_operator have the rights that this version needs."
    assert sentence in migrations.stdout, migrations
    enrol = ("watchlist", "import", street.manifest)
    refused = city.pods.call("alerting", *enrol)
    assert refused.returncode == 2
    assert "deny this user the right to do that (permission denied for table" in refused.stderr
    imported = city.pods.call("operator", *enrol)
    assert imported.returncode == 0, imported
    checked = city.pods.call("operator", "topics", "check")
    assert checked.returncode == 0, checked


def test_all_services_come_up_and_an_alert_is_recorded(city, street):
    pods = city.pods
    alerting, analysis = pods.start("alerting"), pods.start("analysis")
    ingest = pods.start("ingest", "--epoch", 1, "--as-fast-as-possible")
    assert ingest.popen.wait(PATIENCE_S) == 0, ingest.read_output()

    def recorded() -> set[str]:
        with closing_engine(city.sql_as("operator")) as engine, engine.connect() as connection:
            return set(connection.scalars(sa.text("SELECT subject FROM alerts")))

    workers = [alerting.popen, analysis.popen]
    await_that(
        "alert", lambda: recorded() == street.listed, alive=workers,
        seen=lambda: (alerting.read_output(), analysis.read_output()),
    )  # fmt: skip
    with closing_engine(city.sql_as("operator")) as engine, engine.connect() as connection:
        alert = connection.scalar(sa.text("SELECT alert_id FROM alerts LIMIT 1"))
    for act in (("alerts", "decide", alert, "do_not_engage"), ("purge",)):
        done = pods.call("operator", *act, "--by", "Otto")
        assert done.returncode == 0, done


def test_a_worker_leaves_its_group(city):
    left = city.pods.call("analysis", "service", "analysis", "--leave")
    assert left.returncode == 0, left
    # On a busy machine its session may already have expired.
    assert "openlfr-analysis-0 has finished its batch" in left.stdout
    assert city.pods.running["analysis"].popen.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        ("ingest", "frames.v1"),
        ("alerting", "frames.v1"),
        ("topics", "frames.v1"),
        ("scaler", "alerts.v1"),
        ("analysis", "alerts.v1"),
    ],
)
def test_a_user_without_the_read_right_reads_nothing_of_a_topic(city, who, topic):
    partition = TopicPartition(topic, 0)
    with closing(KafkaConsumer(**city.kafka_as(who), group_id=None)) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, 0)

        def read() -> bool:
            consumer.beginning_offsets([partition])  # describing a topic is a separate right
            return bool(consumer.poll(timeout_ms=200))

        with pytest.raises(errors.TopicAuthorizationFailedError):
            await_that("refusal", read)


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        ("ingest", "sightings.v1"),
        ("ingest", "control.v1"),
        ("analysis", "alerts.v1"),
        ("analysis", "frames.v1"),
        ("alerting", "sightings.v1"),
        ("topics", "frames.v1"),
    ],
)
def test_a_user_without_the_write_right_writes_nothing_to_a_topic(city, who, topic):
    with (
        closing(KafkaProducer(**city.kafka_as(who), enable_idempotence=False)) as producer,
        pytest.raises(errors.TopicAuthorizationFailedError),
    ):
        producer.send(topic, b"junk").get(PATIENCE_S)


def test_a_group_belongs_to_one_service(city):
    others = KafkaConsumer(**city.kafka_as("analysis"), group_id="openlfr-alerting")
    with closing(others), pytest.raises(errors.GroupAuthorizationFailedError):
        others.committed(TopicPartition("frames.v1", 0))


def test_a_service_without_a_right_names_the_right(city):
    alerting = city.pods.environment("alerting")
    words = {name: alerting[name] for name in alerting if name.startswith("OPENLFR_KAFKA_")}
    filmed = city.pods.call("ingest", **words)
    assert filmed.returncode == 2
    assert (
        "error: The topics on Kafka are not as they must be (openlfr topics apply):\n"
        "  frames.v1: Kafka does not show this topic: grant this user Describe and DescribeConfigs"
        " on it\n"
    ) in filmed.stderr


@pytest.mark.parametrize("who", ["ingest", "alerting", "operator"])
def test_no_user_may_use_more_of_redis_than_the_project_s_keys(city, who):
    with closing(city.redis_as(who)) as client:
        client.set("openlfr:{other}:lease:test", "x", px=1)
        for words in (
            "FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET dir", "CONFIG SET dir /", "SHUTDOWN",
            "ACL LIST", "GET somebodys", "SET somebodys 1", "CLIENT LIST",
            *(["BGREWRITEAOF", "BGSAVE", "INFO"] if who == "ingest" else []),
        ):  # fmt: skip
            with pytest.raises(NoPermissionError):
                client.execute_command(*words.split())
        with pytest.raises(ResponseError, match="can't access at least one of the keys"):
            client.eval("return redis.call('GET', 'somebodys')", 0)


def test_redis_rejects_connections_without_a_user(city):
    with closing(city.redis_as("")) as client, pytest.raises(AuthenticationError):
        client.ping()


@pytest.mark.parametrize(
    ("who", "statement"),
    [
        ("alerting", "INSERT INTO watchlist_references SELECT * FROM watchlist_references"),
        ("alerting", "INSERT INTO gallery_facts SELECT * FROM gallery_facts"),
        ("operator", "INSERT INTO alerts SELECT * FROM alerts"),
        ("operator", "UPDATE tallies SET sightings = 0"),
        *(
            (who, statement)
            for who in ("alerting", "operator")
            for statement in (
                "UPDATE audit_events SET name = 'somebody else'",
                "DELETE FROM audit_events",
                "DELETE FROM alerts",
                "DELETE FROM watchlist_references",
                "TRUNCATE tallies",
                "UPDATE alembic_version SET version_num = '0001'",
                "CREATE TABLE mine (id integer)",
                "DROP TABLE alerts",
                "ALTER TABLE audit_events DISABLE TRIGGER ALL",
                "CREATE ROLE friend",
            )
        ),
    ],
)
def test_a_role_may_not_exceed_its_rights(city, who, statement):
    with (
        closing_engine(city.sql_as(who)) as engine,
        engine.connect() as connection,
        pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
    ):
        connection.exec_driver_sql(statement)


def test_a_stranger_to_the_records_is_rejected(city):
    """PUBLIC may connect to a database of PostgreSQL by default."""
    with closing_engine(city.sql_as("alerting")) as engine, engine.connect() as connection:
        may = "SELECT has_database_privilege('pg_monitor', 'city', 'CONNECT')"
        assert connection.scalar(sa.text(may)) is False


def test_services_end_in_order(city):
    alerting = city.pods.running["alerting"]
    alerting.popen.terminate()
    assert alerting.popen.wait(PATIENCE_S) == 0, alerting.read_output()


@contextmanager
def closing_engine(engine: sa.Engine) -> Iterator[sa.Engine]:
    """Yield an engine, and dispose of it at the end."""
    try:
        yield engine
    finally:
        engine.dispose()
