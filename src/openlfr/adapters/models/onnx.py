"""ONNX Runtime: chooses the execution providers, and opens sessions.

The default is one thread per call: two threads are less than twice as fast, while two parallel
calls of one thread each are twice as fast (`parallel_calls.py`).
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
"""Environment variable with the folder for TensorRT's compiled networks; needed if the models
folder is not writable."""
_ERROR, _FATAL = 3, 4  # severities of ONNX Runtime's log

# No TF32, since a template must not depend on its batch by more than 1e-5. No exhaustive search of
# cuDNN, since it would run for each input size, and cameras have many.
_OPTIONS: dict[str, dict[str, str]] = {
    CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}


def choose_providers(requested: str | Sequence[str] = "auto") -> list[str]:
    """Choose the execution providers of the models.

    ONNX Runtime lists the providers in its build, even if they do not work on this machine. So each
    candidate is tried on a graph of one node before it is chosen.

    Args:
        requested: "auto" for the fastest provider that works on this machine, "gpu" for the
            fastest GPU provider only, or names in order of preference, long
            ("CUDAExecutionProvider") or short ("cuda").

    Returns:
        Names for `open_session`. The CPU is last, for operators that no other provider can run.

    Raises:
        Misconfigured: A provider in `requested` is unknown to ONNX Runtime or does not start.
    """
    present = available_providers()
    if requested in ("auto", "gpu"):
        candidates = ON_GPU if requested == "gpu" else PREFERENCE
        best = next((name for name in candidates if name in present and starts(name)), None)
        if best is None and requested == "gpu":
            raise Misconfigured(f"models.providers requires a GPU, but {_why_no_gpu(present)}")
        # CUDA runs the operators that TensorRT cannot run, so that they remain on the GPU.
        second = [CUDA] if best == TENSORRT and CUDA in present and starts(CUDA) else []
        return [best, *second, CPU] if best else [CPU]
    chosen: list[str] = []
    for name in [requested] if isinstance(requested, str) else requested:
        full = _full_name(name, present)
        if full is None:
            names = ", ".join(map(short_name, present))
            raise Misconfigured(
                f"models.providers: this ONNX Runtime has no provider {name!r}, only {names}. "
                f"Choose one of these or auto, or install a build of onnxruntime with {name!r}."
            )
        if full != CPU and not starts(full):
            raise Misconfigured(
                f"models.providers: {short_name(full)} does not start on this machine "
                f"({DRIVER if full in ON_GPU else 'its driver or libraries are missing'}). "
                "Install them, or choose auto."
            )
        if full not in chosen:
            chosen.append(full)
    return chosen if CPU in chosen else [*chosen, CPU]


def _why_no_gpu(present: Sequence[str]) -> str:
    """Explain why no model can run on a GPU, and what to do, as the rest of a sentence."""
    if not set(ON_GPU) & set(present):
        built = ", ".join(map(short_name, present))
        return (
            f"this ONNX Runtime is built only for {built}: install onnxruntime-gpu "
            "(scripts/setup --gpu, the image analysis-gpu), or choose auto to use the CPU."
        )
    return (
        f"cuda does not start on this machine: {DRIVER}. Repair it (nvidia-smi must list the "
        "GPU), or choose auto to use the CPU."
    )


def explain_idle_gpu() -> str:
    """Explain why a runtime built for CUDA cannot use the GPU.

    Returns:
        The rest of a sentence; empty if the GPU can be used, or the runtime is not built for a GPU.
    """
    present = available_providers()
    built = set(ON_GPU) & set(present)
    return _why_no_gpu(present) if built and not any(map(starts, built)) else ""


def short_name(provider: str) -> str:
    """Return the short name of a provider: 'cuda' for 'CUDAExecutionProvider'."""
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
        # ONNX Runtime's exceptions have no common class, and each means that the model is unusable.
        raise Misconfigured(f"ONNX Runtime cannot open {path or 'the graph'}: {error}") from error
    # If a provider's libraries are missing, ONNX Runtime falls back to the CPU with a warning.
    if missing := [name for name in providers if name not in session.get_providers()]:
        why = DRIVER if missing[0] in ON_GPU else "its libraries are missing"
        raise Misconfigured(
            f"{short_name(missing[0])} was chosen for {path or 'the graph'} and did not start: "
            f"{why}. Install what is missing, or set models.providers to auto."
        )
    session.disable_fallback()  # a GPU that fails during a run is an error, not a slower CPU
    return session


def provider_options(name: str, path: Path | None) -> dict[str, str]:
    """Return the options with which a provider runs a model.

    TensorRT compiles a network, which takes minutes, for the first input and whenever an input's
    shape is outside the range of earlier shapes. Compiled networks are stored in OPENLFR_ENGINES,
    by default beside the model. The folder must be writable for this user only, since a compiled
    network cannot be verified against its model.
    """
    options = dict(_OPTIONS.get(name, {}))
    if name == TENSORRT and (folder := _engines_folder(path)) is not None:
        for kind in ("engine", "timing"):
            options[f"trt_{kind}_cache_enable"] = "1"
            options[f"trt_{kind}_cache_path"] = str(folder)
    return options


def _engines_folder(path: Path | None) -> Path | None:
    """Return the folder for compiled networks; None if they cannot be stored safely."""
    parent = os.environ.get(ENGINES)
    if parent:
        # A volume may belong to root and be writable for all; a folder that we create is ours.
        folder = pathlib.Path(parent) / "tensorrt"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"{ENGINES}: the folder {parent} cannot be written ({error.strerror}); it is for "
                "compiled networks."
            ) from error
        if not _is_writable_by_us_alone(folder):
            raise Misconfigured(
                f"{ENGINES}: other users can write to {folder}, whose content is executed. Run "
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
    """Return the options of a session: `threads` per operator, few messages, no busy waiting."""
    options = _runtime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory plan for each shape would cost 80 MB and save no time, since shapes vary.
    options.enable_mem_pattern = False
    options.log_severity_level = _ERROR  # warnings are about fallbacks, which `starts` detects
    # By default ONNX Runtime detects the content's format; the gate can check only this format.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Idle threads that spin would take CPU from the decoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def batch_factor(session: onnxruntime.InferenceSession) -> int:
    """Return a factor for batch sizes: larger batches are faster on a GPU, but not on a CPU."""
    return 16 if session.get_providers()[0] in ON_GPU else 1


def available_providers() -> list[str]:
    """Return the providers in this build of ONNX Runtime, without Azure, which is remote."""
    built_in: list[str] = _runtime().get_available_providers()
    return [name for name in built_in if name != "AzureExecutionProvider"]


@functools.cache
def starts(provider: str) -> bool:
    """Return whether a session with this provider really uses it.

    If CUDA's libraries are missing, ONNX Runtime only warns and falls back to the CPU.
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
    # Suppress what ONNX Runtime prints about a fallback; the session's providers show it, too.
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
            with contextlib.suppress(OSError):  # `starts` detects a failure
                ctypes.CDLL(str(pathlib.Path(folder, name)), mode=ctypes.RTLD_GLOBAL)
