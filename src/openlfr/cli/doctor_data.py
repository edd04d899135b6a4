"""Checks of `openlfr doctor`: data folder, watchlist, configuration and threshold."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.cli.doctor_findings import Finding, State, pass_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.settings import Settings


def check_data_folder(data_dir: Path) -> Iterator[Finding]:
    """Check the data folder's permissions, and that the vault's key is private and decrypts."""
    if not data_dir.exists():
        yield Finding("data folder", State.OK, f"{data_dir} will be created by the first command")
        return
    from openlfr.adapters.vault.key_files import VAULT_LABEL, parse_key
    from openlfr.domain.errors import BadInput

    mode = stat.S_IMODE(data_dir.stat().st_mode)
    is_writable = os.access(data_dir, os.W_OK | os.X_OK)
    if is_writable and data_dir.stat().st_uid != os.geteuid():
        # On Kubernetes the folder is a mounted volume, whose mode this user cannot change.
        found = f"{data_dir}, mode {mode:03o}, a writable volume of another owner"
        yield Finding("data folder", State.OK, found)
    else:
        yield pass_or_fail(
            "data folder",
            is_writable and not mode & 0o077,
            f"{data_dir}, mode {mode:03o}" + ("" if is_writable else ", not writable by you"),
            f"chmod 700 {data_dir}" if is_writable else f"make yourself the owner of {data_dir}",
        )
    if key_file := os.environ.get("OPENLFR_VAULT_KEY_FILE"):
        is_readable = os.access(key_file, os.R_OK)
        found = key_file if is_readable else f"{key_file} cannot be read"
        yield pass_or_fail("key", is_readable, found, "correct OPENLFR_VAULT_KEY_FILE")
        return
    key = data_dir / "vault.key"
    vault_dir = data_dir / "vault"
    restore = (
        f"restore {key} from its backup: no picture in {vault_dir} can be decrypted without it"
    )
    if not key.exists():
        if any(each.is_file() for each in vault_dir.rglob("*")):
            yield pass_or_fail("key", False, f"{key} is missing", restore)
            return
        yield Finding("key", State.OK, "will be created with the first picture")
        return
    mode = stat.S_IMODE(key.stat().st_mode)
    try:
        parse_key(key.read_text("ascii", "replace"), VAULT_LABEL)
    except (BadInput, OSError):
        yield pass_or_fail("key", False, f"{key} contains no readable key", restore)
        return
    if not mode & 0o077 and vault_dir.is_dir():
        from openlfr.adapters.vault.files import FileVault

        if FileVault(vault_dir, key).is_of_another_key():
            yield pass_or_fail("key", False, f"{key} cannot decrypt the pictures", restore)
            return
    yield pass_or_fail("key", not mode & 0o077, f"{key}, mode {mode:03o}", f"chmod 600 {key}")


def check_watchlist(settings: Settings) -> Iterator[Finding]:
    """Check that all listed people are searchable, and that no record was altered in the database.

    The clock is compared with the records too. While a run has the folder of Milvus Lite open,
    nothing is checked.
    """
    from contextlib import closing

    from openlfr import bootstrap
    from openlfr.adapters.run_lock import is_run_active
    from openlfr.operations.clock import describe_clock_problem
    from openlfr.operations.gallery import build_index, describe_unsearched

    if settings.services.sql is None:
        bootstrap.require_records_of_vault(settings)
    if settings.services.sql is None and not bootstrap.find_records_file(settings).exists():
        yield Finding("watchlist", State.OK, "nobody was ever listed")
        return
    if settings.services.milvus is None and is_run_active(settings.data_dir):
        yield Finding("watchlist", State.OK, "a run is active, and reports unsearchable entries")
        return
    with bootstrap.open_records(settings, upgrade=False) as records:
        if text := describe_clock_problem(records, datetime.now(UTC)):
            advice = "set the clock, or openlfr records confirm-clock"
            yield Finding("clock and records", State.FAIL, text, advice)
        for each in records.deployments.list():
            if each.alteration:
                found = f"{each.name} ({each.deployment_id}) was altered: {each.alteration}"
                advice = "openlfr deployment show; check who can write to the database"
                yield Finding("deployment", State.FAIL, found, advice)
            for opening in records.baselines.openings_of(each.deployment_id):
                if opening.alteration:
                    found = f"baseline {opening.number} of {each.name} ({each.deployment_id}) was "
                    found += f"altered: {opening.alteration}"
                    advice = "check who can write to the database; no figures of it are published"
                    yield Finding("baseline", State.FAIL, found, advice)
        for alert_id, alteration in records.alerts.altered_alerts().items():
            found = f"alert {alert_id} was altered: {alteration}"
            advice = "check who can write to the database; the alert is erased by its decisions"
            yield Finding("alert", State.FAIL, found, advice)
        facts = records.watchlist.bound_model()
        if facts is None:
            yield Finding("watchlist", State.OK, "nobody was ever listed")
            return
        with closing(bootstrap.open_templates(settings, facts, read_only=True)) as templates:
            index = build_index(records.watchlist, templates, settings.watchlists)
        altered = records.watchlist.altered_entries(settings.watchlists)
        problem = describe_unsearched(records.watchlist, index, altered)
    found = f"{len(index)} references of {len(index.subjects)} people are searched"
    advice = "find the cause of the change, then openlfr watchlist remove and import"
    if problem:
        yield Finding("watchlist", State.FAIL, problem, advice)
    else:
        yield Finding("watchlist", State.OK, found)


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """Check the authorisation, its hours and the cameras' files."""
    from openlfr.domain.errors import Misconfigured
    from openlfr.settings import require_authorisation

    yield Finding("configuration", State.OK, f"{settings.path} is valid")
    try:
        deployment = require_authorisation(settings)
    except Misconfigured as error:
        advice = "complete the authorisation before `openlfr run`"
        yield Finding("authorisation", State.WARN, str(error), advice)
    else:
        now = datetime.now(UTC)
        span = deployment.authorisation
        hours = f"{span.starts:%Y-%m-%d %H:%M} to {span.ends:%Y-%m-%d %H:%M} UTC"
        is_covered = span.covers(now)
        yield Finding(
            "authorisation",
            State.OK if is_covered else State.WARN,
            f"{deployment.name}, {hours}",
            "" if is_covered else "the time is outside these hours: live cameras are not searched",
        )
    for name, camera in settings.cameras.items():
        yield from _check_camera_file(name, camera.url)


def check_threshold(settings: Settings) -> Iterator[Finding]:
    """Check the threshold that a run would use now, and its origin."""
    from openlfr import bootstrap
    from openlfr.domain.errors import Misconfigured
    from openlfr.operations.gallery import count_listed

    if settings.services.sql is None and not bootstrap.find_records_file(settings).exists():
        return  # nobody is listed, and this check must not create the database
    records = bootstrap.open_records(settings, upgrade=False)
    try:
        listed = count_listed(records.watchlist, settings.watchlists, datetime.now(UTC))
        facts = bootstrap.load_embedder(settings).facts
        try:
            chosen = bootstrap.choose_threshold(settings, facts, listed, records)
        except Misconfigured as error:
            yield Finding("threshold", State.FAIL, str(error))
            return
    finally:
        records.close()
    yield Finding(
        "threshold",
        State.WARN if chosen.is_outgrown_by(listed) else State.OK,
        f"{chosen.value:.3f} for {listed} listed people, {chosen.describe()}",
        "set matching.threshold by a measurement of your own"
        if chosen.is_outgrown_by(listed)
        else "",
    )


def _check_camera_file(name: str, url: str) -> Iterator[Finding]:
    from openlfr.adapters.capture import is_live
    from openlfr.domain.addresses import redact_address

    if is_live(url) or "://" in url:
        return
    exists = Path(url).exists()
    found = url if exists else f"{redact_address(url)} does not exist"
    yield pass_or_fail(f"camera {name}", exists, found, f"correct cameras.{name}.url")
