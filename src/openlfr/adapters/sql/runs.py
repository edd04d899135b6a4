"""Runs and their checkpoints in SQL."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.engine import reading
from openlfr.domain.errors import Unavailable
from openlfr.domain.runs import Checkpoint, Run, WrittenFiles

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

_RUNS, _CHECKPOINTS = tables.runs, tables.checkpoints


class RunRecords:
    """The runs of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def plan(
        self, deployment: str, config_hash: str, *, at: datetime, last_known_epoch: int = 0
    ) -> Run:
        """Return a new run with the deployment's next epoch; the run is not recorded yet.

        Sources are opened with the epoch before `start` records the run. So a failed start records
        no unfinished run, and a previous unfinished run can still be resumed.

        Args:
            deployment: Id of the deployment.
            config_hash: Hash of the settings that decide on the run's results.
            at: Start of the run, UTC.
            last_known_epoch: Highest epoch in the alert book. It is higher than the recorded epochs
                after an older database was restored; a repeated epoch would repeat ids.
        """
        with reading(self._engine) as connection:
            return Run(
                str(uuid.uuid4()),
                deployment,
                config_hash,
                at,
                max(_highest_epoch(connection, deployment), last_known_epoch) + 1,
            )

    def start(self, run: Run) -> None:
        """Record a planned run.

        Raises:
            Unavailable: Another run of the deployment was recorded after `plan`; call `plan` again.
        """
        with self._engine.begin() as connection:
            if _highest_epoch(connection, run.deployment) >= run.epoch:
                raise Unavailable(
                    f"Another run of {run.deployment} started at the same moment: start again."
                )
            connection.execute(
                sa.insert(_RUNS).values(
                    run_id=run.run_id,
                    deployment=run.deployment,
                    config_hash=run.config_hash,
                    started_at=run.started_at,
                    epoch=run.epoch,
                )
            )

    def record_files(self, run_id: str, files: WrittenFiles) -> None:
        """Record the paths of the files that a run writes, so that an erasure includes them."""
        values = {"alerts_path": files.alerts, "report_path": files.report}
        paths = {name: str(path) for name, path in values.items() if path is not None}
        if paths:
            with self._engine.begin() as connection:
                connection.execute(sa.update(_RUNS).where(_RUNS.c.run_id == run_id).values(**paths))

    def written_files(self) -> list[WrittenFiles]:
        """Return the files that runs wrote, without duplicates."""
        query = sa.select(_RUNS.c.alerts_path, _RUNS.c.report_path).distinct()
        with reading(self._engine) as connection:
            return [
                WrittenFiles(*(Path(each) if each else None for each in row))
                for row in connection.execute(query)
                if any(row)
            ]

    def find_unfinished(self, deployment: str) -> Run | None:
        """Return the deployment's latest run if it is unfinished, else None."""
        query = (
            sa.select(_RUNS)
            .where(_RUNS.c.deployment == deployment)
            .order_by(_RUNS.c.epoch.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.finished_at is not None:
            return None
        return Run(row.run_id, row.deployment, row.config_hash, row.started_at, row.epoch)

    def finish(self, run_id: str, *, at: datetime) -> None:
        """Mark a run as finished, so that nobody resumes it, and delete its checkpoints."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(_RUNS).where(_RUNS.c.run_id == run_id).values(finished_at=at)
            )
            connection.execute(sa.delete(_CHECKPOINTS).where(_CHECKPOINTS.c.run_id == run_id))

    def save(self, run_id: str, checkpoint: Checkpoint) -> None:
        """Replace a camera's checkpoint; the new checkpoint is durable on return."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(_CHECKPOINTS).where(
                    _CHECKPOINTS.c.run_id == run_id, _CHECKPOINTS.c.camera == checkpoint.camera
                )
            )
            connection.execute(
                sa.insert(_CHECKPOINTS).values(
                    run_id=run_id,
                    camera=checkpoint.camera,
                    next_seq=checkpoint.next_seq,
                    counters=dict(checkpoint.counters),
                )
            )

    def checkpoints(self, run_id: str) -> dict[str, Checkpoint]:
        """Return the checkpoint of each camera, by the camera's name."""
        query = sa.select(_CHECKPOINTS).where(_CHECKPOINTS.c.run_id == run_id)
        with reading(self._engine) as connection:
            return {
                row.camera: Checkpoint(row.camera, row.next_seq, row.counters)
                for row in connection.execute(query)
            }


def _highest_epoch(connection: Connection, deployment: str) -> int:
    """Return the highest epoch of the deployment's runs; 0 before the first."""
    query = sa.select(sa.func.max(_RUNS.c.epoch)).where(_RUNS.c.deployment == deployment)
    return int(connection.scalar(query) or 0)
