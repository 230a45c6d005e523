"""Mods: files that never change, where they were deployed, and what a server has.

Revision: 2f7c5a18e3b4
Follows: 6b1e94c2d7a0
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "2f7c5a18e3b4"
down_revision = "6b1e94c2d7a0"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE mod_artifacts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  game_type_id uuid REFERENCES game_types(id) ON DELETE SET NULL,
  name text NOT NULL,
  version text NOT NULL,
  source text NOT NULL CHECK (source IN ('discord_attachment','url','workshop','agent')),
  source_url text,
  file_name text,
  file_ref text,
  size_bytes bigint CHECK (size_bytes BETWEEN 1 AND 268435456),
  sha256 bytea CHECK (octet_length(sha256) = 32),
  manifest jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'uploading' CHECK (status IN ('uploading','ready','rejected','deleted')),
  reject_reason text,
  uploaded_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_mod_artifacts_id_org UNIQUE (id, org_id),
  CHECK (status <> 'ready' OR (file_ref IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL))
);
CREATE UNIQUE INDEX uq_mod_artifacts_version ON mod_artifacts(org_id, lower(name), version) WHERE status IN ('uploading','ready');
CREATE INDEX ix_mod_artifacts_game_type ON mod_artifacts(game_type_id);
CREATE INDEX ix_mod_artifacts_sha ON mod_artifacts(org_id, sha256);
COMMENT ON TABLE mod_artifacts IS 'immutable once ready; identified by sha256; /mod list, plan and deploy, and the download of the agent';

CREATE TABLE mod_deployments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  artifact_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  mod_name text NOT NULL,
  action text NOT NULL CHECK (action IN ('install','remove','rollback')),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','running','active','superseded','failed','removed','rolled_back')),
  previous_deployment_id uuid,
  job_id uuid,
  restart_required boolean NOT NULL DEFAULT true,
  error text,
  deployed_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT uq_mod_deployments_id_org UNIQUE (id, org_id),
  CONSTRAINT fk_mod_deployments_previous FOREIGN KEY (previous_deployment_id, org_id)
    REFERENCES mod_deployments(id, org_id) ON DELETE SET NULL (previous_deployment_id),
  CONSTRAINT fk_mod_deployments_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (job_id),
  CONSTRAINT fk_mod_deployments_artifact FOREIGN KEY (artifact_id, org_id) REFERENCES mod_artifacts(id, org_id) ON DELETE NO ACTION,
  CONSTRAINT fk_mod_deployments_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_mod_deployments_active ON mod_deployments(server_instance_id, lower(mod_name)) WHERE status = 'active';
CREATE UNIQUE INDEX uq_mod_deployments_inflight ON mod_deployments(server_instance_id, lower(mod_name)) WHERE status IN ('pending','running');
CREATE INDEX ix_mod_deployments_server ON mod_deployments(server_instance_id, created_at DESC);
CREATE INDEX ix_mod_deployments_org ON mod_deployments(org_id, created_at DESC);
CREATE INDEX ix_mod_deployments_artifact ON mod_deployments(artifact_id);
CREATE INDEX ix_mod_deployments_job ON mod_deployments(job_id) WHERE job_id IS NOT NULL;
CREATE INDEX ix_mod_deployments_prev ON mod_deployments(previous_deployment_id) WHERE previous_deployment_id IS NOT NULL;
COMMENT ON TABLE mod_deployments IS 'every install, rollback and removal; rollback = a new row that becomes active, the row it replaces becomes rolled_back';

CREATE TABLE server_mods (
  server_instance_id uuid NOT NULL,
  org_id uuid NOT NULL,
  folder text NOT NULL,
  state text NOT NULL CHECK (state IN ('active','quarantined')),
  name text,
  version text,
  author text,
  website text,
  config_files jsonb NOT NULL DEFAULT '[]',
  artifact_id uuid,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (server_instance_id, folder, state),
  CONSTRAINT fk_server_mods_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_server_mods_artifact FOREIGN KEY (artifact_id, org_id) REFERENCES mod_artifacts(id, org_id) ON DELETE SET NULL (artifact_id)
);
CREATE INDEX ix_server_mods_artifact ON server_mods(artifact_id) WHERE artifact_id IS NOT NULL;
COMMENT ON TABLE server_mods IS 'last inventory that the agent put; /mod list shows it against what is wanted';
"""

_DOWN = """
DROP TABLE server_mods;
DROP TABLE mod_deployments;
DROP TABLE mod_artifacts;
"""


def upgrade() -> None:
    run(_TABLES)


def downgrade() -> None:
    run(_DOWN)
