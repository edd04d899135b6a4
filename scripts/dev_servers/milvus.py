"""Milvus from PyPI's wheel, unpacked once into the user's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_servers.process import Trouble, answers, cache, free_port, spawn, wait

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def launch(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start Milvus without waiting for it; return its process and port."""
    import filelock

    try:
        from milvus import MilvusServer, MilvusServerConfig, _initialize_data_files
    except ModuleNotFoundError:
        raise Trouble(
            "Milvus's server is not installed: scripts/setup --city (its wheel is for Linux on"
            " x86-64 alone)."
        ) from None

    unpacked = cache() / "milvus-2.3.5"
    unpacked.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(unpacked.with_name(unpacked.name + ".lock")):
        _initialize_data_files(unpacked)
    parts = ("rootCoord", "proxy", "queryCoord", "queryNode", "indexCoord", "indexNode",
             "dataCoord", "dataNode")  # fmt: skip
    ports = {name: free_port() for name in MilvusServer().config_keys if name.endswith("_port")}
    settings = MilvusServerConfig(data_dir=str(folder), **ports)
    for part in parts:
        settings.set(f"{part}.ip", "127.0.0.1")
    settings.resolve()
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    etcd = folder / "etcd.yaml"  # the embedded etcd would always use 2379 and 2380
    etcd.write_text(
        f"listen-client-urls: {client}\nadvertise-client-urls: {client}\n"
        f"listen-peer-urls: {peer}\ninitial-advertise-peer-urls: {peer}\n"
        f"initial-cluster: default={peer}\n"
    )
    environment = {
        "ETCD_CONFIG_PATH": str(etcd),
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": str(free_port()),
        "MILVUS_RUN_DIR": str(folder / "run"),
        "LD_LIBRARY_PATH": str(unpacked / "bin"),
    }
    server = spawn(
        folder, [str(unpacked / "bin/milvus"), "run", "standalone"], environment=environment
    )
    return server, settings.get("proxy_port")


def start(folder: Path) -> tuple[int, str]:
    """Start Milvus and wait; return its process id and address."""
    server, port = launch(folder)
    url = f"http://127.0.0.1:{port}"
    wait("Milvus", folder, server, lambda: ready(url))
    return server.pid, url


def ready(url: str) -> bool:
    """Return whether Milvus lists its collections."""
    from pymilvus import MilvusClient

    if not answers(int(url.rpartition(":")[2])):
        return False
    client = MilvusClient(uri=url, timeout=5)
    client.list_collections()
    client.close()
    return True
