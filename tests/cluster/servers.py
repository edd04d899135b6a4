"""Servers with authentication, on an address of this machine that a trial cluster's pods reach.

    python tests/cluster/servers.py --address 10.88.0.1 --folder DIR

Kafka with its StandardAuthorizer and the rights of the chart's own KafkaUsers, Redis with the ACL
file and PostgreSQL with the roles that `openlfr rights` prints, Milvus: all over TLS, with
passwords. It writes values.json and secrets.json, which `tests/cluster` takes by `--servers DIR`,
and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from contextlib import closing, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
SERVICES = {"ingest": ["redis"], "alerting": ["redis", "sql"], "operator": ["redis", "sql"]}


def main() -> None:
    """Start the servers, write their addresses, and wait."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--address", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    os.environ["OPENLFR_TEST_ADDRESS"] = asked.address
    sys.path[:0] = [str(TESTS), str(TESTS / "e2e"), str(TESTS.parent / "scripts")]
    folder = asked.folder.absolute()
    folder.mkdir(mode=0o711, parents=True)
    from dev_servers import guard
    from dev_servers.guarded import start_guard
    from dev_servers.process import STOP_S

    mark = folder / "guarded"
    mark.mkdir(mode=0o711)
    os.environ[guard.VARIABLE] = str(mark)
    pipe = start_guard(str(mark))  # ends the servers if this process is killed
    processes: list[subprocess.Popen[bytes]] = []
    try:
        values, secrets = start(folder, processes)
        (folder / "secrets.json").write_text(json.dumps(secrets))
        (folder / "values.json").write_text(json.dumps(values, indent=2))
        print("ready", flush=True)
        # Not by sigwait: a signal that nobody has blocked ends the process before what follows.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            signal.pause()
    finally:
        for each in processes:
            each.terminate()
        for each in processes:
            try:
                each.wait(STOP_S)
            except subprocess.TimeoutExpired:  # Milvus takes long to end
                each.kill()
                each.wait()
        pipe.close()


def start(folder: Path, processes: list[Any]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Start every server, create its users, and return values for the chart and Secrets."""
    import asking_city
    from asking_city import REDIS, SQL, apply_kafka_users, secret

    import secured_servers as servers
    from openlfr.adapters.kafka.rights import rights_by_user
    from openlfr.cli import main as openlfr
    from rendered_chart import Chart, load_validator

    def started(name: str, starter: Any, *more: Any) -> list[str]:
        own = folder / name
        own.mkdir(mode=0o711)
        process, *where = starter(own, authority, *more)
        processes.append(process)
        return where

    def printed(*words: str) -> str:
        with redirect_stdout(StringIO()) as text:
            if openlfr(["rights", words[0], "--passwords", str(passwords), *words[1:]]):
                raise SystemExit(text.getvalue())
        return text.getvalue()

    authority = servers.Authority(folder)
    passwords = folder / "passwords"
    passwords.mkdir(mode=0o700)
    for name in {*REDIS, *SQL}:
        (passwords / name).write_text(secret(name))
    users = {f"openlfr-{name}": secret(name) for name in (*rights_by_user(), "consumer")}
    kafka, inside = started("kafka", servers.start_authorizing_kafka, users)
    (redis,) = started("redis", servers.start_redis, printed("redis"))
    (sql,) = started("sql", servers.start_postgresql)
    (milvus,) = started("milvus", servers.start_milvus)
    validate = load_validator()
    validate.fetch()
    let_consume(inside)
    apply_kafka_users(Chart(validate), inside)
    host, _, port = sql.partition(":")
    subprocess.run(
        [asking_city.need("psql", "postgresql-client"), "--set", "ON_ERROR_STOP=1", "--quiet",
         f"host={host} port={port} user={servers.USER} dbname=postgres"],
        input=printed("sql", "--owner", "records", "--database", "city"), text=True, check=True,
        env={**os.environ, "PGPASSWORD": servers.PASSWORD},
    )  # fmt: skip
    ca = {"name": "servers-ca"}
    values = {
        "kafka": {"brokers": kafka, "tls": True, "auth": "scram-sha-512", "caSecret": ca,
                  "scalerSecret": "kafka-scaler"},
        "redis": {"url": f"rediss://{redis}/0", "caSecret": ca},
        "milvus": {"url": f"https://{milvus}", "caSecret": ca, "secret": {"name": "milvus"}},
        "sql": {"url": f"postgresql+psycopg://{sql}/city", "caSecret": ca},
        "topics": {"replication": 1},
        "jobs": {"topicsKafkaSecret": "kafka-topics",
                 "sql": {"user": "records", "secret": "sql-owner"}},
        "services": {
            name: {"kafka": {"secret": f"kafka-{name}"}}
            | {store: {"user": f"{prefix}{name}", "secret": f"{store}-{name}"}
               for store, prefix in (("redis", "openlfr-"), ("sql", "records_"))
               if store in SERVICES.get(name, [])}
            for name in ("ingest", "analysis", "alerting", "operator")
        },
    }  # fmt: skip
    secrets = {
        "servers-ca": {"ca.crt": authority.file.read_text()},
        "milvus": {"token": "root:Milvus"},
        **{f"redis-{each}": {"password": secret(each)} for each in REDIS},
        **{f"sql-{each}": {"password": secret(each)} for each in SQL},
        **{
            f"kafka-{name}": {"username": f"openlfr-{name}", "password": secret(name)}
            for name in (*rights_by_user(), "consumer")
        },
    }
    return values, secrets


def let_consume(inside: str) -> None:
    """Let an external consumer read alerts in its own group."""
    from kafka import KafkaAdminClient
    from kafka.admin import (
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourceType,
    )

    wanted = [
        (ResourceType.TOPIC, "alerts.v1", ACLOperation.READ),
        (ResourceType.TOPIC, "alerts.v1", ACLOperation.DESCRIBE),
        (ResourceType.GROUP, "test", ACLOperation.READ),
    ]
    with closing(KafkaAdminClient(bootstrap_servers=inside)) as admin:
        done = admin.create_acls([
            ACL(principal="User:openlfr-consumer", host="*", operation=operation,
                permission_type=ACLPermissionType.ALLOW,
                resource_pattern=ResourcePattern(kind, name, ACLResourcePatternType.LITERAL))
            for kind, name, operation in wanted
        ])  # fmt: skip
    if done["failed"]:
        raise SystemExit(str(done["failed"]))


if __name__ == "__main__":
    main()
