"""Kafka, Redis, Milvus and PostgreSQL with authentication, and a certificate authority."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dev_servers import kafka, milvus, postgresql
from dev_servers.process import answers, free_port, need, spawn, wait

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST = os.environ.get("OPENLFR_TEST_ADDRESS", "127.0.0.1")
"""Where they listen; tests/cluster has pods reach them."""
USER, PASSWORD = "openlfr", "s3cr3t/with:@signs and space"


class Authority:
    """Issues certificates for this machine: PEM files `NAME.crt`, `NAME.key`, both `NAME.pem`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))

    def issue(self, name: str) -> Path:
        """Issue a certificate with its key, and return the file that contains both."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        address = x509.IPAddress(ipaddress.ip_address(HOST))
        here = x509.SubjectAlternativeName([address, x509.DNSName("localhost")])
        builder = self._builder(subject, key).add_extension(here, critical=False)
        certificate = _pem(builder.sign(self._key, hashes.SHA256()))
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for ending, content in (
            ("crt", certificate),
            ("key", secret),
            ("pem", secret + certificate),
        ):
            file = self.folder / f"{name}.{ending}"
            file.write_bytes(content)
            file.chmod(0o600)
        return self.folder / f"{name}.pem"

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> Any:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=1))
        )


Server = subprocess.Popen[bytes]


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
KAFKA = f"""\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{{controller}}
listeners=INSIDE://127.0.0.1:{{inside}},SCRAM://{HOST}:{{scram}},MUTUAL://{HOST}:{{mutual}},CONTROLLER://127.0.0.1:{{controller}}
advertised.listeners=INSIDE://127.0.0.1:{{inside}},SCRAM://{HOST}:{{scram}},MUTUAL://{HOST}:{{mutual}}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,SCRAM:SASL_SSL,MUTUAL:SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config={_SCRAM} required;
listener.name.mutual.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={{keys}}
ssl.truststore.type=PEM
ssl.truststore.location={{trust}}
log.dirs={{folder}}/log
"""


AUTHORIZER = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
"""Who comes by the listener INSIDE, which asks nobody, may do everything; the rest by rights."""


def start_kafka(folder: Path, authority: Authority) -> tuple[Server, str, str]:
    """Its process, the listener with SCRAM-SHA-512 and the one with mutual TLS."""
    server, ports = _start_kafka(folder, authority, {USER: PASSWORD}, "")
    return server, f"{HOST}:{ports['scram']}", f"{HOST}:{ports['mutual']}"


def start_authorizing_kafka(
    folder: Path, authority: Authority, users: Mapping[str, str]
) -> tuple[Server, str, str]:
    """Its process, the listener with SCRAM-SHA-512 for these users, and that of its own."""
    server, ports = _start_kafka(folder, authority, users, AUTHORIZER)
    return server, f"{HOST}:{ports['scram']}", f"127.0.0.1:{ports['inside']}"


def _start_kafka(
    folder: Path, authority: Authority, users: Mapping[str, str], more: str
) -> tuple[Server, dict[str, int]]:
    ports = {n: free_port() for n in ("inside", "scram", "mutual", "controller")}
    properties = folder / "server.properties"
    keys = authority.issue("broker")
    text = KAFKA.format(folder=folder, keys=keys, trust=authority.file, **ports)
    properties.write_text(text + kafka.ONE_NODE + more)
    scram = [
        word
        for name, password in users.items()
        for word in ("--add-scram", f'SCRAM-SHA-512=[name={name},password="{password}"]')
    ]
    kafka.format_storage(folder, properties, *scram)
    # Kafka resolves the host names of its clients, which takes seconds without a name server.
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{HOST} {socket.gethostname()}\n")
    java, *words = kafka.java()
    command = [java, f"-Djdk.net.hosts.file={hosts}", *words, "kafka.Kafka", str(properties)]
    server = spawn(folder, command)
    wait(
        "Kafka",
        folder,
        server,
        lambda: "Kafka Server started" in (folder / "output.txt").read_text(),
    )
    return server, ports


def start_redis(folder: Path, authority: Authority, users: str = "") -> tuple[Server, str]:
    """Start Redis with TLS only, with a password or with the users of an ACL file."""
    port = free_port()
    authority.issue("redis")
    here = " ".join(sorted({"127.0.0.1", HOST}))
    (folder / "redis.conf").write_text(
        f'port 0\ntls-port {port}\nbind {here}\ndir {folder}\nsave ""\ntls-auth-clients no\n'
        f"tls-cert-file {authority.folder}/redis.crt\ntls-key-file {authority.folder}/redis.key\n"
        f"tls-ca-cert-file {authority.file}\n"
        + (f"aclfile {folder}/users.acl\n" if users else f'requirepass "{PASSWORD}"\n')
    )
    (folder / "users.acl").write_text(users)
    program = need("redis-server", "redis-server")
    server = spawn(folder, [program, str(folder / "redis.conf")])
    wait("Redis", folder, server, lambda: answers(port))
    return server, f"{HOST}:{port}"


def start_postgresql(folder: Path, authority: Authority) -> tuple[Server, str]:
    """Start PostgreSQL that accepts TCP connections with TLS and a password only."""
    programs = postgresql.program_folder()
    port = free_port()
    authority.issue("sql")
    for name in ("sql.crt", "sql.key"):
        shutil.copy(authority.folder / name, folder / name)
    (folder / "password").write_text(PASSWORD + "\n")
    owner = postgresql.owner()
    if owner:
        for file in (folder, *folder.iterdir()):
            shutil.chown(file, "postgres")
    (folder / "sql.key").chmod(0o600)
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", USER, "--no-sync", "-A",
         "scram-sha-256", f"--pwfile={folder / 'password'}"],
        cwd=folder, check=True, capture_output=True, **owner,
    )  # fmt: skip
    (folder / "data/pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    settings = {
        "listen_addresses": HOST, "port": port, "ssl": "on", "fsync": "off",
        "ssl_cert_file": folder / "sql.crt", "ssl_key_file": folder / "sql.key",
        "unix_socket_directories": folder,
    }  # fmt: skip
    words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), *words]
    server = spawn(folder, command, **owner)
    ready = "ready to accept connections"
    wait("PostgreSQL", folder, server, lambda: ready in (folder / "output.txt").read_text())
    return server, f"{HOST}:{port}"


def start_milvus(folder: Path, authority: Authority) -> tuple[Server, str]:
    """Start Milvus with TLS only and the default password of its root user."""
    authority.issue("milvus")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "COMMON_SECURITY_AUTHORIZATIONENABLED": "true",
            "COMMON_SECURITY_TLSMODE": "1",
            "TLS_SERVERPEMPATH": f"{authority.folder}/milvus.crt",
            "TLS_SERVERKEYPATH": f"{authority.folder}/milvus.key",
            "TLS_CAPEMPATH": str(authority.file),
        }.items():
            environment.setenv(name, value)
        # Milvus's own readiness check supports neither TLS nor a password.
        server, port = milvus.launch(folder)
    return server, f"{HOST}:{port}"
