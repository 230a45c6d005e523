"""The few jobs that wait or run, found without those that are over.

Revision: 5a7c10d9be24
Follows: e4b79d035c62
"""

from migrations.statements import run

revision = "5a7c10d9be24"
down_revision = "e4b79d035c62"
branch_labels = None
depends_on = None

_UP = """
CREATE INDEX ix_jobs_live_schedule ON jobs(schedule_id) WHERE status IN ('held','queued','running');
CREATE INDEX ix_jobs_live_server ON jobs(server_instance_id) WHERE status IN ('held','queued','running');
"""

_DOWN = """
DROP INDEX ix_jobs_live_server;
DROP INDEX ix_jobs_live_schedule;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
