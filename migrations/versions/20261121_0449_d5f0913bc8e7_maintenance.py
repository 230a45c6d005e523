"""Servers that are left alone: held by somebody, or in maintenance for a time.

Revision: d5f0913bc8e7
Follows: 6ae1f4c82d97
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "d5f0913bc8e7"
down_revision = "6ae1f4c82d97"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE server_holds (
  server_instance_id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  reason text NOT NULL,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  CONSTRAINT fk_server_holds_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_server_holds_expiry ON server_holds(expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE server_holds IS '/server hold: the reconciler, schedules and batches leave the server alone; kill and look-ups still work';

CREATE TABLE maintenance_windows (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  host_id uuid,
  server_instance_id uuid,
  tag text CHECK (tag ~ '^[a-z0-9_-]{1,32}$'),
  reason text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  ended_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_maintenance_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_maintenance_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE,
  CHECK (num_nonnulls(host_id, server_instance_id, tag) <= 1),
  CHECK (ends_at > starts_at)
);
CREATE INDEX ix_maintenance_host ON maintenance_windows(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_maintenance_server ON maintenance_windows(server_instance_id) WHERE server_instance_id IS NOT NULL;
CREATE INDEX ix_maintenance_live ON maintenance_windows(org_id, ends_at);
COMMENT ON TABLE maintenance_windows IS 'of a host, a server or a tag; all NULL = the whole org';
"""

_KINDS = """
ALTER TABLE bot_messages DROP CONSTRAINT bot_messages_kind_check;
ALTER TABLE bot_messages ADD CONSTRAINT bot_messages_kind_check CHECK (kind IN ('panel','incident','ban_notice','job','deployment','appeal','batch','server','setup','maintenance'));
"""

_DOWN = """
DELETE FROM bot_messages WHERE kind = 'maintenance';
ALTER TABLE bot_messages DROP CONSTRAINT bot_messages_kind_check;
ALTER TABLE bot_messages ADD CONSTRAINT bot_messages_kind_check CHECK (kind IN ('panel','incident','ban_notice','job','deployment','appeal','batch','server','setup'));
DROP TABLE maintenance_windows;
DROP TABLE server_holds;
"""


def upgrade() -> None:
    run(_TABLES, _KINDS)


def downgrade() -> None:
    run(_DOWN)
