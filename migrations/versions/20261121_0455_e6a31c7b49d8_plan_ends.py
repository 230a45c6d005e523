"""How a power plan ended, when, and who ended it.

Its card says so for as long as it is there, whatever edits it later.

Revision: e6a31c7b49d8
Follows: a4d7c19e35f0
"""

from migrations.statements import run

revision = "e6a31c7b49d8"
down_revision = "a4d7c19e35f0"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE power_plans ADD COLUMN outcome text;
ALTER TABLE power_plans ADD COLUMN ended_at timestamptz;
ALTER TABLE power_plans ADD COLUMN ended_by_id uuid REFERENCES users(id) ON DELETE SET NULL;
COMMENT ON COLUMN power_plans.outcome IS 'why it ended so, in words; NULL = it is live, or nothing has to be said';
"""

_DOWN = """
ALTER TABLE power_plans DROP COLUMN ended_by_id;
ALTER TABLE power_plans DROP COLUMN ended_at;
ALTER TABLE power_plans DROP COLUMN outcome;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
