"""Batches and macros: many jobs that belong together, and commands that people have put together.

Revision: 8fc34d60b1a5
Follows: 1e72ab46f9d3
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "8fc34d60b1a5"
down_revision = "1e72ab46f9d3"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE job_batches (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  number bigint NOT NULL,
  action text NOT NULL CHECK (action IN ('restart','stop','start','announce','deploy')),
  targets jsonb NOT NULL CHECK (jsonb_typeof(targets) = 'object'),
  payload jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running','done','cancelled')),
  total_count int NOT NULL CHECK (total_count > 0),
  max_parallel int NOT NULL DEFAULT 1 CHECK (max_parallel BETWEEN 1 AND 50),
  stop_on_failure boolean NOT NULL DEFAULT false,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz,
  CONSTRAINT uq_job_batches_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_job_batches_number UNIQUE (org_id, number),
  CHECK ((status = 'running') = (completed_at IS NULL))
);
CREATE INDEX ix_job_batches_org_created ON job_batches(org_id, created_at DESC);
CREATE INDEX ix_job_batches_running ON job_batches(status) WHERE status = 'running';
COMMENT ON TABLE job_batches IS 'W-3; max_parallel chains of jobs; counts are derived by a GROUP BY over jobs, not stored';

CREATE TABLE command_macros (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  server_instance_id uuid,
  name text NOT NULL CHECK (name ~ '^[a-z0-9_-]{1,32}$'),
  description text,
  job_type text NOT NULL,
  payload_template jsonb NOT NULL,
  param_definitions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(param_definitions) = 'array'),
  required_permission text NOT NULL DEFAULT 'macros.run',
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_command_macros_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_command_macros_org_name UNIQUE (org_id, name),
  CONSTRAINT fk_command_macros_server FOREIGN KEY (server_instance_id, org_id)
    REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_command_macros_server ON command_macros(server_instance_id) WHERE server_instance_id IS NOT NULL;
COMMENT ON TABLE command_macros IS '/macro run <name>; only {{param}} literal substitution';
"""

_LINKS = """
ALTER TABLE jobs ADD COLUMN batch_id uuid;
ALTER TABLE jobs ADD COLUMN macro_id uuid;
ALTER TABLE jobs ADD CONSTRAINT fk_jobs_batch FOREIGN KEY (batch_id, org_id) REFERENCES job_batches(id, org_id) ON DELETE SET NULL (batch_id);
ALTER TABLE jobs ADD CONSTRAINT fk_jobs_macro FOREIGN KEY (macro_id, org_id) REFERENCES command_macros(id, org_id) ON DELETE SET NULL (macro_id);
CREATE INDEX ix_jobs_batch ON jobs(batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ix_jobs_macro ON jobs(macro_id) WHERE macro_id IS NOT NULL;
"""

_DOWN = """
ALTER TABLE jobs DROP COLUMN macro_id;
ALTER TABLE jobs DROP COLUMN batch_id;
DROP TABLE command_macros;
DROP TABLE job_batches;
"""


def upgrade() -> None:
    run(_TABLES, _LINKS)


def downgrade() -> None:
    run(_DOWN)
