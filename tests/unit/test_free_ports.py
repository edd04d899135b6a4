"""Each request for a free port returns another port."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from dev_servers import process


@pytest.fixture
def last_port(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "last-port"


def test_simultaneous_requests_get_different_ports(last_port):
    with ThreadPoolExecutor(8) as pool:
        ports = list(pool.map(lambda _: process.free_port(), range(40)))
    assert len(set(ports)) == 40
    assert all(port in process.PORTS for port in ports)


@pytest.mark.parametrize("left", [str(process.PORTS[-1]), "", "no number"])
def test_numbering_wraps_at_the_end_and_recovers_from_a_half_written_file(last_port, left):
    process.free_port()
    last_port.write_text(left)
    assert process.free_port() in process.PORTS
