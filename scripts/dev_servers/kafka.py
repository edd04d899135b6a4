"""Apache's own Kafka, from Maven Central: one broker that is its own controller."""

from __future__ import annotations

import base64
import subprocess
import tempfile
import uuid
from pathlib import Path

from dev_servers.process import START_S, Trouble, answers, cache, free_port, need, spawn, wait

VERSION = "4.3.1"
POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
 <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
  <version>{VERSION}</version></dependency>
 <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
  <version>{VERSION}</version></dependency>
 <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
  <version>1.7.36</version></dependency>
</dependencies></project>
"""
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/log
"""
ONE_NODE = """\
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
message.max.bytes=5242880
replica.fetch.max.bytes=5242880
log.retention.check.interval.ms=10000
"""


def jars() -> Path:
    """Return Kafka's jars, fetched once from Maven Central and checked against its checksums."""
    import filelock

    there = cache() / f"kafka-{VERSION}"
    there.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(there.with_name(there.name + ".lock")):
        if there.is_dir():
            return there
        maven = need("mvn", "maven")
        with tempfile.TemporaryDirectory(dir=there.parent) as folder:
            Path(folder, "pom.xml").write_text(POM)
            fetch = [maven, "-B", "-q", "-C", "dependency:copy-dependencies",
                     f"-DoutputDirectory={folder}/jars"]  # fmt: skip
            try:
                done = subprocess.run(
                    fetch, cwd=folder, capture_output=True, text=True, timeout=400, check=False
                )
            except subprocess.TimeoutExpired:
                raise Trouble("Maven did not fetch Kafka within 400 s.") from None
            if done.returncode:
                said = (done.stdout + done.stderr)[-2000:]
                raise Trouble(f"Maven could not fetch Kafka:\n{said}")
            Path(folder, "jars").rename(there)
    return there


def java() -> list[str]:
    """Return the command of Java with Kafka's classes, with options for a small and quick start."""
    java = need("java", "default-jre-headless")
    return [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms128m", "-Xmx512m",
            "-cp", f"{jars()}/*"]  # fmt: skip


def format_storage(folder: Path, properties: Path, *more: str) -> None:
    """Create the log folder of the broker with these properties."""
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
    formatted = subprocess.run(
        [*java(), "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster,
         "-c", str(properties), *more],
        cwd=folder, capture_output=True, text=True, timeout=START_S, check=False,
    )  # fmt: skip
    if formatted.returncode:
        raise Trouble(f"Kafka's storage could not be made:\n{formatted.stderr[-2000:]}")


def start(folder: Path) -> tuple[int, str]:
    """Start the broker; return its process id and address."""
    port, controller = free_port(), free_port()
    properties = folder / "server.properties"
    text = PROPERTIES.format(port=port, controller=controller, folder=folder)
    properties.write_text(text + ONE_NODE)
    format_storage(folder, properties)
    server = spawn(folder, [*java(), "kafka.Kafka", str(properties)])
    url = f"kafka://127.0.0.1:{port}"
    wait("Kafka", folder, server, lambda: ready(url))
    return server.pid, url


def ready(url: str) -> bool:
    """Return whether the broker lists itself in its cluster."""
    from kafka import KafkaAdminClient

    address = url.removeprefix("kafka://")
    if not answers(int(address.rpartition(":")[2])):
        return False
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        return bool(admin.describe_cluster()["brokers"])
    finally:
        admin.close()
