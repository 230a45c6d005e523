"""Alert rules, what they have seen, and the incidents that people work on.

Revision: e4b79d035c62
Follows: c85a2e7b1f90
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "e4b79d035c62"
down_revision = "c85a2e7b1f90"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE alert_rules (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  name text NOT NULL,
  type text NOT NULL CHECK (type IN ('host_offline','server_down','server_restarted','restart_loop','resource_threshold','error_count','log_keyword',
    'deployment_failure','job_run_failed','batch_failed','schedule_failed','backup_missing','ban_sync_failed','mod_deploy_failed','player_activity')),
  condition jsonb NOT NULL CHECK (jsonb_typeof(condition) = 'object'),
  host_id uuid,
  server_instance_id uuid,
  severity text NOT NULL CHECK (severity IN ('low','med','high')),
  enabled boolean NOT NULL DEFAULT true,
  creates_incident boolean NOT NULL DEFAULT true,
  auto_resolve boolean NOT NULL DEFAULT true,
  cooldown_seconds int NOT NULL DEFAULT 300 CHECK (cooldown_seconds BETWEEN 0 AND 86400),
  mention_role_id bigint,
  last_evaluated_at timestamptz,
  last_error text,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_alert_rules_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_alert_rules_org_name UNIQUE (org_id, name),
  CONSTRAINT fk_alert_rules_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_alert_rules_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_alert_rules_enabled ON alert_rules(org_id, type) WHERE enabled;
CREATE INDEX ix_alert_rules_host ON alert_rules(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_alert_rules_server ON alert_rules(server_instance_id) WHERE server_instance_id IS NOT NULL;
COMMENT ON TABLE alert_rules IS 'condition validated by a pydantic union discriminated on type';

CREATE TABLE alert_rule_channels (
  rule_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  org_id uuid NOT NULL,
  PRIMARY KEY (rule_id, channel_id),
  CONSTRAINT fk_arc_rule FOREIGN KEY (rule_id, org_id) REFERENCES alert_rules(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_arc_channel FOREIGN KEY (channel_id, org_id) REFERENCES notification_channels(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_arc_channel ON alert_rule_channels(channel_id);
COMMENT ON TABLE alert_rule_channels IS 'per-rule routing; no row = the default alerts channels';

CREATE TABLE incidents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  number bigint NOT NULL,
  host_id uuid,
  server_instance_id uuid,
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  description text,
  severity text NOT NULL CHECK (severity IN ('low','med','high')),
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open','investigating','resolved')),
  source text NOT NULL CHECK (source IN ('alert','manual','deployment')),
  rule_id uuid,
  fingerprint text,
  assignee_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  acknowledged_at timestamptz,
  resolved_at timestamptz,
  resolved_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_incidents_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_incidents_number UNIQUE (org_id, number),
  CONSTRAINT fk_incidents_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE SET NULL (host_id),
  CONSTRAINT fk_incidents_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE SET NULL (server_instance_id),
  CONSTRAINT fk_incidents_rule FOREIGN KEY (rule_id, org_id) REFERENCES alert_rules(id, org_id) ON DELETE SET NULL (rule_id),
  CHECK ((status = 'resolved') = (resolved_at IS NOT NULL))
);
-- manual incidents (rule_id NULL) may repeat
CREATE UNIQUE INDEX uq_incidents_live ON incidents(org_id, rule_id, fingerprint) WHERE status IN ('open','investigating') AND rule_id IS NOT NULL;
CREATE INDEX ix_incidents_org_status ON incidents(org_id, status, created_at DESC);
CREATE INDEX ix_incidents_server ON incidents(server_instance_id, created_at DESC) WHERE server_instance_id IS NOT NULL;
CREATE INDEX ix_incidents_rule ON incidents(rule_id) WHERE rule_id IS NOT NULL;
CREATE INDEX ix_incidents_host ON incidents(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_incidents_assignee ON incidents(assignee_id) WHERE assignee_id IS NOT NULL AND status <> 'resolved';
COMMENT ON TABLE incidents IS 'what people work on; the scope is nullable: an org-wide rule can open one, and a manual one may name nothing';

CREATE TABLE incident_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  incident_id uuid NOT NULL REFERENCES incidents(id) ON DELETE CASCADE,
  actor_id uuid REFERENCES users(id) ON DELETE SET NULL,
  type text NOT NULL CHECK (type IN ('created','trigger','status_change','assigned','comment','notified','auto_resolved','reopened',
    'silenced','folded','escalated','severity')),
  message text NOT NULL,
  meta_json jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_incident_events_incident ON incident_events(incident_id, created_at);
COMMENT ON TABLE incident_events IS 'timeline';

CREATE TABLE alert_firings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid NOT NULL,
  rule_id uuid NOT NULL,
  fingerprint text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','firing','resolved')),
  incident_id uuid,
  context jsonb NOT NULL DEFAULT '{}',
  fire_count int NOT NULL DEFAULT 0,
  pending_since timestamptz,
  fired_at timestamptz,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  clear_since timestamptz,
  silenced_until timestamptz,
  resolved_at timestamptz,
  last_notified_at timestamptz,
  CONSTRAINT uq_alert_firings UNIQUE (rule_id, fingerprint),
  CONSTRAINT fk_alert_firings_rule FOREIGN KEY (rule_id, org_id) REFERENCES alert_rules(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_alert_firings_incident FOREIGN KEY (incident_id, org_id) REFERENCES incidents(id, org_id) ON DELETE SET NULL (incident_id),
  CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
  CHECK (status = 'pending' OR fired_at IS NOT NULL)
);
CREATE INDEX ix_alert_firings_live ON alert_firings(org_id, last_seen_at) WHERE status IN ('pending','firing');
CREATE INDEX ix_alert_firings_resolved ON alert_firings(resolved_at) WHERE status = 'resolved';
CREATE INDEX ix_alert_firings_incident ON alert_firings(incident_id) WHERE incident_id IS NOT NULL;
COMMENT ON TABLE alert_firings IS 'edge and cooldown state per rule and entity; a folded one points at the incident of its host';

CREATE TABLE alert_counts (
  rule_id uuid NOT NULL REFERENCES alert_rules(id) ON DELETE CASCADE,
  entity_id text NOT NULL,
  bucket timestamptz NOT NULL,
  n int NOT NULL CHECK (n > 0),
  PRIMARY KEY (rule_id, entity_id, bucket)
);
CREATE INDEX ix_alert_counts_bucket ON alert_counts(bucket);
COMMENT ON TABLE alert_counts IS '10 s buckets of the lines that a rule matches, written in the transaction of the lines';
"""

_DOWN = """
DROP TABLE alert_counts;
DROP TABLE alert_firings;
DROP TABLE incident_events;
DROP TABLE incidents;
DROP TABLE alert_rule_channels;
DROP TABLE alert_rules;
"""


def upgrade() -> None:
    run(_TABLES)


def downgrade() -> None:
    run(_DOWN)
