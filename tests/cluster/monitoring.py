"""A Prometheus with authentication, in the namespace whose pods may read metrics."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

from kube import RESTRICTED

if TYPE_CHECKING:
    from release import Release

NAMESPACE, USER = "monitoring", "keda"
URL = f"http://prometheus.{NAMESPACE}:9090"
# Debian's build lacks Kubernetes discovery; the headless Services resolve to every pod.
CONFIG = """\
global: {{scrape_interval: 5s}}
scrape_configs:
  - job_name: pods
    dns_sd_configs:
      - type: SRV
        refresh_interval: 5s
        names:
          - _http._tcp.openlfr-analysis.{namespace}.svc.cluster.local
          - _http._tcp.openlfr-alerting.{namespace}.svc.cluster.local
    relabel_configs:
      - {{target_label: namespace, replacement: {namespace}}}
      - {{source_labels: [__address__], regex: '([^.]+)[.].*', target_label: pod}}
"""


def start(release: Release, image: str) -> str:
    """Run Prometheus; return the release's values with its address and password Secret."""
    cluster = release.cluster
    password = secrets.token_urlsafe(16)
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    web = f"basic_auth_users:\n  {USER}: {_bcrypt(password)}\n"
    here = {"namespace": NAMESPACE}
    name = {"name": "prometheus"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace",
                   "metadata": {"name": NAMESPACE, "labels": enforce}})  # fmt: skip
    cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": name | here,
         "stringData": {"prometheus.yml": CONFIG.format(namespace=cluster.namespace),
                        "web.yml": web}},
        {"apiVersion": "v1", "kind": "Service", "metadata": name | here,
         "spec": {"selector": {"app": "prometheus"}, "ports": [{"port": 9090}]}},
        _deployment(image, password),
    )  # fmt: skip
    cluster.secret("prometheus", {"username": USER, "password": password})
    cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/prometheus",
                    "--timeout=180s")  # fmt: skip
    release.sets["metrics"] = {
        "prometheusUrl": URL, "prometheusAuth": "basic", "prometheusSecret": "prometheus",
    }  # fmt: skip
    return f"{URL}, by name and password"


def _deployment(image: str, password: str) -> dict[str, Any]:
    # One that is there already is replaced: its file would know the new password a minute later.
    known = {"password": hashlib.sha256(password.encode()).hexdigest()[:8]}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "prometheus", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "prometheus"}},
            "template": {
                "metadata": {"labels": {"app": "prometheus"}, "annotations": known},
                "spec": {
                    "automountServiceAccountToken": False,
                    "securityContext": RESTRICTED["pod"],
                    "containers": [{
                        "name": "prometheus", "image": image,
                        "command": ["prometheus", "--config.file=/etc/own/prometheus.yml",
                                    "--web.config.file=/etc/own/web.yml",
                                    "--storage.tsdb.path=/data"],
                        "securityContext": RESTRICTED["container"],
                        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"},
                                      "limits": {"memory": "512Mi"}},
                        "readinessProbe": {"tcpSocket": {"port": 9090}, "periodSeconds": 2},
                        "volumeMounts": [{"name": "etc", "mountPath": "/etc/own"},
                                         {"name": "data", "mountPath": "/data"}],
                    }],
                    "volumes": [{"name": "etc", "secret": {"secretName": "prometheus"}},
                                {"name": "data", "emptyDir": {}}],
                },
            },
        },
    }  # fmt: skip


def _bcrypt(password: str) -> str:
    """Hash a password for Prometheus with the system's libcrypt, which perl can call everywhere."""
    salt = "$2b$06$" + secrets.token_hex(11)
    done = subprocess.run(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, salt],
                          capture_output=True, text=True, check=True)  # fmt: skip
    if not done.stdout.startswith("$2b$"):
        raise RuntimeError("this system's libcrypt knows no bcrypt")
    return done.stdout
