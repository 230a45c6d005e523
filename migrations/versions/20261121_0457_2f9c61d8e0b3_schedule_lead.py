"""How long before its time a run of a schedule begins, for steps that come before what it is for.

A restart at four whose players are warned five minutes before begins at five minutes to four. Schedules that were saved so
far said nothing of retries, so they keep having none; a restart that failed is done again only where somebody wants that.

Revision: 2f9c61d8e0b3
Follows: 7d3e5b90a1f4
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "2f9c61d8e0b3"
down_revision = "7d3e5b90a1f4"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE schedules ADD COLUMN lead_sec int NOT NULL DEFAULT 0;
ALTER TABLE schedules ADD CONSTRAINT schedules_lead_sec_check CHECK (lead_sec BETWEEN 0 AND 3600);
COMMENT ON COLUMN schedules.lead_sec IS 'next_run_at is so long before the time that the cron expression says; steps count from next_run_at';
ALTER TABLE schedules ALTER COLUMN max_retries SET DEFAULT 0;
UPDATE schedules SET max_retries = 0;
"""

_DOWN = """
ALTER TABLE schedules ALTER COLUMN max_retries SET DEFAULT 2;
ALTER TABLE schedules DROP CONSTRAINT schedules_lead_sec_check;
ALTER TABLE schedules DROP COLUMN lead_sec;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
