"""Tables of runs, their checkpoints, and the tallies of cameras."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

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

# Counts for ranges of frames, from tallies.v1; no personal data.
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
    Column("scores", JSON, nullable=False),  # quality band -> tracks in each score bin
    Column("fine_scores", JSON, nullable=False, server_default="{}"),  # fine bin -> tracks
    Column("control_scores", JSON, nullable=False, server_default="{}"),
    Column("measures", JSON, nullable=False, server_default="{}"),  # measure -> tracks in each bin
    Column("baseline", String(64), nullable=False, server_default=""),
    Column(
        "baseline_since", UtcDateTime, nullable=True
    ),  # when the reporter began to use the baseline
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "deployment", "camera", "last_captured_at"),
)
