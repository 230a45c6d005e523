"""The highest id that a seal names: above it nothing is sealed, and a late row is looked for among few seals.

Revision: 5be81f2a6d09
Follows: 71d9a3c40be8
"""

from migrations.statements import run

revision = "5be81f2a6d09"
down_revision = "71d9a3c40be8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("CREATE INDEX ix_audit_seals_top ON audit_seals(org_id, upper(ids))")


def downgrade() -> None:
    run("DROP INDEX ix_audit_seals_top")
