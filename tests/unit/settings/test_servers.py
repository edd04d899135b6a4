"""Server addresses and credentials from CONFIG.yaml and the environment; no secret is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openlfr import settings
from openlfr.domain.errors import Misconfigured

SECRET = "s3cr3t/with:@signs"


@pytest.fixture
def load(tmp_path):
    (tmp_path / "password").write_text(f"{SECRET}\n")
    (tmp_path / "username").write_text("openlfr")

    def load_text(text="", **variables):
        path = tmp_path / "CONFIG.yaml"
        path.write_text(f"data_dir: data\n{text}")
        return settings.load(path, variables)

    return load_text


def complaint(load, text="", **variables):
    with pytest.raises(Misconfigured) as caught:
        load(text, **variables)
    message = str(caught.value)
    assert SECRET not in message
    return message.rpartition("/")[2] if "CONFIG.yaml line" in message else message


SCRAM = """\
services:
  kafka:
    url: kafka://a:9093,b:9093
    tls: true
    auth: scram-sha-512
    username_file: username
    password_file: password
    ca_file: ca.crt
"""


def test_kafka_can_be_a_block(load, tmp_path):
    access = load(SCRAM).services.kafka.access
    assert access.brokers == ("a:9093", "b:9093")
    assert (access.tls, access.mechanism) == (True, "SCRAM-SHA-512")
    assert (access.username, access.password) == ("openlfr", SECRET)
    assert access.ca_file == tmp_path / "ca.crt"
    assert SECRET not in repr(access) + str(access)


def test_kafka_can_be_an_address(load):
    access = load("services: {kafka: 'kafka://a:9092/'}").services.kafka.access
    assert access.client_arguments() == {
        "bootstrap_servers": ["a:9092"], "security_protocol": "PLAINTEXT",
    }  # fmt: skip


def test_variables_take_the_place_of_keys(load, tmp_path):
    """As deploy/helm/openlfr gives them, with no `services` in the file."""
    found = load(
        "topics: {replication: 9}\n",
        OPENLFR_KAFKA_URL="kafka://k:9093",
        OPENLFR_KAFKA_TLS="true",
        OPENLFR_KAFKA_AUTH="tls",
        OPENLFR_KAFKA_CERT_FILE="/etc/openlfr/kafka/user.crt",
        OPENLFR_KAFKA_KEY_FILE="/etc/openlfr/kafka/user.key",
        OPENLFR_KAFKA_CA_FILE="/etc/openlfr/kafka/ca.crt",
        OPENLFR_TOPICS='{"replication":2,"frames_transit":"90s","partitions":{"frames.v1":24}}',
        OPENLFR_REDIS_URL="rediss://redis:6379/0",
        OPENLFR_REDIS_PASSWORD_FILE=str(tmp_path / "password"),
        OPENLFR_REDIS_CA_FILE="/etc/openlfr/redis/ca.crt",
        OPENLFR_MILVUS_URL="https://milvus:443",
        OPENLFR_MILVUS_PASSWORD_FILE=str(tmp_path / "password"),
        OPENLFR_SQL_URL="postgresql+psycopg://me@db/records?connect_timeout=3",
        OPENLFR_SQL_PASSWORD_FILE=str(tmp_path / "password"),
        OPENLFR_SQL_CA_FILE="/etc/openlfr/sql/ca.crt",
    )
    services = found.services
    assert services.kafka.access.cert_file == Path("/etc/openlfr/kafka/user.crt")
    assert (found.topics.replication, found.topics.partitions) == (2, {"frames.v1": 24})
    assert services.redis.address == (
        "rediss://:s3cr3t%2Fwith%3A%40signs@redis:6379/0?ssl_ca_certs=%2Fetc%2Fopenlfr%2Fredis%2Fca.crt"
    )
    assert services.milvus.address == ("https://milvus:443", SECRET)
    assert services.sql.address == (
        "postgresql+psycopg://me:s3cr3t%2Fwith%3A%40signs@db/records?connect_timeout=3"
        "&sslmode=verify-full&sslrootcert=%2Fetc%2Fopenlfr%2Fsql%2Fca.crt"
    )


def test_a_variable_changes_one_key_of_the_files_block(load):
    access = load(SCRAM, OPENLFR_KAFKA_PASSWORD="other").services.kafka.access
    assert (access.username, access.password, access.tls) == ("openlfr", "other", True)


def test_secrets_are_never_printed(load):
    found = load(
        f"services: {{redis: 'redis://me:{SECRET.replace('/', '')}@r:6379'}}",
        OPENLFR_KAFKA_URL="kafka://k:9093", OPENLFR_KAFKA_TLS="false", OPENLFR_KAFKA_AUTH="plain",
        OPENLFR_KAFKA_USERNAME="me", OPENLFR_KAFKA_PASSWORD=SECRET,
        OPENLFR_SQL_URL="postgresql://me@db/x", OPENLFR_SQL_PASSWORD=SECRET,
    )  # fmt: skip
    assert "s3cr3t" not in repr(found) + str(found) + repr(found.services.sql)
    assert "s3cr3t" not in json.dumps(found.model_dump(mode="json")["services"]["sql"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("auth: scram-sha-512, tls: true",
         "services.kafka has auth scram-sha-512, which needs username_file and password_file"),
        ("username: me, password: s3cr3t",
         ("services.kafka has a user or password but auth none: set auth to plain, scram-sha-256 or"
         " scram-sha-512")),
        ("auth: plain, username: me, password: s3cr3t",
         "services.kafka has auth plain but not tls: set tls to true or false"),
        ("auth: tls, tls: true", "services.kafka has auth tls, which needs cert_file and key_file"),
        ("tls: true, cert_file: a", "services.kafka needs cert_file and key_file together"),
        ("ca_file: a", "services.kafka has certificates or auth tls, which need tls: true"),
        ("auth: kerberos",
         ("services.kafka.auth: must be 'none', 'plain', 'scram-sha-256', 'scram-sha-512' or 'tls',"
         " not 'kerberos'")),
        ("tls: 1", "services.kafka.tls must be true or false, not 1"),
        ("password: [s3cr3t]", "services.kafka.password must be text (put it in quotes)"),
        ("passwrod: s3cr3t",
         "unknown key 'passwrod' in services.kafka; did you mean 'password'?"),
        ("auth: plain, tls: true, username: me, password: s3cr3t, password_file: password",
         ("services.kafka has its password in two places: keep one of password, password_file and"
         " the address")),
    ],
)  # fmt: skip
def test_an_invalid_block_is_reported_with_its_line(load, text, sentence):
    message = complaint(load, f"services:\n  kafka: {{url: 'kafka://a:1', {text}}}")
    assert message == f"CONFIG.yaml line 3: {sentence}"
    assert "s3cr3t" not in message


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"KAFKA_TLS": "yes"}, "OPENLFR_KAFKA_TLS must be true or false, not 'yes'."),
        ({"KAFKA_URL": "k:9092"},
         ("services.kafka (OPENLFR_KAFKA_URL) must look like"
         " kafka://broker-1:9092,broker-2:9092")),
        ({"KAFKA_TLS": "true"}, "services.kafka.url (OPENLFR_KAFKA_TLS) is missing"),
        ({"KAFKA_URL": "kafka://k:1", "KAFKA_AUTH": "ldap"},
         ("OPENLFR_KAFKA_AUTH: must be 'none', 'plain', 'scram-sha-256', 'scram-sha-512' or 'tls',"
         " not 'ldap'")),
        ({"KAFKA_URL": "kafka://k:1", "KAFKA_AUTH": "plain", "KAFKA_TLS": "true"},
         ("services.kafka (OPENLFR_KAFKA_AUTH, OPENLFR_KAFKA_TLS, OPENLFR_KAFKA_URL) has auth"
          " plain, which needs username_file and password_file")),
        ({"KAFKA_PASSWORDFILE": "/x"},
         "OPENLFR_KAFKA_PASSWORDFILE is unknown; did you mean OPENLFR_KAFKA_PASSWORD_FILE?"),
        ({"TOPICS": "{"},
         ("OPENLFR_TOPICS must be the block topics as JSON: Expecting property name enclosed in"
         " double quotes: line 1 column 2 (char 1).")),
        ({"TOPICS": '{"replication": 0}'},
         "OPENLFR_TOPICS: replication must be at least 1, not 0"),
        ({"TOPICS": '{"replicas": 3}'},
         "unknown key 'replicas' in OPENLFR_TOPICS; did you mean 'replication'?"),
        ({"REDIS_URL": "http://r"},
         ("services.redis (OPENLFR_REDIS_URL) must be an address that begins with redis:// or"
         " rediss:// or unix://")),
        ({"REDIS_URL": "redis://r", "REDIS_CA_FILE": "/ca"},
         ("services.redis (OPENLFR_REDIS_CA_FILE, OPENLFR_REDIS_URL) has ca_file, which needs an"
         " address that begins with rediss:// (TLS)")),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(load, variables, sentence):
    assert complaint(load, **{f"OPENLFR_{k}": v for k, v in variables.items()}) == sentence


def test_variables_that_kubernetes_sets_for_a_service_are_ignored(load):
    found = load(
        "", OPENLFR_KAFKA_PORT="tcp://10.0.0.1:9092", OPENLFR_REDIS_SERVICE_HOST="10.0.0.2"
    )
    assert (found.services.kafka, found.services.redis) == (None, None)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory. Check that the file exists and that"),
        ("", "is empty."),
        (b"\xff\xfe", "cannot be read: the file is not text."),
    ],
)
def test_an_invalid_secrets_file_is_refused(load, tmp_path, content, sentence):
    found = load(SCRAM)
    (tmp_path / "password").unlink()
    if content is not None:
        (tmp_path / "password").write_bytes(content or b"\n")
    with pytest.raises(Misconfigured) as caught:
        _ = found.services.kafka.access
    assert f"password (services.kafka.password_file) {sentence}" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ("ca.crt", r"authorities' certificates in .*ca.crt cannot be used \(No such file"),
        ("user.crt", r"certificate with its key .*user.key in .*user.crt cannot be used \(No such"),
    ],
)
def test_an_invalid_certificate_is_refused(load, tmp_path, changed, sentence):
    block = "url: kafka://a:1, tls: true"
    more = "ca_file: ca.crt" if changed == "ca.crt" else "cert_file: user.crt, key_file: user.key"
    access = load(f"services: {{kafka: {{{block}, {more}}}}}").services.kafka.access
    with pytest.raises(Misconfigured, match=sentence):
        access.client_arguments()
    if changed == "ca.crt":
        (tmp_path / changed).write_text("no certificate")
        with pytest.raises(Misconfigured, match=r"cannot be used .*: check the file"):
            access.faust_arguments()


def test_a_database_may_be_named_by_the_folder_of_its_socket(load):
    address = "postgresql+psycopg://me@/records?host=/run/postgresql"
    assert load(f"services: {{sql: '{address}'}}\n").services.sql.address == address
