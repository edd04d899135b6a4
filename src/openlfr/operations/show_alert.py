"""Renders an alert as a picture or a page, on request, from decrypted evidence."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import AlertShown, AlertUnsealed
from openlfr.domain.errors import BadInput
from openlfr.domain.permissions import Action, require
from openlfr.domain.principals import Role
from openlfr.domain.text import check_reason, escape_text
from openlfr.operations.evidence import NO_PICTURE, compose, decode, to_data_url, to_jpeg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from openlfr.domain.adjudication import Case, Verdict
    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.domain.principals import Principal
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records, Vault


SCORE_NOTE = (
    "The score of a sighting is that of the first search in its pass that reached the threshold. "
    "An alert does not wait for a better face, and later faces of the same pass may be more alike. "
    "The score is a similarity, not a probability: people decide whether it is this person."
)
_ASSUMED = " (recording, time assumed)"


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A request for the pictures of an alert.

    Attributes:
        alert_id: The id, or a beginning of it that only one alert has.
        file: Name of the file; `.html` selects a page of all sightings, any other name a JPEG of
            the probe beside the reference.
        reason: The reason in the person's words; required for sealed pictures, and for a person
            whose only role is auditor.
    """

    alert_id: str
    file: str
    reason: str = ""


def show_alert(
    request: PictureRequest, *, records: Records, vault: Vault, by: Principal, at: datetime
) -> bytes:
    """Decrypt pictures of an alert for a file, and record the request.

    Pictures of a person who was stopped by mistake are sealed: a supervisor or an auditor opens
    these pictures with a reason, which is recorded.

    Args:
        request: The alert, the file, and the reason.
        records: Records of alerts and entries.
        vault: Store of evidence and reference pictures.
        by: Person who looks at the pictures.
        at: Time of the act, UTC.

    Returns:
        The content of the file, which the caller writes.

    Raises:
        NotAllowed: The person may not see faces, or not open sealed pictures.
        BadInput: No alert or several alerts match, or a reason is required. Or a JPEG is requested
            and there is no picture; a page states instead why a picture is missing.
    """
    require(by, Action.SEE_FACES)
    alert = records.alerts.find(request.alert_id)
    case = records.alerts.case(alert.alert_id)
    reason, file = check_reason(request.reason), request.file
    what = _opening(alert, case, file, reason, by)
    events = list(records.alerts.events(alert.alert_id))
    wanted = {event.event.sighting.reference_id for event in events}
    found = records.watchlist.references(reference_ids=wanted)
    references = {reference.reference_id: reference for reference in found}
    if file.lower().endswith(".html"):
        content = render_alert_page(alert, case, events, references, vault).encode()
    else:
        content = to_jpeg(draw_best_picture(events, references, vault))
    with records.unit_of_work() as work:
        work.record(AuditEvent(at, by, what))
    return content


def _opening(
    alert: RecordedAlert, case: Case, file: str, reason: str, by: Principal
) -> AlertShown | AlertUnsealed:
    """Return the act to record for a request.

    Raises:
        NotAllowed: The pictures are sealed, and the person may not open them.
        BadInput: A reason is required.
    """
    if case.is_sealed and alert.erased_at is None:
        require(by, Action.OPEN_SEALED)
        if not reason:
            raise BadInput(
                f"The pictures of the alert {alert.alert_id} are sealed, since somebody was stopped"
                " by mistake: a supervisor opens them with a reason, --reason TEXT."
            )
        return AlertUnsealed(alert.alert_id, file, reason)
    if by.roles == {Role.AUDITOR} and not reason:
        raise BadInput("An auditor looks at faces with a reason, --reason TEXT: it is recorded.")
    return AlertShown(alert.alert_id, file, reason)


def draw_best_picture(
    events: Sequence[RecordedEvent], references: Mapping[str, Reference], vault: Vault
) -> NDArray[np.uint8]:
    """Draw probe beside reference, for the sighting with the best score that still has evidence.

    Args:
        events: Events of one alert.
        references: Entries by id; the picture of a missing entry is displayed as erased.
        vault: Store of evidence and reference pictures.

    Returns:
        (height, width, 3) uint8 BGR.

    Raises:
        BadInput: All evidence was erased, or there was no evidence.
    """
    for event in sorted(events, key=lambda e: e.event.sighting.score, reverse=True):
        page = draw_picture(event, references, vault)
        if page is not None:
            return page
    if events and all(_why_none(event) == NO_PICTURE for event in events):
        raise BadInput(f"There is nothing to show. {NO_PICTURE}")
    raise BadInput("All evidence of this alert was erased, so there is nothing to show.")


def draw_picture(
    event: RecordedEvent, references: Mapping[str, Reference], vault: Vault
) -> NDArray[np.uint8] | None:
    """Draw probe beside reference of one sighting; return None without readable evidence."""
    if event.evidence is None:
        return None
    try:
        evidence = decode(vault.get(event.evidence))
    except BadInput:
        return None
    seen = event.event.sighting
    reference = references.get(seen.reference_id)
    enrolled = None
    if reference is not None and reference.picture:
        try:
            enrolled = decode(vault.get(reference.picture)).face
        except BadInput:
            enrolled = None
    captions = (
        f"{seen.camera} {_utc(seen.captured_at)}{_ASSUMED * seen.time_assumed}",
        f"{seen.subject} {seen.score:.3f} (threshold {seen.threshold:.3f})",
    )
    return compose(evidence, enrolled, captions=captions)


def render_alert_page(
    alert: RecordedAlert,
    case: Case,
    events: Sequence[RecordedEvent],
    references: Mapping[str, Reference],
    vault: Vault,
) -> str:
    """Render an HTML page of the alert, with its pictures embedded."""
    facts = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(escape_text(value))}</td></tr>"
        for name, value in list_facts(alert, case)
    )
    parts = []
    for event in events:
        seen = event.event.sighting
        picture = draw_picture(event, references, vault)
        what = (
            f'<img alt="probe beside reference" src="{to_data_url(picture)}">'
            if picture is not None
            else f"<p>{_why_none(event)}</p>"
        )
        at = f"{_utc(seen.captured_at)}{_ASSUMED * seen.time_assumed}"
        title = f"{event.event.event} at {seen.camera}, {at}"
        parts.append(
            f"<section><h2>{html.escape(escape_text(title))}</h2><p>score {seen.score:.3f}, "
            f"threshold {seen.threshold:.3f}, quality {seen.quality:.0f}</p>"
            f"{_warning(event)}{what}</section>"
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Alert {html.escape(alert.alert_id)}</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:84rem;"
        "padding:0 1rem;color:#222;background:#fff}img{max-width:100%}th{text-align:left;"
        "padding-right:1.5rem}h2{font-size:1.1rem}</style>"
        f"<h1>Alert about {html.escape(escape_text(alert.subject_label))}</h1>"
        f"<table>{facts}</table>"
        f"<p>{html.escape(SCORE_NOTE)}</p>" + "".join(parts) + "</html>"
    )


def _why_none(event: RecordedEvent) -> str:
    erased = not event.event.sighting.box.w
    if event.evidence is None and not erased:
        return NO_PICTURE
    return "The picture of this sighting was erased."


def _warning(event: RecordedEvent) -> str:
    flag = event.event.impossible
    return f"<p><strong>Impossible:</strong> {html.escape(str(flag))}.</p>" if flag else ""


def list_facts(alert: RecordedAlert, case: Case) -> list[tuple[str, str]]:
    """List an alert's recorded facts as pairs of name and value, in the order of the page."""
    facts = [
        ("alert", alert.alert_id),
        ("subject", alert.subject_label),
        ("watchlist", alert.watchlist),
        ("deployment", alert.deployment),
        ("first seen", _utc(alert.opened_at)),
        ("last seen", _utc(alert.last_at)),
        ("sightings", str(alert.events)),
        ("best score", f"{alert.best_score:.3f} (threshold {alert.threshold:.3f})"),
        ("state", str(alert.state)),
        ("decision", str(alert.adjudication or "none yet")),
        ("outcome", str(alert.outcome or "unknown")),
    ]
    if alert.impossible:
        text = f"{alert.impossible} of the sightings: one of two sightings shows somebody else"
        facts.append(("impossible", text))
    facts.extend((str(each.kind), _verdict(each)) for each in case.verdicts)
    if alert.settle_at is not None:
        facts.append(("to be settled", f"by itself, {_utc(alert.settle_at)}"))
    if alert.erased_at is not None:
        facts.append(("erased", f"pictures and positions, {_utc(alert.erased_at)}"))
    return facts


def _verdict(verdict: Verdict) -> str:
    reason = f" ({verdict.judgement.reason})" * (verdict.judgement.reason is not None)
    undone = f", undone {_utc(verdict.withdrawn_at)}" if verdict.withdrawn_at else ""
    return (
        f"{verdict.adjudication}{reason}, by {verdict.by.name}, {_utc(verdict.decided_at)}{undone}"
    )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
