"""Which steps of the set-up somebody has decided, those included that were left out.

Revision: b46e0d93c7f2
Follows: 3c9d52f7e08b
"""

from migrations.statements import run

revision = "b46e0d93c7f2"
down_revision = "3c9d52f7e08b"
branch_labels = None
depends_on = None

_UP = "ALTER TABLE orgs ADD COLUMN setup_settled text[] NOT NULL DEFAULT '{}'"

_DOWN = "ALTER TABLE orgs DROP COLUMN setup_settled"


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
