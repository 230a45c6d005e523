"""The order in which hosts take jobs, the wait before a second attempt, and chains whose beginning is gone.

Revision: a4d7c19e35f0
Follows: 5c90d7f2a6b8
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "a4d7c19e35f0"
down_revision = "5c90d7f2a6b8"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE jobs ADD COLUMN backoff_sec int NOT NULL DEFAULT 2;
ALTER TABLE jobs ADD CONSTRAINT jobs_backoff_sec_check CHECK (backoff_sec BETWEEN 1 AND 3600);
ALTER TABLE jobs ADD CONSTRAINT jobs_priority_check CHECK (priority BETWEEN 0 AND 3);
ALTER TABLE jobs DROP CONSTRAINT fk_jobs_after;
ALTER TABLE jobs ADD CONSTRAINT fk_jobs_after FOREIGN KEY (after_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (after_job_id);
DROP INDEX ix_jobs_queue;
CREATE INDEX ix_jobs_queue ON jobs(host_id, (timezone('UTC', not_before) - priority * interval '180 seconds'), number) WHERE status = 'queued';
"""

_DOWN = """
DROP INDEX ix_jobs_queue;
CREATE INDEX ix_jobs_queue ON jobs(host_id, priority DESC, not_before, number) WHERE status = 'queued';
ALTER TABLE jobs DROP CONSTRAINT fk_jobs_after;
ALTER TABLE jobs ADD CONSTRAINT fk_jobs_after FOREIGN KEY (after_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE CASCADE;
ALTER TABLE jobs DROP CONSTRAINT jobs_priority_check;
ALTER TABLE jobs DROP COLUMN backoff_sec;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
