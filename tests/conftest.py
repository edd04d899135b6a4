"""Fixtures of several suites."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import structlog
from hypothesis import settings as hypothesis_settings

from guarded_run import (  # noqa: F401 - hooks
    pytest_configure,
    pytest_report_header,
    pytest_sessionstart,
    pytest_unconfigure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from numpy.typing import NDArray

    from openlfr.adapters.models.sface import SFace
    from openlfr.adapters.models.store import ModelStore
    from openlfr.adapters.models.yunet import YuNet

    VideoMaker = Callable[..., Path]

# The duration of an example depends on the machine's load, not on the tested code.
hypothesis_settings.register_profile("openlfr", deadline=None)
hypothesis_settings.load_profile("openlfr")

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ("kafka", "redis", "milvus", "sql")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the extra tests on public test data if the data are absent."""
    if os.environ.get("OPENLFR_TEST_DATA"):
        return
    extra = [item for item in items if item.get_closest_marker("testdata")]
    if extra:
        config.hook.pytest_deselected(items=extra)
        items[:] = [item for item in items if item not in extra]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Restore logging after a command that a test runs in this process."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """Writes small videos whose frame n is a flat grey of 10 + 8 n: its number can be seen."""
    import av

    def make(
        name: str = "video.mp4",
        *,
        frames: int = 30,
        fps: int | Fraction = 10,
        size: tuple[int, int] = (64, 48),
        codec: str = "libx264",
        options: dict[str, str] | None = None,
        container: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=container or {}) as output:
            stream = output.add_stream(codec, rate=fps, options={"qp": "0"} | (options or {}))
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p" if size[0] % 2 == size[1] % 2 == 0 else "yuv444p"
            for number in range(frames):
                grey = np.full((size[1], size[0], 3), (10 + 8 * number) % 256, np.uint8)
                for packet in stream.encode(av.VideoFrame.from_ndarray(grey, format="bgr24")):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
        return path

    return make


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    """The installed models; without them the tests fail with a request to install the models."""
    from openlfr.bootstrap import open_models

    return open_models()


@pytest.fixture(scope="session")
def yunet(model_store: ModelStore) -> YuNet:
    from openlfr.adapters.models.yunet import YuNet

    return YuNet(model_store.load("yunet"), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="session")
def sface(model_store: ModelStore) -> SFace:
    from openlfr.adapters.models.sface import SFace

    ready = model_store.load("sface")
    return SFace(ready, providers=["CPUExecutionProvider"], default_threshold=0.4)


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A photo of one person (512x512 BGR), her face in the upper middle."""
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[..., ::-1])


@pytest.fixture(scope="session")
def group_photo() -> NDArray[np.uint8]:
    """A photo of six people (1280x886 BGR)."""
    import cv2

    with resources.as_file(resources.files("insightface") / "data/images/t1.jpg") as path:
        picture = cv2.imread(str(path))
    assert picture is not None
    return picture.astype(np.uint8)


class Servers:
    """Real servers for the tests of a session; each starts at its first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._urls: dict[str, str] = {}

    def url(self, name: str) -> str:
        """Return the address of a server for the block `services` of CONFIG.yaml."""
        if name not in self._urls:
            addresses = self._call("up", name)
            lines = [line.strip().partition(": ") for line in addresses.splitlines()]
            self._urls = {key: value for key, _, value in lines if value and key in SERVERS}
        return self._urls[name]

    def kill(self, name: str, by: int = signal.SIGKILL) -> Callable[[], object]:
        """End a server; gives what starts it again, with what it kept and where it was."""
        import psutil

        state = self._folder / "services.json"
        process = psutil.Process(json.loads(state.read_text())[name]["pid"])
        process.send_signal(by)
        process.wait()
        return lambda: self._call("up", name)

    def down(self) -> None:
        self._call("down")

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, ROOT / "scripts/services", *words, "--folder", self._folder],
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Kafka, Redis and Milvus as `scripts/services` starts them."""
    started = Servers(tmp_path_factory.mktemp("servers"))
    yield started
    started.down()


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers that a test may kill."""
    started = Servers(tmp_path / "servers")
    yield started
    started.down()


@pytest.fixture(scope="session")
def kafka_broker(servers: Servers) -> str:
    """The host:port of a real broker that creates no topic by itself."""
    return servers.url("kafka").removeprefix("kafka://")
