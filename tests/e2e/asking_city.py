"""Servers with authentication, with the rights of the chart and of `openlfr rights`."""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from contextlib import closing, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import redis
import sqlalchemy as sa
from dev_servers.process import need
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from pods import Pods

from openlfr.adapters.kafka.rights import rights_by_user
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.adapters.vault.files import Sealer
from openlfr.adapters.vault.key_files import CONTROL_LABEL, format_key_line
from openlfr.cli import main
from openlfr.wire import seal
from secured_servers import (
    PASSWORD,
    USER,
    Authority,
    start_authorizing_kafka,
    start_postgresql,
    start_redis,
)

if TYPE_CHECKING:
    from small_street import Place

    from rendered_chart import Chart

REDIS, SQL = ("ingest", "alerting", "operator"), ("owner", "alerting", "operator")


def secret(user: str) -> str:
    return f"{user} proves it by $this/@:"


def apply_kafka_users(chart: Chart, inside: str) -> None:
    """Add rights to Kafka's access control list, as Strimzi's operator does."""
    acls = [
        ACL(
            principal=f"User:{user['metadata']['name']}",
            host="*",
            operation=ACLOperation[_as_enum(operation)],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(
                ResourceType[rule["resource"]["type"].upper()],
                rule["resource"].get("name", "kafka-cluster"),
                ACLResourcePatternType.LITERAL,
            ),
        )
        for user in chart.render(values="small")
        if user["kind"] == "KafkaUser"
        for rule in user["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    ]
    with closing(KafkaAdminClient(bootstrap_servers=inside)) as admin:
        done = admin.create_acls(acls)
    assert len(done["succeeded"]) == len(acls), done["failed"]


class AskingCity:
    """Servers with authentication, and the pods of a release."""

    def __init__(self, place: Place, chart: Chart, start: Any, milvus: str) -> None:
        """Start the servers, by `start(STARTER, *MORE)`, and make the users; no topic, no table."""
        self.place = place
        self.authority = Authority(place.folder)
        users = {f"openlfr-{name}": secret(name) for name in rights_by_user()}
        self.kafka, inside = start(start_authorizing_kafka, self.authority, users)
        (self.redis,) = start(start_redis, self.authority, self._printed("redis"))
        (self.sql,) = start(start_postgresql, self.authority)
        apply_kafka_users(chart, inside)
        self._run_sql(self._printed("sql", "--owner", "records", "--database", "city"))
        self.pods = Pods(place.folder, self._rendered(chart, milvus), self._secrets())

    def _printed(self, *words: str) -> str:
        """Return the output of `openlfr rights`, with the users' passwords."""
        folder = self.place.folder / "passwords"
        folder.mkdir(exist_ok=True)
        for name in {*REDIS, *SQL}:
            (folder / name).write_text(secret(name))
        with redirect_stdout(StringIO()) as printed:
            assert main(["rights", words[0], "--passwords", str(folder), *words[1:]]) == 0
        assert "proves it" not in printed.getvalue()
        return printed.getvalue()

    def _run_sql(self, statements: str) -> None:
        """Run SQL with psql, as an administrator does."""
        subprocess.run(
            [need("psql", "postgresql-client"), "--set", "ON_ERROR_STOP=1", "--quiet",
             f"host=127.0.0.1 port={self.sql.rpartition(':')[2]} user={USER} dbname=postgres"],
            input=statements, text=True, check=True, capture_output=True,
            env={**os.environ, "PGPASSWORD": PASSWORD},
        )  # fmt: skip

    def _rendered(self, chart: Chart, milvus: str) -> list[dict[str, Any]]:
        ca = '{"name":"ca","key":"ca.crt"}'
        return chart.render(
            f'kafka={{"brokers":"{self.kafka}","caSecret":{ca}}}',
            f'redis={{"url":"rediss://{self.redis}/0","caSecret":{ca}}}',
            f'milvus={{"url":"{milvus}","auth":false}}',
            f'sql={{"url":"postgresql+psycopg://{self.sql}/city","caSecret":{ca}}}',
            'services.ingest.redis={"user":"openlfr-ingest","secret":"redis-ingest"}',
            'services.alerting.redis={"user":"openlfr-alerting","secret":"redis-alerting"}',
            'services.alerting.sql={"user":"records_alerting","secret":"sql-alerting"}',
            'services.operator.redis={"user":"openlfr-operator","secret":"redis-operator"}',
            'services.operator.sql={"user":"records_operator","secret":"sql-operator"}',
            'jobs.sql={"user":"records","secret":"sql-owner"}',
            # Frames are retained as long as a slow machine needs.
            'topics={"replication":1,"framesRetention":"30m","framesTransit":"1h"}',
        )

    def _secrets(self) -> dict[str, dict[str, str]]:
        key = b64encode(bytes(range(32))).decode()
        control = Sealer(bytes(range(32))).derive(seal.purpose_of(CONTROL.name))
        return {
            "openlfr-config": {"CONFIG.yaml": ""},
            "openlfr-vault": {
                "vault.key": f"openlfr-vault-key-1 {key}\n",
                "control.key": format_key_line(CONTROL_LABEL, control),
            },
            "ca": {"ca.crt": self.authority.file.read_text()},
            **{f"redis-{each}": {"password": secret(each)} for each in REDIS},
            **{f"sql-{each}": {"password": secret(each)} for each in SQL},
            **{
                f"openlfr-kafka-{name}": {"username": f"openlfr-{name}", "password": secret(name)}
                for name in rights_by_user()
            },
        }

    def kafka_as(self, name: str) -> dict[str, Any]:
        """Return the arguments of kafka-python's clients for a user."""
        return {
            "bootstrap_servers": self.kafka, "security_protocol": "SASL_SSL",
            "ssl_cafile": str(self.authority.file), "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": f"openlfr-{name}", "sasl_plain_password": secret(name),
        }  # fmt: skip

    def redis_as(self, name: str) -> redis.Redis:
        host, _, port = self.redis.partition(":")
        return redis.Redis(
            host, int(port), ssl=True, ssl_ca_certs=str(self.authority.file),
            username=f"openlfr-{name}" if name else None, password=secret(name) if name else None,
        )  # fmt: skip

    def sql_as(self, name: str) -> sa.Engine:
        url = sa.make_url(f"postgresql+psycopg://records_{name}@{self.sql}/city?sslmode=require")
        return sa.create_engine(url.set(password=secret(name)))


def _as_enum(operation: str) -> str:
    """Convert an operation's name to kafka-python's enum, such as DESCRIBE_CONFIGS."""
    return "".join(f"_{c}" if c.isupper() else c.upper() for c in operation).removeprefix("_")
