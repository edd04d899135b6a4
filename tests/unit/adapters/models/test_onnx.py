"""Which execution providers are chosen."""

from __future__ import annotations

import pytest

from openlfr.adapters.models import onnx
from openlfr.domain.errors import Misconfigured

TRT, CUDA, VINO, CPU = (
    f"{name}ExecutionProvider" for name in ("Tensorrt", "CUDA", "OpenVINO", "CPU")
)


@pytest.fixture
def machine(monkeypatch):
    """A machine whose ONNX Runtime has some providers, of which some start."""

    def make(built_in, starting):
        monkeypatch.setattr(onnx, "available_providers", lambda: built_in)
        monkeypatch.setattr(onnx, "starts", lambda name: name in starting)

    return make


@pytest.mark.parametrize(
    ("built_in", "starting", "chosen"),
    [
        ([CPU], [CPU], [CPU]),
        (
            [TRT, CUDA, CPU],
            [TRT, CUDA, CPU],
            [TRT, CUDA, CPU],
        ),  # CUDA runs what it cannot
        ([TRT, CPU], [TRT, CPU], [TRT, CPU]),
        ([TRT, CUDA, CPU], [CUDA, CPU], [CUDA, CPU]),  # TensorRT is built in, its library absent
        ([TRT, CUDA, CPU], [CPU], [CPU]),  # the GPU build on a machine without a GPU
        ([VINO, CPU], [VINO, CPU], [VINO, CPU]),
        ([CUDA, VINO, CPU], [CUDA, VINO, CPU], [CUDA, CPU]),
        (["CoreMLExecutionProvider", CPU], [CPU], [CPU]),  # nothing that auto knows
    ],
)
def test_auto_takes_the_best_that_starts(machine, built_in, starting, chosen):
    machine(built_in, starting)
    assert onnx.choose_providers("auto") == chosen


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["cuda"], [CUDA, CPU]),
        (["CUDAExecutionProvider"], [CUDA, CPU]),
        ("openvino", [VINO, CPU]),
        (("openvino", "cuda", "cuda"), [VINO, CUDA, CPU]),
        (["cpu"], [CPU]),
    ],
)
def test_named_providers_are_used_in_order(machine, wanted, chosen):
    machine([CUDA, VINO, CPU], [CUDA, VINO, CPU])
    assert onnx.choose_providers(wanted) == chosen


def test_the_error_for_a_missing_provider_lists_the_built_in_providers(machine):
    machine([CPU], [CPU])
    with pytest.raises(Misconfigured, match="no provider 'cuda', only cpu"):
        onnx.choose_providers(["cuda"])


def test_a_chosen_provider_that_does_not_start_is_refused(machine):
    machine([CUDA, CPU], [CPU])
    with pytest.raises(Misconfigured, match="cuda does not start on this machine"):
        onnx.choose_providers(["cuda"])


def test_starting_is_tried_and_not_believed():
    assert onnx.starts(CPU)
    assert not onnx.starts("NoSuchExecutionProvider")


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(Misconfigured, match=r"cannot open .*model\.onnx"):
        onnx.open_session(b"not a graph", providers=[CPU], path=path)


def test_tensorrt_stores_compiled_networks_beside_the_model(tmp_path):
    model = tmp_path / "model.onnx"
    options = onnx.provider_options(TRT, model)
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "1"
    assert options["trt_engine_cache_path"] == str(tmp_path / "tensorrt")
    assert onnx.provider_options(TRT, None) == onnx.provider_options(CPU, model) == {}


def test_tensorrt_stores_nothing_where_other_users_can_write(tmp_path):
    tmp_path.chmod(0o777)
    assert onnx.provider_options(TRT, tmp_path / "model.onnx") == {}


def test_templates_are_computed_in_full_precision_on_cuda(tmp_path):
    assert onnx.provider_options(CUDA, tmp_path / "model.onnx")["use_tf32"] == "0"


@pytest.mark.parametrize(("first", "factor"), [(TRT, 16), (CUDA, 16), (VINO, 1), (CPU, 1)])
def test_a_gpu_receives_larger_batches(first, factor):
    class Session:
        def get_providers(self):
            return [first, CPU]

    assert onnx.batch_factor(Session()) == factor


def test_a_provider_that_fell_back_to_the_cpu_is_refused(monkeypatch):
    """ONNX Runtime warns and goes on without it: the session, asked afterwards, has none."""

    class Fallen:
        def get_providers(self):
            return [CPU]

        def disable_fallback(self):
            raise AssertionError("it was taken")

    class Runtime:
        InferenceSession = staticmethod(lambda *_, **__: Fallen())

    monkeypatch.setattr(onnx, "_runtime", Runtime)
    monkeypatch.setattr(onnx, "session_options", lambda threads: None)
    with pytest.raises(Misconfigured, match=r"cuda was chosen for .* and did not start: its dri"):
        onnx.open_session(b"", providers=[CUDA, CPU])


@pytest.mark.parametrize(
    ("built_in", "starting", "chosen"),
    [
        ([TRT, CUDA, VINO, CPU], [TRT, CUDA, VINO, CPU], [TRT, CUDA, CPU]),
        ([TRT, CUDA, CPU], [CUDA, CPU], [CUDA, CPU]),
        ([TRT, CUDA, CPU], [CPU], "cuda does not start on this machine: its driver"),
        ([VINO, CPU], [VINO, CPU], "built only for openvino, cpu"),
        ([CPU], [CPU], "install onnxruntime-gpu"),
    ],
)
def test_a_request_for_a_gpu_succeeds_or_explains_its_failure(machine, built_in, starting, chosen):
    machine(built_in, starting)
    if isinstance(chosen, list):
        assert onnx.choose_providers("gpu") == chosen
    else:
        with pytest.raises(Misconfigured, match=chosen):
            onnx.choose_providers("gpu")


def test_compiled_networks_are_stored_in_the_configured_folder(tmp_path, monkeypatch):
    """A volume of a cluster: root's, open to all, and the models' folder cannot be written."""
    volume, model = tmp_path / "volume", tmp_path / "models" / "model.onnx"
    model.parent.mkdir(mode=0o555)
    volume.mkdir()
    volume.chmod(0o777)
    monkeypatch.setenv(onnx.ENGINES, str(volume))
    folder = onnx.provider_options(TRT, model)["trt_engine_cache_path"]
    assert folder == str(volume / "tensorrt")
    assert (volume / "tensorrt").stat().st_mode & 0o777 == 0o700
    (volume / "tensorrt").chmod(0o777)
    with pytest.raises(Misconfigured, match="other users can write"):
        onnx.provider_options(TRT, model)
    monkeypatch.setenv(onnx.ENGINES, str(tmp_path / "model.txt"))
    (tmp_path / "model.txt").write_text("a file")
    with pytest.raises(Misconfigured, match="cannot be written"):
        onnx.provider_options(TRT, model)
