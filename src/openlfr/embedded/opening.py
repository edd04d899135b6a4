"""Opens models, stores and cameras of a run; without models and records no camera is opened."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr import bootstrap
from openlfr.adapters.capture import open_source
from openlfr.domain.addresses import redact_addresses
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError
from openlfr.domain.frames import StartOrigin
from openlfr.embedded.lines import AlertLines
from openlfr.operations.gallery import count_listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from openlfr.adapters.capture import Source
    from openlfr.adapters.sql.records import Records
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.runs import Checkpoint, Run
    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.thresholds import Threshold
    from openlfr.embedded.options import RunOptions
    from openlfr.ports import AlertBook, FaceDetector, FaceEmbedder, TemplateStore, Vault
    from openlfr.settings import Settings

_ORIGIN_WORDS = {
    StartOrigin.CONFIGURED: "",
    StartOrigin.RECORDED: " by its own recording date",
    StartOrigin.ASSUMED: ", assumed without a recording date,",
    StartOrigin.CLOCK: "",
}


@dataclass(frozen=True, slots=True, eq=False)
class RunParts:
    """The open parts of a run.

    Attributes:
        run: The run.
        is_resumed: Whether an unfinished run is resumed; a new run is not recorded yet.
        checkpoints: Checkpoint of each camera of a resumed run.
        threshold: Lowest score of a sighting.
        detector, embedder: The models.
        records: The database.
        sources: Open cameras, by name.
        camera_problems: A sentence for each camera that could not be opened.
        vault: Encrypted pictures.
        templates: The vector store.
        book: The alert book.
        lines: Writer of alert lines.
    """

    run: Run
    is_resumed: bool
    checkpoints: dict[str, Checkpoint]
    threshold: Threshold
    detector: FaceDetector
    embedder: FaceEmbedder
    records: Records
    sources: dict[str, Source]
    camera_problems: list[str]
    vault: Vault
    templates: TemplateStore
    book: AlertBook
    lines: AlertLines


def open_parts(
    settings: Settings, deployment: Deployment, options: RunOptions, closing: ExitStack
) -> RunParts:
    """Open all parts of a run, in the order that shows the most useful error message first.

    Args:
        settings: The configuration.
        deployment: The configured deployment.
        options: Options of the run.
        closing: Stack to which the closing of each part is added.

    Raises:
        Misconfigured: A wrong model, a gallery of several models, an unfinished run with other
            settings, authorised hours that are over, or no calibration for the target FPIR.
        BadInput: No camera can be opened.
        Unavailable: The disk is full, or a service does not answer.
    """
    detector = bootstrap.load_detector(settings)
    embedder = bootstrap.load_embedder(settings)
    records = bootstrap.open_records(settings)
    closing.callback(records.close)
    require_not_closed(records, deployment)
    listed = count_listed(records.watchlist, settings.watchlists, datetime.now(UTC))
    threshold = bootstrap.choose_threshold(settings, embedder.facts, listed, records)
    book = bootstrap.open_alert_book(settings)
    closing.callback(book.close)
    run, is_resumed = plan_or_resume_run(
        records,
        deployment.deployment_id,
        [
            hash_settings(settings, embedder.facts, threshold.value, for_old_version=is_old)
            for is_old in (False, True)
        ],
        resume=options.resume,
        old_version_name=deployment.name,
        book=book,
    )
    sources, camera_problems = open_sources(settings, deployment, run, closing)
    templates = bootstrap.open_templates(settings, embedder.facts)
    closing.callback(templates.close)
    lines = AlertLines(options.alerts, options.stream)
    closing.callback(lines.close)
    if options.report is not None:
        make_report_folder(options.report)
    return RunParts(
        run=run,
        is_resumed=is_resumed,
        checkpoints=records.runs.checkpoints(run.run_id) if is_resumed else {},
        threshold=threshold,
        detector=detector,
        embedder=embedder,
        records=records,
        sources=sources,
        camera_problems=camera_problems,
        vault=bootstrap.open_vault(settings),
        templates=templates,
        book=book,
        lines=lines,
    )


def require_not_closed(records: Records, deployment: Deployment) -> None:
    """Raise an error for a closed deployment, before a camera is opened.

    Raises:
        Misconfigured: The deployment was closed.
    """
    recorded = records.deployments.get(deployment.deployment_id)
    if recorded is not None and recorded.status is DeploymentStatus.CLOSED:
        raise Misconfigured(
            f"not authorised: the deployment {recorded.name!r} ({recorded.deployment_id}) was "
            "closed; configure another deployment, with another name, start or id."
        )


def hash_settings(
    settings: Settings, facts: GalleryFacts, threshold: float, *, for_old_version: bool = False
) -> str:
    """Hash all settings that decide the results of a run; resuming requires the same hash.

    Hours, place, purpose and authority are not included. These belong to the deployment, so their
    change is a revision of the deployment, and the run stays the same.

    Args:
        settings: The configuration.
        facts: Facts about the embedder.
        threshold: Lowest score of a sighting.
        for_old_version: Whether to include the authorisation, as older versions did.

    Returns:
        sha256, hex.
    """
    decisive: dict[str, object] = {
        "cameras": {
            # Address without credentials: the records must not contain the hash of a password.
            name: [c.redacted_url, c.fps, c.start and c.start.isoformat(), c.input_size, c.loop]
            for name, c in sorted(settings.cameras.items())
        },
        "watchlists": list(settings.watchlists),
        "threshold": threshold,
        "window": settings.alerting.window.total_seconds(),
        "models": [settings.models.detector, settings.models.embedder, facts.model_sha256],
    }
    if for_old_version:
        decisive["deployment"] = settings.deployment_entry.model_dump(mode="json")
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def plan_or_resume_run(
    records: Records,
    deployment: str,
    config_hashes: Sequence[str],
    *,
    resume: bool,
    old_version_name: str = "",
    book: AlertBook | None = None,
) -> tuple[Run, bool]:
    """Plan a new run, or find the unfinished run to resume.

    Args:
        records: Records of the runs.
        deployment: Id of the deployment.
        config_hashes: Results of `hash_settings`: for this version, then for older versions.
        resume: Whether to continue an unfinished run, if there is one.
        old_version_name: Name under which older versions recorded runs.
        book: The alert book, whose epochs a new run does not repeat. After an older database was
            restored, the book may contain later runs than the records.

    Returns:
        The run, and whether it is resumed. A new run is not recorded yet: the caller records it
        with `records.runs.start` after all parts are open.

    Raises:
        Misconfigured: The unfinished run has other settings, or an older version made it.
    """
    unfinished = records.runs.find_unfinished(deployment) if resume else None
    if resume and unfinished is None and records.runs.find_unfinished(old_version_name):
        raise Misconfigured(
            f"The unfinished run of {old_version_name!r} was made by an older version, under other "
            "ids: finish it with that version, or start a new run without --resume."
        )
    if unfinished is None:
        events = book.events(deployment) if book is not None else []
        epoch = max((event.sighting.epoch for event in events), default=0)
        hash_, now = config_hashes[0], datetime.now(UTC)
        return records.runs.plan(deployment, hash_, at=now, last_known_epoch=epoch), False
    if unfinished.config_hash not in config_hashes:
        raise Misconfigured(
            f"The unfinished run of {unfinished.started_at:%Y-%m-%d %H:%M} was made with other "
            "cameras, watchlists, threshold (the default changes with the length of the list), "
            "models or rules. Restore these settings, or start a new run without --resume."
        )
    return unfinished, True


def open_sources(
    settings: Settings, deployment: Deployment, run: Run, closing: ExitStack
) -> tuple[dict[str, Source], list[str]]:
    """Open every camera that can be opened.

    Returns:
        The sources by camera, and a sentence for each camera that could not be opened.

    Raises:
        BadInput: No camera can be opened.
        Misconfigured: A whole file is outside the deployment's hours, or the hours are over.
    """
    sources: dict[str, Source] = {}
    problems: list[str] = []
    for name, camera in settings.cameras.items():
        try:
            source = open_source(
                name, camera.url, epoch=run.epoch, start=camera.start,
                assumed_start=run.started_at, fps=camera.fps, loop=camera.loop,
            )  # fmt: skip
        except OpenLFRError as error:
            problems.append(str(error))
            continue
        except Exception as error:  # noqa: BLE001 - one camera must not stop the others
            why = redact_addresses(f"{type(error).__name__}: {error}")
            problems.append(f"camera {name} cannot be opened: {why}")
            continue
        closing.callback(source.close)
        _require_hours(settings, deployment, name, source)
        sources[name] = source
    if not sources:
        raise BadInput("\n".join(problems))
    return sources, problems


def make_report_folder(folder: Path) -> None:
    """Create the report's folder at the start, so that a long run does not fail at its end.

    Raises:
        Misconfigured: The folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Misconfigured(
            f"The report cannot be written into {folder}: {error.strerror or error}. Name another "
            "folder for --report."
        ) from error


def _require_hours(settings: Settings, deployment: Deployment, name: str, source: Source) -> None:
    """Raise an error for a source that lies wholly outside the hours.

    Before the hours begin, a live camera or a repeated file is accepted.
    """
    hours = deployment.authorisation
    first = last = source.start
    endless = source.is_live or settings.cameras[name].loop
    if source.is_live:
        first = datetime.now(UTC)
    if endless or source.duration is None:
        last = max(first, hours.ends)
    else:
        try:
            last = first + source.duration
        except OverflowError:
            last = datetime.max.replace(tzinfo=UTC)
    over_before = first < hours.starts and last <= hours.starts
    if over_before or first >= hours.ends:
        raise Misconfigured(
            f"not authorised: camera {name} was filmed{_ORIGIN_WORDS[source.start_origin]} from"
            f" {_moment(first)}"
            + ("" if endless else f" to {_moment(last)}")
            + f", outside the deployment's hours ({_moment(hours.starts)} to "
            f"{_moment(hours.ends)}); set cameras.{name}.start to the recording date, or "
            "have these hours authorised."
        )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
