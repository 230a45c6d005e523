"""The hash of a seal's rows, so that a seal can be computed again when they have gone.

Revision: a83c5d10f6e2
Follows: 27e8b05fd4a3
"""

from migrations.statements import run

revision = "a83c5d10f6e2"
down_revision = "27e8b05fd4a3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("ALTER TABLE audit_seals ADD COLUMN rows_hash bytea NOT NULL DEFAULT ''")


def downgrade() -> None:
    run("ALTER TABLE audit_seals DROP COLUMN rows_hash")
