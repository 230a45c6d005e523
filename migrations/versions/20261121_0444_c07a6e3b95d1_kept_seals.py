"""The oldest seal of each org that still has its rows, found without those that have lost them.

Revision: c07a6e3b95d1
Follows: 5be81f2a6d09
"""

from migrations.statements import run

revision = "c07a6e3b95d1"
down_revision = "5be81f2a6d09"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("CREATE INDEX ix_audit_seals_kept ON audit_seals(org_id, number) WHERE purged_at IS NULL")


def downgrade() -> None:
    run("DROP INDEX ix_audit_seals_kept")
