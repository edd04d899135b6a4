"""No call waits for ever for a Milvus that accepts requests and never answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.milvus import connection as milvus_connection
from openlfr.adapters.milvus.lite import LiteServer
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.domain.addresses import redact_address
from openlfr.domain.errors import Unavailable
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FACTS = GalleryFacts("sface", "a" * 64, 8, "arcface-112", 0.4)
VECTOR = np.eye(8, dtype=np.float32)[0]
ANN = StoredTemplate("ann", "default", "Ann", hash_template(VECTOR), VECTOR)


class Way:
    """A port that forwards to a Milvus Lite until the test stops the forwarding."""

    def __init__(self, socket_path: str) -> None:
        self._path, self._silent = socket_path, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def fall_silent(self) -> None:
        self._silent.set()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for end in (self._listener, *self._ends):
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                self._ends += [near, far]
                for pair in ((near, far), (far, near)):
                    self._threads.append(threading.Thread(target=self._copy, args=pair))
                    self._threads[-1].start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._silent.is_set():
                    target.sendall(data)


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteServer]:
    folder: Path = tmp_path_factory.mktemp("milvus")
    served = LiteServer(folder / "lite")
    yield served
    served.close()


@pytest.fixture
def way(lite: LiteServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    for name in ("CONNECT_S", "READ_S", "WRITE_S", "SEARCH_S"):
        monkeypatch.setattr(milvus_connection, name, 60)
    monkeypatch.setattr(milvus_connection, "MAX_REQUEST_S", 10)
    made = Way(lite.address.removeprefix("unix:"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.put([ANN]),
        lambda store: store.remove(["ann"]),
        lambda store: store.get(["ann"]),
        lambda store: store.all(["default"]),
        lambda store: store.find_nearest(VECTOR[None], ["default"], 5),
        lambda store: store.of_subjects(["Ann"], ["default"]),
    ],
    ids=["put", "remove", "get", "all", "nearest", "of_subjects"],
)
def test_each_call_ends_with_a_sentence(
    way: Way, call: Callable[[MilvusTemplateStore], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MilvusTemplateStore(way.uri, FACTS)
    store.put([ANN])
    call(store)
    way.fall_silent()
    for name in ("CONNECT_S", "READ_S", "WRITE_S", "SEARCH_S"):
        monkeypatch.setattr(milvus_connection, name, 1)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            call(store)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE_S)
    assert not asking.is_alive(), "it waits for ever"
    (failure,) = failures
    assert isinstance(failure, Unavailable)
    assert str(failure) == f"Milvus at {redact_address(way.uri)} does not answer: Deadline Exceeded"
    store.close()


def test_a_start_ends_with_a_sentence(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    way.fall_silent()
    monkeypatch.setattr(milvus_connection, "CONNECT_S", 1)
    with pytest.raises(Unavailable, match=rf"Milvus at {redact_address(way.uri)} does not answer"):
        MilvusTemplateStore(way.uri, FACTS)
