"""Every table of the records, once; the migrations build what is declared here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    false,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware datetimes in, UTC-aware datetimes out; a naive one is a bug and refused.

    SQLite has no time zones: there the UTC wall time is stored, which sorts as text.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """`timestamptz` where the database has it."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, without the zone where the database keeps none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; records keep moments, not wall times")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class's signature
        """Back to an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_LEFT = "status IN ('removed', 'refused')"
AUTHORITY = {
    "is_complete": f"{_LEFT} OR (subject <> '' AND category <> '' AND legal_basis <> ''"
    " AND source <> '' AND enrolled_by <> '' AND authorised_by <> '' AND length(entry_hash) = 64)",
    "is_of_two_people": f"{_LEFT} OR enrolled_by <> authorised_by",
}
"""What holds of whoever may be searched, whoever writes the row. More than that, and that nothing
was changed since the enrolment, is checked against the audit log (`domain/authority.py`)."""

# `references` is a reserved word of SQL, hence the longer name in the database.
references = Table(
    "watchlist_references",
    metadata,
    Column("reference_id", String(36), primary_key=True),
    Column("watchlist", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("category", String(64), nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("source", String, nullable=False),
    Column("captured_on", Date, nullable=False),
    Column("enrolled_by", String, nullable=False),
    Column("authorised_by", String, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("template_hash", String(64), nullable=False),
    Column("entry_hash", String(64), nullable=False),  # of domain.watchlist.hash_entry
    Column("picture", String, nullable=False),  # name in the vault; "" once erased
    Column("picture_hash", String(64), nullable=False),  # sha256 of the imported file's bytes
    Column("quality", Float, nullable=False),
    Column("note", String, nullable=False, default=""),
    Column("second_authoriser", String, nullable=False, server_default=""),
    Column("second_reason", String, nullable=False, server_default=""),
    # The encrypted template on its way to the vector store; NULL once it has arrived.
    Column("template", LargeBinary, nullable=True),
    # False: the vector store or the vault still has to follow what is said here.
    Column("settled", Boolean, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("version", BigInteger, nullable=False),  # of the watchlist when this row last changed
    Index(None, "watchlist", "subject"),
    *(CheckConstraint(rule, name=name) for name, rule in AUTHORITY.items()),
    Index(None, "version"),
    Index(None, "settled"),
)

# One row per counter; "watchlist" counts the changes of `references` and `deployments`, "audit"
# the acts. Whoever writes those counts first, which makes writers queue up on that row: versions
# are in the order of commits. Acts come last, so that nobody waits for both in another order.
counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

gallery_facts = Table(
    "gallery_facts",
    metadata,
    Column("model_sha256", String(64), primary_key=True),
    Column("model_name", String, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("alignment", String(64), nullable=False),
    Column("default_threshold", Float, nullable=False),
    Column("first_used_at", UtcDateTime, nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("deployment_id", String, primary_key=True),  # a UUID, or what the configuration gives
    Column("name", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("place", String, nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("authorised_by", String, nullable=False),
    Column("starts", UtcDateTime, nullable=False),
    Column("ends", UtcDateTime, nullable=False),
    Column("cameras", JSON, nullable=False),
    Column("watchlists", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("drafted_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("version", BigInteger, nullable=False),  # of the same counter as the watchlist's
    Index(None, "version"),
)

# What did not change for a stretch of a deployment; hashes and counts, and nobody's name.
baselines = Table(
    "baselines",
    metadata,
    Column("deployment", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("baseline_id", String(64), nullable=False),  # of the content: one may come back
    Column("opened_at", UtcDateTime, nullable=False),
    Column("why", JSON, nullable=False),  # what had changed
    Column("content", JSON, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

# Append-only: triggers refuse UPDATE and DELETE. `position` comes from the counter "audit".
audit_events = Table(
    "audit_events",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("issuer", String, nullable=False),
    Column("principal", String, nullable=False),  # the account at the issuer
    Column("name", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("object_kind", String(64), nullable=False),
    Column("object_id", String, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "object_kind", "object_id"),
)

# Who did an act about an alert or an entry, and what of it names somebody: both can be erased, and
# `audit_events`, which cannot be changed, holds a salted hash of each, so that nobody can put
# others in their place.
act_words = Table(
    "act_words",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("object_id", String(36), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("name", String, nullable=False),  # "" once erased
    Column("name_salt", String(64), nullable=False),
    Column("words", String, nullable=False),  # JSON; "" once erased, or where there were none
    Column("words_salt", String(64), nullable=False),
    Column("object_kind", String(64), nullable=False, server_default="alert"),
    Index(None, "object_id"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", String(36), primary_key=True),
    Column("deployment", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("watchlist", String, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("best_score", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("events", Integer, nullable=False),
    # Whether it is about a recording: nobody can decide that in time, so it waits.
    Column("recording", Boolean, nullable=False, server_default=false()),
    Column("lapse_at", UtcDateTime, nullable=True),  # NULL: of before there was such a time
    Column("lapsed_at", UtcDateTime, nullable=True),  # since when it takes in no sighting
    Column("reopened_at", UtcDateTime, nullable=True),
    # What follows from verdicts and outcomes (`domain.adjudication.Case`), to be searched by.
    Column("version", Integer, nullable=False, server_default="1"),
    Column("state", String(16), nullable=False, server_default="open"),
    Column("adjudication", String(16), nullable=True),
    Column("outcome", String(16), nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("settle_at", UtcDateTime, nullable=True),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("erase_at", UtcDateTime, nullable=True),
    Column("erased_at", UtcDateTime, nullable=True),
    Index(None, "deployment", "opened_at"),
    Index(None, "deployment", "subject"),
    Index(None, "last_at", "alert_id"),
    Index(None, "settle_at"),
    Index(None, "erase_at"),
    Index(None, "lapse_at"),
)
_TAKES_IN = alerts.c.lapsed_at.is_(None) & alerts.c.closed_at.is_(None)
# One alert at a time takes in the sightings of a subject.
Index(
    "uq_alerts_taking_in",
    alerts.c.deployment,
    alerts.c.subject,
    unique=True,
    sqlite_where=_TAKES_IN,
    postgresql_where=_TAKES_IN,
)

# What people made of alerts. Append-only, as `audit_events` is: who did it and in which words
# stands in the audit event that was recorded with it.
verdicts = Table(
    "verdicts",
    metadata,
    Column("verdict_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("adjudication", String(16), nullable=False),
    Column("reason", String(32), nullable=True),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("final_at", UtcDateTime, nullable=False),
    Column("settle_at", UtcDateTime, nullable=False),
    Column("event_id", String(36), nullable=False),
    Index(None, "alert_id"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("verdict_id", String(36), ForeignKey(verdicts.c.verdict_id), primary_key=True),
    Column("withdrawn_at", UtcDateTime, nullable=False),
    Column("event_id", String(36), nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("minutes_stopped", Integer, nullable=True),
    Column("sealed_until", UtcDateTime, nullable=True),
    Column("known_at", UtcDateTime, nullable=False),
    Column("event_id", String(36), nullable=False),
    Index(None, "alert_id"),
)

# What keeps an alert from being erased: a complaint, a disclosure. Why stands in the audit event.
holds = Table(
    "holds",
    metadata,
    Column("hold_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime, nullable=True),
    Index(None, "alert_id"),
)

# What verdicts.v1 is to say, numbered by the counter "verdicts" in the order of commits; the
# counter "verdicts_published" says up to which number it stands there.
verdict_outbox = Table(
    "verdict_outbox",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),  # verdict, withdrawal, outcome
    Column("row_id", String(36), nullable=False),
)

# Ids under which an alert was told, since the alert book had lost the one that it belongs to.
merged_alerts = Table(
    "merged_alerts",
    metadata,
    Column("alert_id", String(36), primary_key=True),
    Column("into", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("merged_at", UtcDateTime, nullable=False),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sighting_id", String(36), nullable=False),
    Column("camera", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("emitted_at", UtcDateTime, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("quality", Float, nullable=False),
    Column("reference_id", String(36), nullable=False),
    Column("evidence", String, nullable=True),  # name in the vault; NULL: none, or erased
    Column("impossible", JSON(none_as_null=True), nullable=True),  # NULL: nothing says that it is
    Column("time_assumed", Boolean, nullable=True),  # NULL: no
    Column("rejected_at", UtcDateTime, nullable=True),  # somebody else joined this alert
    Index(None, "alert_id"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("deployment", String, nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
    Column("alerts_path", String, nullable=True),  # the file of alert lines, absolute
    Column("report_path", String, nullable=True),  # the report's folder, absolute
    Index(None, "deployment"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("run_id", String(36), ForeignKey(runs.c.run_id), primary_key=True),
    Column("camera", String, primary_key=True),
    Column("next_seq", BigInteger, nullable=False),
    Column("counters", JSON, nullable=False),
)

# Counts of ranges of frames, as tallies.v1 told them; nothing about anybody.
tallies = Table(
    "tallies",
    metadata,
    Column("tally_id", String(36), primary_key=True),
    Column("deployment", String, nullable=False),
    Column("camera", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("reporter", String(16), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("first_captured_at", UtcDateTime, nullable=False),
    Column("last_captured_at", UtcDateTime, nullable=False),
    Column("frames_sampled_away", BigInteger, nullable=False),
    Column("frames_dropped_late", BigInteger, nullable=False),
    Column("frames_outside_hours", BigInteger, nullable=False),
    Column("frames_unreadable", BigInteger, nullable=False),
    Column("frames_discarded", BigInteger, nullable=False),
    Column("frames_analysed", BigInteger, nullable=False),
    Column("faces_detected", BigInteger, nullable=False),
    Column("tracks_closed", BigInteger, nullable=False),
    Column("tracks_searched", BigInteger, nullable=False),
    Column("tracks_too_small", BigInteger, nullable=False),
    Column("tracks_too_poor", BigInteger, nullable=False),
    Column("tracks_too_short", BigInteger, nullable=False),
    Column("sightings", BigInteger, nullable=False),
    Column("tracks_begun", BigInteger, nullable=False, server_default="0"),
    Column("tracks_matched", BigInteger, nullable=False, server_default="0"),
    Column("tracks_lost_interrupted", BigInteger, nullable=False, server_default="0"),
    Column("tracks_lost_moved", BigInteger, nullable=False, server_default="0"),
    Column("tracks_lost_failed", BigInteger, nullable=False, server_default="0"),
    Column("tracks_control", BigInteger, nullable=False, server_default="0"),
    Column("tracks_matched_control", BigInteger, nullable=False, server_default="0"),
    Column("tracks_nobody_listed", BigInteger, nullable=False, server_default="0"),
    Column("watched_us", BigInteger, nullable=False, server_default="0"),
    Column("unwatched_no_frames_us", BigInteger, nullable=False, server_default="0"),
    Column("unwatched_late_us", BigInteger, nullable=False, server_default="0"),
    Column("unwatched_unreadable_us", BigInteger, nullable=False, server_default="0"),
    Column("unwatched_outside_hours_us", BigInteger, nullable=False, server_default="0"),
    Column("frames_paused", BigInteger, nullable=False, server_default="0"),
    Column("tracks_lost_paused", BigInteger, nullable=False, server_default="0"),
    Column("unwatched_paused_us", BigInteger, nullable=False, server_default="0"),
    Column("scores", JSON, nullable=False),  # quality band -> tracks in each bin of their score
    Column("fine_scores", JSON, nullable=False, server_default="{}"),  # fine bin -> tracks
    Column("control_scores", JSON, nullable=False, server_default="{}"),
    Column("measures", JSON, nullable=False, server_default="{}"),  # measure -> tracks in each bin
    Column("baseline", String(64), nullable=False, server_default=""),
    Column("baseline_since", UtcDateTime, nullable=True),  # when who counted took it up
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "deployment", "camera", "last_captured_at"),
)
