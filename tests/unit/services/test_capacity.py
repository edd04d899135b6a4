"""The greatest number of cameras of a process, where the configuration has none."""

from __future__ import annotations

import pytest

from openlfr.domain.errors import Misconfigured
from openlfr.domain.sharing import Cost
from openlfr.settings.cameras import Camera, Ingest
from openlfr_ingest.capacity import available_cores, estimate_cost, max_cameras, max_cameras_for


def camera(url="rtsp://10.0.0.7/main", **keys):
    return Camera.model_validate({"url": url, **keys})


def test_the_cost_of_a_camera_is_for_reading_and_sending():
    slow, quick, every = (estimate_cost(camera(**keys)) for keys in ({"fps": 1}, {"fps": 5}, {}))
    assert 0 < slow.millicores < quick.millicores < every.millicores
    assert slow.movable


def test_a_file_that_plays_once_is_not_movable():
    assert not estimate_cost(camera("/videos/a.mp4")).movable
    assert estimate_cost(camera("/videos/a.mp4", loop=True)).movable


@pytest.mark.parametrize(
    ("setting", "limit", "cores"),
    [
        ("2000", "max 100000", 2.0),
        ("500", "50000 100000", 0.5),
        ("", "50000 100000", 0.5),
        ("0", "150000 100000", 1.5),
    ],
)
def test_cores_come_from_the_variable_or_the_cgroup(setting, limit, cores, tmp_path):
    file = tmp_path / "cpu.max"
    file.write_text(limit)
    assert available_cores({"OPENLFR_MILLICORES": setting}, file) == cores


@pytest.mark.parametrize("limit", ["max 100000", "", "odd", "900000000 100000"])
def test_without_a_limit_all_cores_of_the_machine_count(limit, tmp_path):
    file = tmp_path / "cpu.max"
    file.write_text(limit)
    assert available_cores({}, file) >= 1
    assert available_cores({}, file) == available_cores({}, tmp_path / "nothing")


@pytest.mark.parametrize("setting", ["-1", "0.5", "many", "500m", "99999999"])
def test_an_invalid_number_of_cores_is_rejected(setting):
    with pytest.raises(Misconfigured, match="OPENLFR_MILLICORES must be thousandths of a core"):
        available_cores({"OPENLFR_MILLICORES": setting})


def test_the_room_follows_from_cores_and_cost_unless_it_is_configured():
    costs = {"gate": Cost(100), "yard": Cost(60)}
    assert max_cameras_for(costs, available=2.0) == 20
    assert max_cameras_for(costs, available=0.01) == 1
    assert max_cameras(Ingest(max_cameras=7), costs) == 7
