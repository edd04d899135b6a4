"""ONNX Runtime: which execution provider runs the models, and how a session is opened.

One thread a call is the default: two threads give less than twice the speed, while two calls side
by side with one thread each give all of it (`side_by_side.py`).
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import warnings
from typing import TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import onnxruntime

_SUFFIX = "ExecutionProvider"
TENSORRT, CUDA = "TensorrtExecutionProvider", "CUDAExecutionProvider"
PREFERENCE = (TENSORRT, CUDA, "OpenVINOExecutionProvider")
"""What `auto` tries before the CPU, fastest first."""
CPU = "CPUExecutionProvider"
ON_GPU = (TENSORRT, CUDA)
_ERROR, _FATAL = 3, 4  # severities of ONNX Runtime's log

# Templates must not depend on the batch they were computed in (1e-5), so no TF32. Input sizes
# differ by camera, so cuDNN must not search exhaustively again for each of them.
_OPTIONS: dict[str, dict[str, str]] = {
    CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}


def choose_providers(wanted: str | Sequence[str] = "auto") -> list[str]:
    """Decide which execution providers run the models.

    ONNX Runtime lists what it was compiled with, not what works on this machine, so each
    candidate is tried on a graph of one node before it is chosen.

    Args:
        wanted: "auto" for the fastest that works here, or names in order of preference, long
            ("CUDAExecutionProvider") or short ("cuda").

    Returns:
        Names for `open_session`. The CPU always comes last: it runs what the others cannot.

    Raises:
        Misconfigured: A provider named in `wanted` is unknown here or does not start.
    """
    present = available_providers()
    if wanted == "auto":
        best = next((name for name in PREFERENCE if name in present and starts(name)), None)
        # What TensorRT cannot run stays on the GPU.
        behind = [CUDA] if best == TENSORRT and CUDA in present and starts(CUDA) else []
        return [best, *behind, CPU] if best else [CPU]
    chosen: list[str] = []
    for name in [wanted] if isinstance(wanted, str) else wanted:
        full = _full_name(name, present)
        if full is None:
            there = ", ".join(map(short_name, present))
            raise Misconfigured(
                f"models.providers: ONNX Runtime here has no provider {name!r}, only {there}. "
                "Name one of these, say auto, or install the onnxruntime build that has it."
            )
        if full != CPU and not starts(full):
            raise Misconfigured(
                f"models.providers: {short_name(full)} does not start on this machine (its driver "
                "or libraries are missing). Install them, or say auto."
            )
        if full not in chosen:
            chosen.append(full)
    return chosen if CPU in chosen else [*chosen, CPU]


def short_name(provider: str) -> str:
    """The name that people use: 'cuda' for 'CUDAExecutionProvider'."""
    return provider.removesuffix(_SUFFIX).lower()


def open_session(
    model: bytes, *, providers: Sequence[str], threads: int = 1, path: Path | None = None
) -> onnxruntime.InferenceSession:
    """Open a model for inference.

    Args:
        model: The graph itself: what was verified is what is loaded.
        providers: As `choose_providers` gave them.
        threads: Used inside one operator; operators run one after another.
        path: Where it lies, for messages and for what is compiled of it.

    Raises:
        Misconfigured: It is no graph that this ONNX Runtime can run.
    """
    runtime = _runtime()
    try:
        session: onnxruntime.InferenceSession = runtime.InferenceSession(
            model,
            session_options(threads),
            providers=[(name, provider_options(name, path)) for name in providers],
        )
    except Exception as error:
        # ONNX Runtime's exceptions have no common class; whichever it is, the model is unusable.
        raise Misconfigured(f"ONNX Runtime cannot open {path or 'the graph'}: {error}") from error
    session.disable_fallback()  # a GPU that fails in mid-run is an error, not a slower CPU
    return session


def provider_options(name: str, path: Path | None) -> dict[str, str]:
    """The options with which a provider runs a model.

    TensorRT compiles a network when a shape first comes that lies outside all before it, which
    takes minutes; what it has compiled is kept beside the model, where that folder can be written
    by this user alone: nothing says whether a compiled network is what it was compiled from.
    """
    options = dict(_OPTIONS.get(name, {}))
    if name == TENSORRT and path is not None and _ours_alone(path.parent):
        for kind in ("engine", "timing"):
            options[f"trt_{kind}_cache_enable"] = "1"
            options[f"trt_{kind}_cache_path"] = str(path.parent / "tensorrt")
    return options


def _ours_alone(folder: Path) -> bool:
    about = folder.stat()
    return about.st_uid == os.geteuid() and not about.st_mode & 0o022 and os.access(folder, os.W_OK)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Options of every session: `threads` in an operator, quiet, no busy waiting."""
    options = _runtime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # It keeps a plan for each shape seen, and sizes and batches vary: 80 MB more, not faster.
    options.enable_mem_pattern = False
    options.log_severity_level = _ERROR  # warnings are about fallbacks, which `starts` finds out
    # By default it looks for itself which format some bytes are; the gate reads this one.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Idle threads that spin take the cores from the decoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def batch_factor(session: onnxruntime.InferenceSession) -> int:
    """How many times larger batches pay here: on a CPU they only take memory, a GPU wants them."""
    return 16 if session.get_providers()[0] in ON_GPU else 1


def available_providers() -> list[str]:
    """What this ONNX Runtime was built with, less what runs elsewhere than on this machine."""
    built_in: list[str] = _runtime().get_available_providers()
    return [name for name in built_in if name != "AzureExecutionProvider"]


@functools.cache
def starts(provider: str) -> bool:
    """Whether a session with this provider really uses it.

    ONNX Runtime falls back to the CPU with a mere warning when CUDA's libraries are missing.
    """
    import onnx

    value = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "probe", value[:1], value[1:]
    )
    opset = [onnx.helper.make_opsetid("", 11)]
    probe = onnx.helper.make_model(graph, opset_imports=opset, ir_version=6)
    runtime = _runtime()
    runtime.set_default_logger_severity(_FATAL)
    # ONNX Runtime prints and warns that it falls back; we see it by asking.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        try:
            session = open_session(probe.SerializeToString(), providers=[provider])
        except Misconfigured:
            return False
        finally:
            runtime.set_default_logger_severity(_ERROR)
    return provider in session.get_providers()


def _full_name(name: str, present: Sequence[str]) -> str | None:
    return next((p for p in present if name.lower() in (p.lower(), short_name(p))), None)


@functools.cache
def _runtime() -> Any:
    # Read by the library while it loads, so it must stand before the import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_ERROR)
    if hasattr(onnxruntime, "preload_dlls") and "CUDAExecutionProvider" in (
        onnxruntime.get_available_providers()
    ):
        onnxruntime.preload_dlls()  # CUDA and cuDNN from wheels in this environment
    return onnxruntime
