"""`openlfr alerts`: list them, look at one, decide it."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openlfr.cli import config_option
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

if TYPE_CHECKING:
    from openlfr.adapters.sql import Records
    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.settings import Settings

_OUTCOMES = click.Choice([str(o) for o in Outcome])
_BY = click.option("--by", required=True, metavar="NAME", help="Who decides.")
_REASON = click.option("--reason", default="", help="Why, in your words.")


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """List alerts, look at them and decide them."""


@command.command("list")
@config_option
@click.option("--open", "undecided", is_flag=True, help="Only those that nobody has decided.")
@click.option("--subject", default=None, help="Only about this subject.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_alerts(config: Path, undecided: bool, subject: str | None, as_json: bool) -> None:
    """List alerts, the latest first."""
    _, records = _open(config)
    with records:
        alerts = records.alerts.list(undecided=undecided, subject=subject)
    if as_json:
        for alert in alerts:
            click.echo(json.dumps(_as_json(alert), ensure_ascii=False))
        return
    if not alerts:
        click.echo("No alert is open." if undecided else "There are no alerts.")
        return
    rows = [
        ("ALERT", "LAST SEEN (UTC)", "SUBJECT", "SIGHTINGS", "SCORE", "DECISION", "OUTCOME", "")
    ]
    rows += [
        (
            alert.alert_id[:8],
            alert.last_at.strftime("%Y-%m-%d %H:%M:%S"),
            alert.subject,
            str(alert.events),
            f"{alert.best_score:.3f}",
            str(alert.adjudication or "open"),
            str(alert.outcome or ""),
            "IMPOSSIBLE" if alert.impossible else "",
        )
        for alert in alerts
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


@command.command("show")
@click.argument("alert_id", metavar="ID")
@config_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write probe beside reference to FILE.jpg, or every sighting to FILE.html.",
)
@click.option("--json", "as_json", is_flag=True, help="Facts and sightings as JSON.")
def show(alert_id: str, config: Path, out: Path | None, as_json: bool) -> None:
    """Say what is known of an alert.

    ID is its id or the beginning of it.

    Pictures are encrypted; --out decrypts them into a file that you must erase yourself, and
    that you did so is recorded.
    """
    if out is not None and out.suffix.lower() not in (".jpg", ".jpeg", ".html"):
        raise BadInput(f"{out} ends in neither .jpg nor .html, so what to write is not clear.")
    settings, records = _open(config)
    with records:
        alert = records.alerts.find(alert_id)
        events = records.alerts.events(alert.alert_id)
        if as_json:
            known = _as_json(alert) | {"sightings": [_event_as_json(event) for event in events]}
            click.echo(json.dumps(known, ensure_ascii=False))
        else:
            _print_facts(alert, list(events))
        if out is not None:
            content = _rendered(
                settings, records, alert, list(events), as_page=out.suffix.lower() == ".html"
            )
            _record_showing(records, alert, out)
            _write_private(out, content)
            click.echo(
                f"Wrote {out}, decrypted and readable by you alone: erase it when it is no "
                "longer needed.",
                err=as_json,
            )


@command.command("decide")
@click.argument("alert_id", metavar="ID")
@click.argument("decision", type=click.Choice([str(a) for a in Adjudication]))
@config_option
@_BY
@_REASON
@click.option("--outcome", type=_OUTCOMES, default=None, help="What became of it, if known.")
def decide(
    alert_id: str, decision: str, config: Path, by: str, reason: str, outcome: str | None
) -> None:
    """Record what you decided about an alert.

    ID is its id or the beginning of it.

    A person who is not engaged, or was refuted to be the listed one, is erased: pictures,
    positions and the event in the alert book. That it happened, when and where, and who decided,
    stays on record.
    """
    _adjudicate(
        config,
        alert_id,
        by=by,
        reason=reason,
        adjudication=Adjudication(decision),
        outcome=Outcome(outcome) if outcome else None,
    )


@command.command("outcome")
@click.argument("alert_id", metavar="ID")
@click.argument("result", metavar="|".join(Outcome), type=_OUTCOMES)
@config_option
@_BY
@_REASON
def record_outcome(alert_id: str, result: str, config: Path, by: str, reason: str) -> None:
    """Record what became of an alert.

    ID is its id or the beginning of it; it must have been decided.
    """
    _adjudicate(config, alert_id, by=by, reason=reason, outcome=Outcome(result))


def _adjudicate(config: Path, alert_id: str, **decision: Any) -> None:
    from openlfr.operations.adjudicate import adjudicate

    settings, records = _open(config)
    with records:
        alert = adjudicate(alert_id, records=records.alerts, at=datetime.now(UTC), **decision)
        said = ", ".join(str(part) for part in (alert.adjudication, alert.outcome) if part)
        click.echo(f"Alert {alert.alert_id} about {alert.subject}: {said}.")
        if not records.alerts.mistaken():
            return
        try:
            erased = _erase_mistaken(settings, records)
        except (Unavailable, Misconfigured) as error:
            raise Unavailable(
                "The decision is recorded, but what is kept of the person could not be erased: "
                f"{error} `openlfr purge` finishes it."
            ) from error
    for one in erased:
        click.echo(f"Erased pictures, positions and event of alert {one.alert_id}.")
    click.echo("Files made before (alert lines, reports, pictures shown) are not reached by this.")


def _erase_mistaken(settings: Settings, records: Records) -> list[RecordedAlert]:
    from openlfr import bootstrap
    from openlfr.operations.erasure import erase_mistaken

    with closing(bootstrap.open_alert_book(settings)) as book:
        return erase_mistaken(
            records=records.alerts,
            vault=bootstrap.open_vault(settings),
            book=book,
            at=datetime.now(UTC),
        )


def _open(config: Path) -> tuple[Settings, Records]:
    from openlfr import bootstrap
    from openlfr.settings import load

    settings = load(config)
    return settings, bootstrap.open_records(settings)


def _rendered(
    settings: Settings,
    records: Records,
    alert: RecordedAlert,
    events: list[RecordedEvent],
    *,
    as_page: bool,
) -> bytes:
    from openlfr import bootstrap
    from openlfr.operations.evidence import to_jpeg
    from openlfr.operations.show_alert import best_picture, page_of

    wanted = {event.event.sighting.reference_id for event in events}
    found = records.watchlist.references(reference_ids=wanted)
    references = {reference.reference_id: reference for reference in found}
    vault = bootstrap.open_vault(settings)
    if as_page:
        return page_of(alert, events, references, vault).encode()
    return to_jpeg(best_picture(events, references, vault))


def _record_showing(records: Records, alert: RecordedAlert, out: Path) -> None:
    import getpass

    from openlfr.domain.acts import Act

    records.acts.write(
        Act(
            at=datetime.now(UTC),
            actor=getpass.getuser(),
            act="alert.shown",
            object_kind="alert",
            object_id=alert.alert_id,
            detail={"file": out.name},
        )
    )


def _write_private(path: Path, content: bytes) -> None:
    """Write for the owner alone, a file that stood there with other permissions too."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _print_facts(alert: RecordedAlert, events: list[RecordedEvent]) -> None:
    from openlfr.operations.show_alert import WHAT_A_SCORE_IS, facts_of

    for name, value in facts_of(alert):
        click.echo(f"{name:<11} {value}")
    click.echo()
    for event in events:
        seen = event.event.sighting
        x, y, w, h = (round(value) for value in seen.box)
        where = f"box {x},{y} {w}x{h}" if w else "position erased"
        click.echo(
            f"{event.event.event:<7} {seen.captured_at:%Y-%m-%d %H:%M:%S.%f} UTC  {seen.camera} "
            f"frame {seen.seq}  {where}  score {seen.score:.3f}  quality {seen.quality:.0f}  "
            f"{'evidence kept' if event.evidence else 'no evidence'}"
        )
        if event.event.impossible is not None:
            click.echo(f"        IMPOSSIBLE: {event.event.impossible}")
    click.echo(f"\n{WHAT_A_SCORE_IS}")


def _as_json(alert: RecordedAlert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "deployment": alert.deployment,
        "subject": alert.subject,
        "watchlist": alert.watchlist,
        "opened_at": alert.opened_at.isoformat(),
        "last_at": alert.last_at.isoformat(),
        "best_score": alert.best_score,
        "threshold": alert.threshold,
        "events": alert.events,
        "adjudication": alert.adjudication,
        "outcome": alert.outcome,
        "decided_at": alert.decided_at.isoformat() if alert.decided_at else None,
        "decided_by": alert.decided_by,
        "erased_at": alert.erased_at.isoformat() if alert.erased_at else None,
        "impossible": alert.impossible,
    }


def _event_as_json(event: RecordedEvent) -> dict[str, Any]:
    seen = event.event.sighting
    return {
        "event": event.event.event,
        "event_id": event.event.event_id,
        "camera": seen.camera,
        "frame_index": seen.seq,
        "captured_at": seen.captured_at.isoformat(),
        "emitted_at": event.emitted_at.isoformat(),
        "box": list(seen.box) if seen.box.w else None,
        "score": seen.score,
        "threshold": seen.threshold,
        "quality": seen.quality,
        "reference_id": seen.reference_id,
        "evidence": event.evidence is not None,
        "impossible": asdict(event.event.impossible) if event.event.impossible else None,
    }
