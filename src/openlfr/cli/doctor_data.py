"""What `openlfr doctor` checks of configuration and data: folder, list, threshold, cameras."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.cli.doctor_findings import Finding, State, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.settings import Settings


def data_folder(data_dir: Path) -> Iterator[Finding]:
    """Permissions of the data folder and the key."""
    if not data_dir.exists():
        yield Finding("data folder", State.OK, f"{data_dir} will be created by the first command")
        return
    from openlfr.adapters.vault.key_files import VAULT_LABEL, parse_key
    from openlfr.domain.errors import BadInput

    mode = stat.S_IMODE(data_dir.stat().st_mode)
    writable = os.access(data_dir, os.W_OK | os.X_OK)
    if writable and data_dir.stat().st_uid != os.geteuid():
        # A mounted volume, as on Kubernetes, whose mode we cannot change.
        found = f"{data_dir}, mode {mode:03o}, a writable volume of another owner"
        yield Finding("data folder", State.OK, found)
    else:
        yield finding(
            "data folder",
            writable and not mode & 0o077,
            f"{data_dir}, mode {mode:03o}" + ("" if writable else ", not writable by you"),
            f"chmod 700 {data_dir}" if writable else f"make yourself the owner of {data_dir}",
        )
    if given := os.environ.get("OPENLFR_VAULT_KEY_FILE"):
        there = os.access(given, os.R_OK)
        found = given if there else f"{given} cannot be read"
        yield finding("key", there, found, "correct OPENLFR_VAULT_KEY_FILE")
        return
    key = data_dir / "vault.key"
    from_backup = f"restore {key} from its backup: nothing in {data_dir / 'vault'} opens without it"
    if not key.exists():
        if any(each.is_file() for each in (data_dir / "vault").rglob("*")):
            yield finding("key", False, f"{key} is missing", from_backup)
            return
        yield Finding("key", State.OK, "will be created with the first picture")
        return
    mode = stat.S_IMODE(key.stat().st_mode)
    try:
        parse_key(key.read_text("ascii", "replace"), VAULT_LABEL)
    except (BadInput, OSError):
        yield finding("key", False, f"{key} cannot be read as a key of a vault", from_backup)
        return
    if not mode & 0o077 and (data_dir / "vault").is_dir():
        from openlfr.adapters.vault.files import FileVault

        if FileVault(data_dir / "vault", key).is_of_another_key():
            yield finding("key", False, f"{key} is another key than the pictures'", from_backup)
            return
    yield finding("key", not mode & 0o077, f"{key}, mode {mode:03o}", f"chmod 600 {key}")


def watchlist(settings: Settings) -> Iterator[Finding]:
    """Whether all listed people are searchable: stored templates against the records."""
    from contextlib import closing

    from openlfr import bootstrap
    from openlfr.adapters.run_lock import run_is_at_work
    from openlfr.operations.clock import warning
    from openlfr.operations.gallery import build_index, not_searched

    if settings.services.sql is None:
        bootstrap.require_records_of_vault(settings)
    if settings.services.sql is None and not bootstrap.records_file(settings).exists():
        yield Finding("watchlist", State.OK, "nobody was ever listed")
        return
    if settings.services.milvus is None and run_is_at_work(settings.data_dir):
        yield Finding("watchlist", State.OK, "a run is at work, and reports unsearchable entries")
        return
    with bootstrap.open_records(settings, upgrade=False) as records:
        if words := warning(records, datetime.now(UTC)):
            advice = "set the clock, or openlfr records confirm-clock"
            yield Finding("clock and records", State.FAIL, words, advice)
        for each in records.deployments.list():
            if each.altered:
                what = f"{each.name} ({each.deployment_id}) was altered: {each.altered}"
                advice = "openlfr deployment show; check who can write to the database"
                yield Finding("deployment", State.FAIL, what, advice)
            for opening in records.baselines.openings_of(each.deployment_id):
                if opening.altered:
                    what = f"baseline {opening.number} of {each.name} ({each.deployment_id}) was "
                    what += f"altered: {opening.altered}"
                    advice = "check who can write to the database; its figures are not claimed"
                    yield Finding("baseline", State.FAIL, what, advice)
        facts = records.watchlist.facts()
        if facts is None:
            yield Finding("watchlist", State.OK, "nobody was ever listed")
            return
        with closing(bootstrap.open_templates(settings, facts, read_only=True)) as templates:
            index = build_index(records.watchlist, templates, settings.watchlists)
        altered = records.watchlist.altered_entries(settings.watchlists)
        problem = not_searched(records.watchlist, index, altered)
    found = f"{len(index)} references of {len(index.subjects)} people are searched"
    advice = "find out what changed them, then openlfr watchlist remove and import"
    if problem:
        yield Finding("watchlist", State.FAIL, problem, advice)
    else:
        yield Finding("watchlist", State.OK, found)


def configured(settings: Settings) -> Iterator[Finding]:
    """Authorisation, hours and the files of cameras."""
    from openlfr.domain.errors import Misconfigured
    from openlfr.settings import require_authorisation

    yield Finding("configuration", State.OK, f"{settings.path} is valid")
    try:
        deployment = require_authorisation(settings)
    except Misconfigured as error:
        yield Finding("authorisation", State.WARN, str(error), "fill it in before `openlfr run`")
    else:
        now = datetime.now(UTC)
        span = deployment.authorisation
        hours = f"{span.starts:%Y-%m-%d %H:%M} to {span.ends:%Y-%m-%d %H:%M} UTC"
        inside = span.covers(now)
        yield Finding(
            "authorisation",
            State.OK if inside else State.WARN,
            f"{deployment.name}, {hours}",
            "" if inside else "it is outside these hours now: live cameras are not searched",
        )
    for name, camera in settings.cameras.items():
        yield from _camera(name, camera.url)


def threshold(settings: Settings) -> Iterator[Finding]:
    """The threshold that a run would use now, and its origin."""
    from openlfr import bootstrap
    from openlfr.operations.gallery import count_listed

    if settings.services.sql is None and not bootstrap.records_file(settings).exists():
        return  # nobody is listed, and a check must not create the database
    records = bootstrap.open_records(settings, upgrade=False)
    try:
        listed = count_listed(records.watchlist, settings.watchlists, datetime.now(UTC))
    finally:
        records.close()
    chosen = bootstrap.threshold_for(settings, bootstrap.load_embedder(settings).facts, listed)
    yield Finding(
        "threshold",
        State.WARN if chosen.outgrown_by(listed) else State.OK,
        f"{chosen.value:.3f} for {listed} listed people, {chosen.describe()}",
        "set matching.threshold from a measurement of your own"
        if chosen.outgrown_by(listed)
        else "",
    )


def _camera(name: str, url: str) -> Iterator[Finding]:
    from openlfr.adapters.capture import is_live
    from openlfr.domain.addresses import redact_address

    if is_live(url) or "://" in url:
        return
    exists = Path(url).exists()
    found = url if exists else f"{redact_address(url)} does not exist"
    yield finding(f"camera {name}", exists, found, f"correct cameras.{name}.url")
