"""Predicts whether a pod will be restarted after it ends, from its StatefulSet in the API server.

A pod cannot learn from Kubernetes why it ends. If its StatefulSet now has fewer replicas, or is
deleted, the pod is removed for good. In every other case (a new version, a drained node, a failed
probe) another pod with the same name follows.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Folder in a pod with the account's token, the namespace and the API server's certificate."""
TIMEOUT_S = 3.0
"""Timeout of the API server. Without an answer, each stop of a pod takes this much longer."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """The API server of this pod's cluster.

    Attributes:
        host: Address of the API server.
        account: Folder with `token`, `namespace` and `ca.crt`.
    """

    host: str
    port: int
    account: Path

    @classmethod
    def of_this_pod(
        cls, environment: Mapping[str, str] | None = None, account: Path | None = None
    ) -> ApiServer:
        """Return the API server, from the environment variables that every container has.

        Raises:
            Unavailable: This process does not run in a pod.
        """
        env = os.environ if environment is None else environment
        host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT")
        if not host or not port:
            raise Unavailable("This process runs in no pod (KUBERNETES_SERVICE_HOST is not set).")
        return cls(host, int(port), account or ACCOUNT)

    def will_come_back(self, pod: str, statefulset: str) -> bool:
        """Return whether another pod of this name follows: the StatefulSet still includes it.

        Raises:
            Unavailable: The API server was not reached, or its answer cannot be used.
        """
        ordinal = _parse_ordinal(pod, statefulset)
        return ordinal in self._ordinals(statefulset)

    def _ordinals(self, statefulset: str) -> range:
        """Return the ordinals of the StatefulSet's pods; empty if the StatefulSet is deleted."""
        try:
            namespace = (self.account / "namespace").read_text(encoding="utf-8").strip()
            token = (self.account / "token").read_text(encoding="utf-8").strip()
            trust = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
            # The authorities of many clusters do not meet the strict rules of Python 3.13.
            trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
            connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=TIMEOUT_S, context=trust
            )
            try:
                connection.request(
                    "GET",
                    f"/apis/apps/v1/namespaces/{quote(namespace)}/statefulsets/{quote(statefulset)}",
                    headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
                )
                answer = connection.getresponse()
                status, content = answer.status, answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(
                f"The API server cannot be asked about {statefulset} ({type(error).__name__}:"
                f" {error})."
            ) from error
        return _parse_ordinals(statefulset, status, content)


def _parse_ordinals(statefulset: str, status: int, content: bytes) -> range:
    """Parse the ordinals of pods in an answer of the API server."""
    try:
        answer = json.loads(content)
        if status == http.client.NOT_FOUND and answer["kind"] == "Status":
            return range(0)
        if status == http.client.OK and answer["kind"] == "StatefulSet":
            if answer["metadata"].get("deletionTimestamp"):
                return range(0)
            first = (answer["spec"].get("ordinals") or {}).get("start", 0)
            return range(first, first + answer["spec"]["replicas"])
    except (ValueError, KeyError, TypeError):
        pass
    raise Unavailable(f"The API server answers {status} for the StatefulSet {statefulset}.")


def _parse_ordinal(pod: str, statefulset: str) -> int:
    """Return the ordinal at the end of a pod's name."""
    match = re.fullmatch(rf"{re.escape(statefulset)}-([0-9]+)", pod)
    if match is None:
        raise Unavailable(f"{pod} is no pod of the StatefulSet {statefulset}.")
    return int(match[1])
