"""Exceptions for single people: a role on one server, a permission given or taken away.

Revision: e7f30b96a1c4
Follows: 5a7c10d9be24
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "e7f30b96a1c4"
down_revision = "5a7c10d9be24"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE user_server_roles (
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  server_instance_id uuid NOT NULL,
  role_id uuid NOT NULL,
  granted_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  granted_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  PRIMARY KEY (user_id, server_instance_id),
  CONSTRAINT fk_user_server_roles_role FOREIGN KEY (role_id, org_id) REFERENCES roles(id, org_id) ON DELETE NO ACTION,
  CONSTRAINT fk_user_server_roles_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_user_server_roles_org ON user_server_roles(org_id);
CREATE INDEX ix_user_server_roles_server ON user_server_roles(server_instance_id);
CREATE INDEX ix_user_server_roles_role ON user_server_roles(role_id);
COMMENT ON TABLE user_server_roles IS 'replaces the org role on that server';

CREATE TABLE user_permissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  permission_id uuid NOT NULL REFERENCES permissions(id) ON DELETE CASCADE,
  server_instance_id uuid,
  granted boolean NOT NULL DEFAULT true,
  reason text,
  granted_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  granted_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  CONSTRAINT uq_user_permissions UNIQUE NULLS NOT DISTINCT (org_id, user_id, permission_id, server_instance_id),
  CONSTRAINT fk_user_permissions_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_user_permissions_user ON user_permissions(user_id, org_id);
CREATE INDEX ix_user_permissions_permission ON user_permissions(permission_id);
CREATE INDEX ix_user_permissions_server ON user_permissions(server_instance_id) WHERE server_instance_id IS NOT NULL;
COMMENT ON TABLE user_permissions IS 'granted=false is an explicit DENY and wins over any role';
"""

_DOWN = """
DROP TABLE user_permissions;
DROP TABLE user_server_roles;
"""


def upgrade() -> None:
    run(_TABLES)


def downgrade() -> None:
    run(_DOWN)
