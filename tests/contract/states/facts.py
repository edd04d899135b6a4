"""The facts that every version must read from a state."""

from typing import Any

from openlfr.adapters.sql.records import Records


def facts(records: Records) -> dict[str, Any]:
    """Return entries, alerts, verdicts, counts and acts as JSON values."""
    alerts = records.alerts.list()
    cases = {each.alert_id: records.alerts.case(each.alert_id) for each in alerts}
    return {
        "entries": {
            each.reference_id: [each.subject, str(each.status), each.enrolled_by]
            for each in records.watchlist.references()
        },
        "searchable": sorted(records.watchlist.manifest(["default"])),
        "alerts": {
            each.alert_id: [each.subject, str(each.state), each.events, each.impossible]
            for each in alerts
        },
        "sightings": {
            each.alert_id: [
                [event.event.sighting.camera, event.event.sighting.seq, bool(event.evidence)]
                for event in records.alerts.events(each.alert_id)
            ]
            for each in alerts
        },
        "verdicts": {
            key: [
                [
                    str(v.kind),
                    str(v.adjudication),
                    v.by.name,
                    v.judgement.note,
                    bool(v.withdrawn_at),
                ]
                for v in case.verdicts
            ]
            for key, case in cases.items()
        },
        "outcomes": {
            key: [[str(o.outcome), o.by.name, o.note] for o in case.outcomes]
            for key, case in cases.items()
        },
        "frames": {each.camera: each.frames_analysed for each in records.tallies.totals("street")},
        "acts": [[act.kind, act.object_id, act.by.name] for act in records.audit.all()],
    }
