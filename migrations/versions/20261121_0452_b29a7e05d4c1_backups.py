"""Backups of saved games, kept on their host.

Revision: b29a7e05d4c1
Follows: 8fc34d60b1a5
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "b29a7e05d4c1"
down_revision = "8fc34d60b1a5"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE backups (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL DEFAULT 'full-world',
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running','complete','failed','deleted')),
  storage_ref text,
  size_bytes bigint,
  checksum text,
  is_locked boolean NOT NULL DEFAULT false,
  metadata jsonb NOT NULL DEFAULT '{}',
  job_id uuid,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz,
  CONSTRAINT uq_backups_server_name UNIQUE (server_instance_id, name),
  CONSTRAINT fk_backups_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (job_id),
  CONSTRAINT fk_backups_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_backups_server ON backups(server_instance_id, created_at DESC);
CREATE INDEX ix_backups_job ON backups(job_id) WHERE job_id IS NOT NULL;
COMMENT ON TABLE backups IS 'save backups held on the host; retention keeps server_instances.backup_keep, locked ones are skipped';
"""

_DOWN = """
DROP TABLE backups;
"""


def upgrade() -> None:
    run(_TABLES)


def downgrade() -> None:
    run(_DOWN)
