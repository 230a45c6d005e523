"""What the bot says and keeps up to date; the stream of events, the audit log, leases and state.

Revision: d30b7f58e2a6
Follows: 8a25e6c90d14
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "d30b7f58e2a6"
down_revision = "8a25e6c90d14"
branch_labels = None
depends_on = None

_MESSAGES = r"""
CREATE TABLE notification_channels (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  name text NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('ops','alerts','bans','appeals','deployments','audit','players')),
  type text NOT NULL CHECK (type IN ('discord_channel','discord_webhook','slack_webhook')),
  discord_channel_id bigint,
  config_enc bytea,
  min_severity text NOT NULL DEFAULT 'low' CHECK (min_severity IN ('low','med','high')),
  is_default boolean NOT NULL DEFAULT true,
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_notification_channels_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_notification_channels_name UNIQUE (org_id, name),
  CHECK ((type = 'discord_channel') = (discord_channel_id IS NOT NULL)),
  CHECK ((type = 'discord_channel') = (config_enc IS NULL))
);
CREATE INDEX ix_notification_channels_purpose ON notification_channels(org_id, purpose) WHERE enabled;
COMMENT ON TABLE notification_channels IS 'where a purpose goes (/notify, /setup channels); native Discord channel id first; webhooks optional and encrypted';

CREATE TABLE bot_messages (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('panel','incident','ban_notice','job','deployment','appeal','batch','server','setup')),
  subject_id text NOT NULL,
  channel_id bigint NOT NULL,
  message_id bigint,
  thread_id bigint,
  rendered_hash bytea,
  next_edit_at timestamptz,
  fail_count int NOT NULL DEFAULT 0,
  disabled_reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_bot_messages_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_bot_messages UNIQUE (org_id, kind, subject_id, channel_id)
);
CREATE INDEX ix_bot_messages_due ON bot_messages(next_edit_at) WHERE next_edit_at IS NOT NULL AND disabled_reason IS NULL;
COMMENT ON TABLE bot_messages IS 'every message that the bot keeps up to date, and the only place for its address; edited only when its rendered hash changes';

CREATE TABLE notification_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  target_kind text NOT NULL CHECK (target_kind IN ('channel','user','webhook')),
  discord_channel_id bigint,
  discord_user_id bigint,
  channel_id uuid,
  bot_message_id uuid,
  op text NOT NULL DEFAULT 'post' CHECK (op IN ('post','edit','delete')),
  event_type text NOT NULL,
  payload_json jsonb NOT NULL,
  dedupe_key text,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','processing','sent','skipped','failed')),
  attempts int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  locked_until timestamptz,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz,
  CONSTRAINT uq_notification_jobs_dedupe UNIQUE (org_id, dedupe_key),
  CONSTRAINT fk_notification_jobs_channel FOREIGN KEY (channel_id, org_id) REFERENCES notification_channels(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_notification_jobs_message FOREIGN KEY (bot_message_id, org_id) REFERENCES bot_messages(id, org_id) ON DELETE CASCADE,
  CHECK ((target_kind = 'channel') = (discord_channel_id IS NOT NULL)),
  CHECK ((target_kind = 'user') = (discord_user_id IS NOT NULL)),
  CHECK (target_kind <> 'webhook' OR (channel_id IS NOT NULL AND op = 'post')),
  CHECK (op <> 'post' OR dedupe_key IS NOT NULL),
  CHECK (op = 'post' OR bot_message_id IS NOT NULL)
);
CREATE UNIQUE INDEX uq_notification_jobs_edit ON notification_jobs(bot_message_id) WHERE op = 'edit' AND status = 'pending';
CREATE INDEX ix_notification_jobs_due ON notification_jobs(next_attempt_at) WHERE status IN ('pending','processing');
CREATE INDEX ix_notification_jobs_order ON notification_jobs(discord_channel_id, id) WHERE status IN ('pending','processing');
CREATE INDEX ix_notification_jobs_channel ON notification_jobs(channel_id) WHERE channel_id IS NOT NULL;
CREATE INDEX ix_notification_jobs_message ON notification_jobs(bot_message_id) WHERE bot_message_id IS NOT NULL;
CREATE INDEX ix_notification_jobs_done ON notification_jobs(created_at) WHERE status IN ('sent','skipped','failed');
COMMENT ON TABLE notification_jobs IS 'transactional outbox for every message the bot owes; payload names the subject, the text is rendered when it is sent; id = order and nonce';
"""

_RECORDS = r"""
CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY,
  org_id uuid NOT NULL,
  source_type text NOT NULL CHECK (source_type IN ('host','server_instance','job_run','deployment','ban','mod','system')),
  source_id text NOT NULL,
  event_type text NOT NULL,
  payload jsonb NOT NULL DEFAULT '{}',
  ts timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (ts);
CREATE INDEX ix_events_org_ts ON events(org_id, ts DESC, id DESC);
CREATE INDEX ix_events_source ON events(source_type, source_id, ts DESC);
COMMENT ON TABLE events IS 'joins, leaves, ready, crash, host online/offline …; /server history, alert rules, feed of the players channel';

CREATE TABLE audit_logs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid REFERENCES orgs(id) ON DELETE SET NULL,
  discord_guild_id bigint,
  actor_id uuid REFERENCES users(id) ON DELETE SET NULL,
  actor_type text NOT NULL DEFAULT 'user' CHECK (actor_type IN ('user','agent','api_key','system')),
  actor_discord_id bigint,
  action text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('success','denied','failed')),
  resource_type text NOT NULL,
  resource_id text,
  command text,
  options jsonb NOT NULL DEFAULT '{}',
  details jsonb NOT NULL DEFAULT '{}',
  error text,
  correlation_id text,
  interaction_id bigint,
  channel_id bigint,
  ip inet,
  duration_ms int,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX uq_audit_interaction ON audit_logs(interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX ix_audit_org ON audit_logs(org_id, id DESC);
CREATE INDEX ix_audit_org_action ON audit_logs(org_id, action, id DESC);
CREATE INDEX ix_audit_org_actor ON audit_logs(org_id, actor_id, id DESC);
CREATE INDEX ix_audit_resource ON audit_logs(org_id, resource_type, resource_id, id DESC);
CREATE INDEX ix_audit_created ON audit_logs USING brin (created_at);
COMMENT ON TABLE audit_logs IS 'one row per interaction, also when denied or failed; append-only by trigger; paged by id; duration_ms = until this row was written';

CREATE TABLE pending_confirmations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  action text NOT NULL,
  payload jsonb NOT NULL,
  message_id bigint,
  expires_at timestamptz NOT NULL,
  consumed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_pending_confirmations_open ON pending_confirmations(expires_at) WHERE consumed_at IS NULL;
CREATE INDEX ix_pending_confirmations_org ON pending_confirmations(org_id);
CREATE INDEX ix_pending_confirmations_user ON pending_confirmations(user_id);
COMMENT ON TABLE pending_confirmations IS 'confirmation buttons survive a bot restart; consumed with UPDATE .. SET consumed_at WHERE consumed_at IS NULL AND expires_at > now() AND user_id = $1 RETURNING';

CREATE TABLE cron_runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_name text NOT NULL,
  status text NOT NULL CHECK (status IN ('running','success','failure')),
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  duration_ms int,
  meta_json jsonb
);
CREATE INDEX ix_cron_runs_job ON cron_runs(job_name, started_at DESC);
COMMENT ON TABLE cron_runs IS 'one row per scheduler tick that did work, also when it failed';

CREATE TABLE leases (
  duty text PRIMARY KEY,
  holder text NOT NULL,
  epoch bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
COMMENT ON TABLE leases IS 'who leads a duty (scheduler, alerts, outbox …) or holds a Discord shard (shard:N); taken with UPDATE .. epoch = epoch + 1 WHERE expires_at < now()';

CREATE TABLE app_state (
  key text PRIMARY KEY,
  value jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE app_state IS 'command tree hash and command ids per application, fingerprint of the secret keys';
"""

_GUARD = """
CREATE FUNCTION audit_logs_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- only the two ON DELETE SET NULL updates are allowed
    IF (NEW.org_id IS NULL OR NEW.org_id = OLD.org_id) AND (NEW.actor_id IS NULL OR NEW.actor_id = OLD.actor_id)
       AND (to_jsonb(NEW) - 'org_id' - 'actor_id') = (to_jsonb(OLD) - 'org_id' - 'actor_id') THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'DELETE' AND current_setting('app.audit_purge', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_logs is append-only';
END $$;
"""

_TRIGGERS = """
CREATE TRIGGER trg_audit_logs_guard BEFORE UPDATE OR DELETE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_logs_guard();
CREATE TRIGGER trg_audit_logs_truncate BEFORE TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_guard();
"""

_VIEW = """
CREATE VIEW server_actions AS
  SELECT j.org_id, j.server_instance_id, j.created_by_id AS user_id, j.id AS job_id, j.type AS action, j.status AS outcome, j.payload AS details, j.created_at
    FROM jobs j WHERE j.server_instance_id IS NOT NULL
  UNION ALL
  SELECT a.org_id, s.id, a.actor_id, NULL, a.action, a.outcome, a.details, a.created_at
    FROM server_instances s JOIN audit_logs a ON a.org_id = s.org_id AND a.resource_type = 'server' AND a.resource_id = s.id::text
   WHERE NOT a.details ? 'jobId';
COMMENT ON VIEW server_actions IS 'what people and the bot did to a server: jobs, and audit rows that led to no job; /server history';
"""

_DOWN = """
DROP VIEW server_actions;
DROP TABLE app_state;
DROP TABLE leases;
DROP TABLE cron_runs;
DROP TABLE pending_confirmations;
DROP TABLE audit_logs;
DROP TABLE events;
DROP TABLE notification_jobs;
DROP TABLE bot_messages;
DROP TABLE notification_channels;
DROP FUNCTION audit_logs_guard();
"""


def upgrade() -> None:
    run(_MESSAGES, _RECORDS)
    run(_GUARD, whole=True)
    run(_TRIGGERS, _VIEW)


def downgrade() -> None:
    run(_DOWN)
