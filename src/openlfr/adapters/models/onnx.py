"""ONNX Runtime: which execution provider runs the models, and how a session is opened.

One thread a call is the default: two threads give less than twice the speed, while two calls side
by side with one thread each give all of it (`parallel_calls.py`).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import io
import os
import pathlib
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
DRIVER = "its driver (580 or newer, for CUDA 13) or a library is missing"
"""What CUDA needs, https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/: Linux >= 580.65.06."""
ENGINES = "OPENLFR_ENGINES"
"""Environment: a folder for what TensorRT compiles, where the models' own cannot be written."""
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
        wanted: "auto" for the fastest that works here, "gpu" for the fastest on a GPU and nothing
            else, or names in order of preference, long ("CUDAExecutionProvider") or short
            ("cuda").

    Returns:
        Names for `open_session`. The CPU always comes last: it runs what the others cannot.

    Raises:
        Misconfigured: A provider named in `wanted` is unknown here or does not start.
    """
    present = available_providers()
    if wanted in ("auto", "gpu"):
        among = ON_GPU if wanted == "gpu" else PREFERENCE
        best = next((name for name in among if name in present and starts(name)), None)
        if best is None and wanted == "gpu":
            raise Misconfigured(f"models.providers asks for a GPU, and {_no_gpu(present)}")
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
                f"models.providers: {short_name(full)} does not start on this machine "
                f"({DRIVER if full in ON_GPU else 'its driver or libraries are missing'}). "
                "Install them, or say auto."
            )
        if full not in chosen:
            chosen.append(full)
    return chosen if CPU in chosen else [*chosen, CPU]


def _no_gpu(present: Sequence[str]) -> str:
    """Why no model can run on one, and what to do; the end of a sentence."""
    if not set(ON_GPU) & set(present):
        built = ", ".join(map(short_name, present))
        return (
            f"ONNX Runtime here is built for {built} alone: install onnxruntime-gpu "
            "(scripts/setup --gpu, the image analysis-gpu), or say auto to use the CPU."
        )
    return (
        f"cuda does not start on this machine: {DRIVER}. Mend it (nvidia-smi must list the GPU), "
        "or say auto to use the CPU."
    )


def explain_idle_gpu() -> str:
    """What keeps a runtime that is built for CUDA off the GPU; empty where nothing does."""
    present = available_providers()
    built = set(ON_GPU) & set(present)
    return _no_gpu(present) if built and not any(map(starts, built)) else ""


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
    # It falls back to the CPU with a warning where a provider's libraries are missing.
    if lacking := [name for name in providers if name not in session.get_providers()]:
        why = DRIVER if lacking[0] in ON_GPU else "its libraries are missing"
        raise Misconfigured(
            f"{short_name(lacking[0])} was chosen for {path or 'the graph'} and did not start: "
            f"{why}. Mend that, or say models.providers: auto."
        )
    session.disable_fallback()  # a GPU that fails in mid-run is an error, not a slower CPU
    return session


def provider_options(name: str, path: Path | None) -> dict[str, str]:
    """The options with which a provider runs a model.

    TensorRT compiles a network when a shape first comes that lies outside all before it, which
    takes minutes; what it has compiled is kept in OPENLFR_ENGINES, else beside the model, where
    that folder can be written by this user alone: nothing says whether a compiled network is what
    it was compiled from.
    """
    options = dict(_OPTIONS.get(name, {}))
    if name == TENSORRT and (folder := _engines(path)) is not None:
        for kind in ("engine", "timing"):
            options[f"trt_{kind}_cache_enable"] = "1"
            options[f"trt_{kind}_cache_path"] = str(folder)
    return options


def _engines(path: Path | None) -> Path | None:
    """The folder for compiled networks; None where they cannot be kept safely."""
    given = os.environ.get(ENGINES)
    if given:
        # A volume may belong to root and be open to all; what is made in it is ours.
        folder = pathlib.Path(given) / "tensorrt"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"{ENGINES}: the folder {given} cannot be written ({error.strerror}); compiled "
                "networks are kept there."
            ) from error
        if not _ours_alone(folder):
            raise Misconfigured(
                f"{ENGINES}: others can write {folder}, and what is compiled there is run: run "
                f"chmod 700 {folder} as its owner."
            )
        return folder
    return path.parent / "tensorrt" if path is not None and _ours_alone(path.parent) else None


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
        _preload_tensorrt()
    return onnxruntime


def _preload_tensorrt() -> None:
    """Load TensorRT from its wheel, if it is here: ONNX Runtime finds it by its name alone."""
    found = importlib.util.find_spec("tensorrt_libs")
    for place in (found.submodule_search_locations or ()) if found else ():
        for name in ("libnvinfer.so.10", "libnvinfer_plugin.so.10", "libnvonnxparser.so.10"):
            with contextlib.suppress(OSError):  # `starts` finds out whether it was enough
                ctypes.CDLL(str(pathlib.Path(place, name)), mode=ctypes.RTLD_GLOBAL)
