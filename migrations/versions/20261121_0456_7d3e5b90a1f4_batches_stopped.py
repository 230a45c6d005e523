"""When and by whom a batch was told to begin nothing more.

Until the last job that was under way then has ended, the batch runs on; whoever finds a waiting job of it meanwhile must
know that it is not to begin.

Revision: 7d3e5b90a1f4
Follows: e6a31c7b49d8
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "7d3e5b90a1f4"
down_revision = "e6a31c7b49d8"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE job_batches ADD COLUMN stopped_at timestamptz;
ALTER TABLE job_batches ADD COLUMN stopped_by_id uuid REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE job_batches ADD CONSTRAINT job_batches_stopped_check CHECK (status <> 'cancelled' OR stopped_at IS NOT NULL);
"""

_DOWN = """
ALTER TABLE job_batches DROP CONSTRAINT job_batches_stopped_check;
ALTER TABLE job_batches DROP COLUMN stopped_by_id;
ALTER TABLE job_batches DROP COLUMN stopped_at;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
