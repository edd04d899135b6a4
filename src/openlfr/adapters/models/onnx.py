"""ONNX Runtime: chooses the execution providers, and opens sessions.

The default is one thread a call: two threads give less than twice the speed, while two parallel
calls of one thread each give all of it (`parallel_calls.py`).
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
"""Providers that `auto` tries before the CPU, fastest first."""
CPU = "CPUExecutionProvider"
ON_GPU = (TENSORRT, CUDA)
DRIVER = "its driver (580 or newer, for CUDA 13) or a library is missing"
"""CUDA 13 needs Linux >= 580.65.06: https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/."""
ENGINES = "OPENLFR_ENGINES"
"""Environment variable: folder for TensorRT's compiled networks, if the models folder is not
writable."""
_ERROR, _FATAL = 3, 4  # severities of ONNX Runtime's log

# Templates must not depend on their batch (by more than 1e-5), so no TF32. Input sizes differ by
# camera, so cuDNN must not search exhaustively for each of them.
_OPTIONS: dict[str, dict[str, str]] = {
    CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}


def choose_providers(wanted: str | Sequence[str] = "auto") -> list[str]:
    """Choose the execution providers of the models.

    ONNX Runtime lists the providers in its build, not those that work on this machine. So each
    candidate is tried on a graph of one node before it is chosen.

    Args:
        wanted: "auto" for the fastest that works on this machine, "gpu" for the fastest GPU
            provider only, or names in order of preference, long ("CUDAExecutionProvider") or
            short ("cuda").

    Returns:
        Names for `open_session`. The CPU comes last, for operators that the others cannot run.

    Raises:
        Misconfigured: A provider in `wanted` is unknown to ONNX Runtime or does not start.
    """
    present = available_providers()
    if wanted in ("auto", "gpu"):
        among = ON_GPU if wanted == "gpu" else PREFERENCE
        best = next((name for name in among if name in present and starts(name)), None)
        if best is None and wanted == "gpu":
            raise Misconfigured(f"models.providers asks for a GPU, and {_why_no_gpu(present)}")
        # CUDA runs the operators that TensorRT cannot, so that they stay on the GPU.
        second = [CUDA] if best == TENSORRT and CUDA in present and starts(CUDA) else []
        return [best, *second, CPU] if best else [CPU]
    chosen: list[str] = []
    for name in [wanted] if isinstance(wanted, str) else wanted:
        full = _full_name(name, present)
        if full is None:
            names = ", ".join(map(short_name, present))
            raise Misconfigured(
                f"models.providers: ONNX Runtime here has no provider {name!r}, only {names}. "
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


def _why_no_gpu(present: Sequence[str]) -> str:
    """Explain why no model can run on a GPU, and what to do; the end of a sentence."""
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
    """Explain why a runtime built for CUDA cannot use the GPU; empty if it can."""
    present = available_providers()
    built = set(ON_GPU) & set(present)
    return _why_no_gpu(present) if built and not any(map(starts, built)) else ""


def short_name(provider: str) -> str:
    """The short name of a provider: 'cuda' for 'CUDAExecutionProvider'."""
    return provider.removesuffix(_SUFFIX).lower()


def open_session(
    model: bytes, *, providers: Sequence[str], threads: int = 1, path: Path | None = None
) -> onnxruntime.InferenceSession:
    """Open a model for inference.

    Args:
        model: Verified content of the graph.
        providers: Providers from `choose_providers`.
        threads: Number of threads inside one operator; operators run one after another.
        path: Path of the model's file, for messages and for compiled networks.

    Raises:
        Misconfigured: This ONNX Runtime cannot run the graph.
    """
    runtime = _runtime()
    try:
        session: onnxruntime.InferenceSession = runtime.InferenceSession(
            model,
            session_options(threads),
            providers=[(name, provider_options(name, path)) for name in providers],
        )
    except Exception as error:
        # ONNX Runtime's exceptions have no common class; after any of them the model is unusable.
        raise Misconfigured(f"ONNX Runtime cannot open {path or 'the graph'}: {error}") from error
    # If a provider's libraries are missing, ONNX Runtime falls back to the CPU with a warning.
    if missing := [name for name in providers if name not in session.get_providers()]:
        why = DRIVER if missing[0] in ON_GPU else "its libraries are missing"
        raise Misconfigured(
            f"{short_name(missing[0])} was chosen for {path or 'the graph'} and did not start: "
            f"{why}. Mend that, or say models.providers: auto."
        )
    session.disable_fallback()  # a GPU that fails during a run is an error, not a slower CPU
    return session


def provider_options(name: str, path: Path | None) -> dict[str, str]:
    """Return the options with which a provider runs a model.

    TensorRT compiles a network at the first shape outside all earlier ones, which takes minutes.
    Compiled networks are kept in OPENLFR_ENGINES, otherwise beside the model. Only this user may be
    able to write the folder: a compiled network cannot be verified against its model.
    """
    options = dict(_OPTIONS.get(name, {}))
    if name == TENSORRT and (folder := _engines_folder(path)) is not None:
        for kind in ("engine", "timing"):
            options[f"trt_{kind}_cache_enable"] = "1"
            options[f"trt_{kind}_cache_path"] = str(folder)
    return options


def _engines_folder(path: Path | None) -> Path | None:
    """The folder for compiled networks; None if they cannot be kept safely."""
    given = os.environ.get(ENGINES)
    if given:
        # A volume may belong to root and be writable for all; a folder made in it is ours.
        folder = pathlib.Path(given) / "tensorrt"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"{ENGINES}: the folder {given} cannot be written ({error.strerror}); compiled "
                "networks are kept there."
            ) from error
        if not _is_writable_by_us_alone(folder):
            raise Misconfigured(
                f"{ENGINES}: others can write {folder}, and what is compiled there is run: run "
                f"chmod 700 {folder} as its owner."
            )
        return folder
    if path is None or not _is_writable_by_us_alone(path.parent):
        return None
    return path.parent / "tensorrt"


def _is_writable_by_us_alone(folder: Path) -> bool:
    status = folder.stat()
    is_private = status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return is_private and os.access(folder, os.W_OK)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Options of every session: `threads` in an operator, few log messages, no busy waiting."""
    options = _runtime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory plan for each shape takes 80 MB and is not faster, since sizes and batches vary.
    options.enable_mem_pattern = False
    options.log_severity_level = _ERROR  # warnings are about fallbacks, which `starts` detects
    # By default ONNX Runtime detects the format of the content; the gate reads only this one.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Idle threads that spin would take CPU from the decoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def batch_factor(session: onnxruntime.InferenceSession) -> int:
    """Factor for batch sizes: a GPU needs larger batches, on a CPU they only take memory."""
    return 16 if session.get_providers()[0] in ON_GPU else 1


def available_providers() -> list[str]:
    """Providers in this build of ONNX Runtime that run on this machine."""
    built_in: list[str] = _runtime().get_available_providers()
    return [name for name in built_in if name != "AzureExecutionProvider"]


@functools.cache
def starts(provider: str) -> bool:
    """Whether a session with this provider really uses the provider.

    ONNX Runtime falls back to the CPU with only a warning if CUDA's libraries are missing.
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
    # ONNX Runtime prints and warns that it falls back; the session's providers show it, too.
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
    # The library reads this variable during its import.
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
    """Load TensorRT from its wheel, if installed; ONNX Runtime finds loaded libraries by name."""
    spec = importlib.util.find_spec("tensorrt_libs")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for name in ("libnvinfer.so.10", "libnvinfer_plugin.so.10", "libnvonnxparser.so.10"):
            with contextlib.suppress(OSError):  # `starts` checks whether this was enough
                ctypes.CDLL(str(pathlib.Path(folder, name)), mode=ctypes.RTLD_GLOBAL)
