"""What has been told of a maintenance window, and when it really ended.

A window ends by its clock, whoever watches; what was said of it must be said once, also by two replicas, and after a time
in which none was up.

Revision: 5c90d7f2a6b8
Follows: b29a7e05d4c1
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "5c90d7f2a6b8"
down_revision = "b29a7e05d4c1"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE maintenance_windows ADD COLUMN warned_at timestamptz;
ALTER TABLE maintenance_windows ADD COLUMN begun_at timestamptz;
ALTER TABLE maintenance_windows ADD COLUMN ended_at timestamptz;
DROP INDEX ix_maintenance_live;
CREATE INDEX ix_maintenance_live ON maintenance_windows(org_id, starts_at) WHERE ended_at IS NULL;
COMMENT ON COLUMN maintenance_windows.ended_at IS 'NULL = planned or under way; without begun_at it was cancelled, or nobody was up to tell of it';
"""

_DOWN = """
DROP INDEX ix_maintenance_live;
CREATE INDEX ix_maintenance_live ON maintenance_windows(org_id, ends_at);
ALTER TABLE maintenance_windows DROP COLUMN ended_at;
ALTER TABLE maintenance_windows DROP COLUMN begun_at;
ALTER TABLE maintenance_windows DROP COLUMN warned_at;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
