"""The whole city on a real Kubernetes, in one run that prints a table.

    python tests/cluster --values servers.yaml --models DIR [--kubeconfig FILE]
    python tests/cluster --address 10.0.0.5 --values tests/cluster/small.yaml --models DIR ...

Not part of `scripts/test`: it needs a cluster that enforces NetworkPolicies and PodSecurity,
kubectl and helm, this project's images and that of `cameras.Dockerfile` where the cluster finds
them, and Kafka, Redis, Milvus and PostgreSQL that pods reach. `servers.yaml` is values for the
chart: their addresses, names of Secrets, partitions, resources. With `--address` the run starts
such servers itself, on that address of this machine. CONTRIBUTING.md says more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kube import Cluster
from table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from street import Street

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run the requested parts; return 1 if a row fails."""
    parser = argparse.ArgumentParser(
        prog="tests/cluster", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--values", type=Path, action="append", default=[], help="of the chart")
    parser.add_argument("--servers", type=Path, help="folder in which servers.py runs them")
    parser.add_argument("--address", help="of this machine, on which servers.py shall run them")
    parser.add_argument("--kubeconfig", help="KUBECONFIG by default")
    parser.add_argument("--kubectl", default="kubectl")
    parser.add_argument("--helm", default="helm")
    parser.add_argument("--namespace", default="lfr")
    parser.add_argument("--image", default="openlfr-alerting:0.1.0", help="of the services")
    parser.add_argument("--cameras-image", default="openlfr-test-cameras:1")
    parser.add_argument("--fps", type=float, default=5, help="of each of the two live cameras")
    parser.add_argument("--models", type=Path, help="folder of the models, put onto a volume")
    street = Path(tempfile.gettempdir()) / "openlfr-cluster-street"
    parser.add_argument("--work", type=Path, default=street, help="where the street is kept")
    parser.add_argument(
        "--only", nargs="*", help="parts: install people reach lossless members scaling end"
    )
    parser.add_argument("--no-keda", action="store_true", help="leave scaling out")
    parser.add_argument(
        "--prometheus-image", help="of prometheus.Dockerfile: scale on busy time too"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers end with it
    if asked.kubeconfig:
        os.environ["KUBECONFIG"] = asked.kubeconfig

    import parts
    import street

    if not (asked.values or asked.servers or asked.address):
        parser.error("give --values with the servers' addresses, --servers or --address")
    film = street.make(asked.work, parts.RECORDED)
    with ExitStack() as closing:
        if asked.address:
            asked.servers = closing.enter_context(_served(asked.address, asked.work / "servers"))
        if asked.servers:
            asked.values.insert(0, asked.servers / "values.json")
        return _run(asked, film)


def _run(asked: argparse.Namespace, film: Street) -> int:
    """Run the parts on a release, and print the table."""
    import parts
    from release import Release

    cluster = Cluster(asked.namespace, kubectl=asked.kubectl, helm=asked.helm)
    release = Release(cluster, film, asked.values, image=asked.image,
                      cameras_image=asked.cameras_image, fps=asked.fps)  # fmt: skip
    table = Table()
    try:
        parts.run(table, release, asked)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return 1 if table.print() else 0


@contextmanager
def _served(address: str, folder: Path) -> Iterator[Path]:
    """Run servers during the run; yield the folder with their addresses."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, str(HERE / "servers.py"), "--address", address]
    with subprocess.Popen([*command, "--folder", str(folder)], stdout=subprocess.PIPE) as servers:
        try:
            if servers.stdout is None or servers.stdout.readline() != b"ready\n":
                raise SystemExit("tests/cluster/servers.py did not start them")
            yield folder
        finally:
            servers.terminate()


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(main())
