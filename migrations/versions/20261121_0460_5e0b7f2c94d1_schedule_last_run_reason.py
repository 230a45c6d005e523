"""Why the last run of a schedule was left out, for those who look at the schedule: the audit log alone had it.

Revision: 5e0b7f2c94d1
Follows: c4e81d72a05f
"""

from migrations.statements import run

revision = "5e0b7f2c94d1"
down_revision = "c4e81d72a05f"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE schedules ADD COLUMN last_run_reason text;
COMMENT ON COLUMN schedules.last_run_reason IS 'why the last run was left out; of a tag it may name a server';
"""

_DOWN = """
ALTER TABLE schedules DROP COLUMN last_run_reason;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
