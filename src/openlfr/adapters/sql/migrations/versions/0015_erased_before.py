"""The subject of alerts that earlier versions erased is erased too."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Blank the columns that an erasure blanks in this version, if the alert was fully erased."""
    op.execute(
        sa.text(
            "UPDATE alert_events SET reference_id = '' WHERE evidence IS NULL AND w = 0 AND "
            "alert_id IN (SELECT alert_id FROM alerts WHERE erased_at IS NOT NULL)"
        )
    )
    op.execute(
        sa.text(
            "UPDATE alerts SET subject = '', lapsed_at = coalesce(lapsed_at, erased_at) "
            "WHERE erased_at IS NOT NULL AND subject <> '' AND NOT EXISTS (SELECT 1 FROM "
            "alert_events WHERE alert_events.alert_id = alerts.alert_id AND "
            "(evidence IS NOT NULL OR w > 0))"
        )
    )
