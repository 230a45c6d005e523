"""What was refused and what failed, found without the rest of the audit log.

Revision: 71d9a3c40be8
Follows: b46e0d93c7f2
"""

from migrations.statements import run

revision = "71d9a3c40be8"
down_revision = "b46e0d93c7f2"
branch_labels = None
depends_on = None

_UP = """
CREATE INDEX ix_audit_refused ON audit_logs(org_id, outcome, id DESC) WHERE outcome <> 'success';
"""

_DOWN = """
DROP INDEX ix_audit_refused;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
