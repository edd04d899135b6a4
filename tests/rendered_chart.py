"""The chart, rendered by helm and parsed as Kubernetes resources."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load_validator() -> ModuleType:
    """Load deploy/helm/validate.py, which is not part of a package."""
    spec = importlib.util.spec_from_file_location("openlfr_chart", ROOT / "deploy/helm/validate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Chart:
    """Renders the chart and finds resources in the output."""

    def __init__(self, validate: ModuleType) -> None:
        self._validate = validate
        self.values: dict[str, Path] = validate.VALUES
        self._render = functools.cache(self._render_once)

    def _render_once(self, values: str, sets: tuple[str, ...]) -> list[dict[str, Any]]:
        rendered: list[dict[str, Any]] = self._validate.render(self.values[values], sets=sets)
        return rendered

    def render(self, *sets: str, values: str = "minimal") -> list[dict[str, Any]]:
        """Resources of these values; `sets` are path=JSON."""
        return self._render(values, sets)

    def get(self, kind: str, name: str, *sets: str, values: str = "minimal") -> dict[str, Any]:
        """The one resource `openlfr-NAME` of this kind."""
        wanted = f"openlfr-{name}" if name else "openlfr"
        found = [
            each
            for each in self.render(*sets, values=values)
            if each["kind"] == kind and each["metadata"]["name"] == wanted
        ]
        assert len(found) == 1, f"{len(found)} of {kind} {wanted}"
        return found[0]

    def job(self, name: str, *sets: str, values: str = "minimal") -> dict[str, Any]:
        """Return the Job whose name begins with this name."""
        jobs = [each for each in self.render(*sets, values=values) if each["kind"] == "Job"]
        pattern = rf"openlfr-{name}(-[0-9a-f]{{8}})?"
        (found,) = [each for each in jobs if re.fullmatch(pattern, each["metadata"]["name"])]
        return found

    def names(self, kind: str, *sets: str, values: str = "minimal") -> set[str]:
        """Names of all resources of a kind, without the release's."""
        return {
            each["metadata"]["name"].removeprefix("openlfr-")
            for each in self.render(*sets, values=values)
            if each["kind"] == kind
        }

    def refusal(self, *sets: str, values: str = "minimal") -> str:
        """Return helm's error message."""
        with pytest.raises(self._validate.Refused) as refused:
            self.render(*sets, values=values)
        return str(refused.value)

    def problems(self, resources: Sequence[dict[str, Any]]) -> list[str]:
        return list(self._validate.problems(resources))

    def lint(self, values: str) -> str:
        error_text: str = self._validate.lint(self.values[values])
        return error_text

    @staticmethod
    def container(workload: dict[str, Any]) -> dict[str, Any]:
        """The only container of a workload."""
        (only,) = workload["spec"]["template"]["spec"]["containers"]
        return dict(only)

    @staticmethod
    def environment(workload: dict[str, Any]) -> dict[str, Any]:
        """Plain environment of a workload's container."""
        return {each["name"]: each.get("value") for each in Chart.container(workload)["env"]}

    @staticmethod
    def secrets(workload: dict[str, Any]) -> dict[str, set[str]]:
        """Secrets that a workload's pod can read, and the paths under which it finds them."""
        found: dict[str, set[str]] = {}
        for volume in workload["spec"]["template"]["spec"]["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                if "secret" not in source:
                    continue
                paths = {item["path"] for item in source["secret"]["items"]}
                found.setdefault(source["secret"]["name"], set()).update(paths)
        return found
