"""Power actions that wait for their time or for an empty server.

Revision: 1e72ab46f9d3
Follows: d5f0913bc8e7
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "1e72ab46f9d3"
down_revision = "d5f0913bc8e7"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE power_plans (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  action text NOT NULL CHECK (action IN ('stop','restart')),
  mode text NOT NULL CHECK (mode IN ('at','when_empty')),
  due_at timestamptz,
  give_up_at timestamptz,
  warn_minutes int[] NOT NULL DEFAULT '{}',
  next_step_at timestamptz,
  status text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned','running','done','cancelled','expired')),
  job_id uuid,
  reason text,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_power_plans_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_power_plans_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (job_id),
  CHECK ((mode = 'at') = (due_at IS NOT NULL)),
  CHECK ((mode = 'when_empty') = (give_up_at IS NOT NULL))
);
CREATE UNIQUE INDEX uq_power_plans_live ON power_plans(server_instance_id) WHERE status IN ('planned','running');
CREATE INDEX ix_power_plans_due ON power_plans(next_step_at) WHERE status IN ('planned','running');
CREATE INDEX ix_power_plans_job ON power_plans(job_id) WHERE job_id IS NOT NULL;
CREATE INDEX ix_power_plans_org ON power_plans(org_id, created_at DESC);
COMMENT ON TABLE power_plans IS 'the when of /server stop and restart: countdown or wait for empty; Postpone and Cancel on its card, /server cancel; one live plan per server';
"""

_KINDS = """
ALTER TABLE bot_messages DROP CONSTRAINT bot_messages_kind_check;
ALTER TABLE bot_messages ADD CONSTRAINT bot_messages_kind_check CHECK (kind IN ('panel','incident','ban_notice','job','deployment','appeal','batch','server','setup','maintenance','plan'));
"""

_DOWN = """
DELETE FROM bot_messages WHERE kind = 'plan';
ALTER TABLE bot_messages DROP CONSTRAINT bot_messages_kind_check;
ALTER TABLE bot_messages ADD CONSTRAINT bot_messages_kind_check CHECK (kind IN ('panel','incident','ban_notice','job','deployment','appeal','batch','server','setup','maintenance'));
DROP TABLE power_plans;
"""


def upgrade() -> None:
    run(_TABLES, _KINDS)


def downgrade() -> None:
    run(_DOWN)
