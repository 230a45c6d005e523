"""The time of a schedule's last run, which a run with a warning has before the time itself.

Where a schedule was changed or resumed between the warning and the time, the same run could begin once more. For those
that ran before this the moment of the last run is taken, with their lead.

Revision: c4e81d72a05f
Follows: 6b18f0d3e9a7
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "c4e81d72a05f"
down_revision = "6b18f0d3e9a7"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE schedules ADD COLUMN last_run_for timestamptz;
COMMENT ON COLUMN schedules.last_run_for IS 'the time that the cron expression said of the last due run; with a lead later than last_run_at';
UPDATE schedules SET last_run_for = last_run_at + make_interval(secs => lead_sec) WHERE last_run_at IS NOT NULL;
"""

_DOWN = """
ALTER TABLE schedules DROP COLUMN last_run_for;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
