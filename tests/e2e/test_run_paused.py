"""A run whose deployment is paused while somebody is in sight."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import sqlalchemy as sa
from small_street import camera

from openlfr import bootstrap, settings
from openlfr.adapters.sql import tables
from openlfr.domain.counts import LossReason, add_up
from openlfr.domain.watching import UnwatchedReason
from openlfr.embedded.options import RunOptions
from openlfr.operations import deployments
from openlfr.os_account import local_person
from openlfr.pipeline import Analyser

run_module = import_module("openlfr.embedded.run")  # beside a function of its name


def test_people_in_sight_at_a_pause_are_no_longer_searched(place, street, monkeypatch):
    """The tracks are dropped at once, so that neither the film's end nor a resume searches them."""
    monkeypatch.setattr(run_module, "_DEPLOYMENT_S", 0.0)
    monkeypatch.setattr(run_module, "_PROGRESS_S", 0.0)
    place.configure(gate=camera(street.video))
    loaded = settings.load(place.config)
    paused, ended = [], []
    close_camera = Analyser.close_camera

    def note(analyser, of):
        ended.append(close_camera(analyser, of))
        return ended[-1]

    monkeypatch.setattr(Analyser, "close_camera", note)
    forget, dropped = Analyser.drop_camera, []

    def note_why(analyser, of, why):
        dropped.append(why)
        return forget(analyser, of, why)

    monkeypatch.setattr(Analyser, "drop_camera", note_why)

    def pause_when_somebody_is_in_sight(progress):
        counts = progress.cameras[0]
        if not paused and counts.tracks_begun > counts.tracks_closed:
            paused.append(counts)
            with bootstrap.open_records(loaded) as records:
                deployments.pause(
                    "Market", "", records=records, by=local_person(), at=datetime.now(UTC)
                )

    summary = run_module.run(
        loaded, RunOptions(as_fast_as_possible=True), on_progress=pause_when_somebody_is_in_sight
    )
    assert paused
    [last] = ended
    assert (last.sightings, last.closed_tracks) == ((), ())
    counts = add_up(summary.cameras)
    assert counts.tracks_closed == counts.tracks_begun > paused[0].tracks_closed
    assert (counts.frames_outside_hours, counts.frames_paused > 0) == (0, True)
    assert set(dropped) == {LossReason.PAUSED}
    assert set(counts.tracks_lost) <= {LossReason.PAUSED}  # some were compared before
    assert set(counts.unwatched_us) == {UnwatchedReason.PAUSED}


def test_nobody_is_searched_under_hours_changed_in_the_database(place, street, monkeypatch):
    monkeypatch.setattr(run_module, "_DEPLOYMENT_S", 0.0)
    monkeypatch.setattr(run_module, "_PROGRESS_S", 0.0)
    place.configure(gate=camera(street.video))
    loaded = settings.load(place.config)
    altered = []

    def alter_when_somebody_is_in_sight(progress):
        counts = progress.cameras[0]
        if not altered and counts.tracks_begun > counts.tracks_closed:
            altered.append(counts)
            with bootstrap.open_records(loaded) as records, records._engine.begin() as connection:
                ends = datetime(2090, 1, 1, tzinfo=UTC)
                connection.execute(sa.update(tables.deployments).values(ends=ends))

    summary = run_module.run(
        loaded, RunOptions(as_fast_as_possible=True), on_progress=alter_when_somebody_is_in_sight
    )
    counts = add_up(summary.cameras)
    assert counts.tracks_closed == counts.tracks_begun > altered[0].tracks_closed
    assert (counts.frames_outside_hours, counts.frames_paused > 0) == (0, True)
    assert any("ends differs from its acts" in each for each in summary.problems)
