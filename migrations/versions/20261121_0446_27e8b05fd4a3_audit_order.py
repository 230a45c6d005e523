"""Indexes of the audit log by which nothing but what they are for can be read in order.

As every index had the order of ids, PostgreSQL would read the log from its end and hope to meet the wanted rows soon.
`NULLS LAST` says nothing of a column that is never null, but it is an order that only these have.

Revision: 27e8b05fd4a3
Follows: 9d41c6fe72ab
"""

from migrations.statements import run

revision = "27e8b05fd4a3"
down_revision = "9d41c6fe72ab"
branch_labels = None
depends_on = None

_MAKE = """
DROP INDEX ix_audit_org_action;
DROP INDEX ix_audit_org_actor;
DROP INDEX ix_audit_resource;
DROP INDEX ix_audit_refused;
CREATE INDEX ix_audit_org_action ON audit_logs(org_id, action, id DESC {nulls});
CREATE INDEX ix_audit_org_actor ON audit_logs(org_id, actor_id, id DESC {nulls});
CREATE INDEX ix_audit_resource ON audit_logs(org_id, resource_type, resource_id, id DESC {nulls});
CREATE INDEX ix_audit_refused ON audit_logs(org_id, outcome, id DESC {nulls}) WHERE outcome <> 'success';
"""


def upgrade() -> None:
    run(_MAKE.format(nulls="NULLS LAST"))


def downgrade() -> None:
    run(_MAKE.format(nulls="NULLS FIRST"))
