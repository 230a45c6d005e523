"""Bans: cases about people, what each server shall have, and what each has.

Revision: 6b1e94c2d7a0
Follows: d30b7f58e2a6
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "6b1e94c2d7a0"
down_revision = "d30b7f58e2a6"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE org_bans (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  number bigint NOT NULL,
  player_id uuid,
  player_name text,
  reason text,
  applies_to_all boolean NOT NULL DEFAULT true,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active','expired','revoked')),
  banned_at timestamptz NOT NULL,
  expires_at timestamptz,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  ended_at timestamptz,
  revoked_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  revoke_reason text,
  CONSTRAINT uq_org_bans_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_org_bans_number UNIQUE (org_id, number),
  CONSTRAINT fk_org_bans_player FOREIGN KEY (player_id, org_id) REFERENCES players(id, org_id) ON DELETE SET NULL (player_id),
  CHECK (expires_at IS NULL OR expires_at > banned_at),
  CHECK ((status = 'active') = (ended_at IS NULL))
);
CREATE INDEX ix_org_bans_list ON org_bans(org_id, status, number DESC);
CREATE INDEX ix_org_bans_player ON org_bans(player_id) WHERE player_id IS NOT NULL;
CREATE INDEX ix_org_bans_expiry ON org_bans(expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;
CREATE INDEX ix_player_sessions_address ON player_sessions(org_id, ip) WHERE ip IS NOT NULL;
COMMENT ON TABLE org_bans IS 'a case (B-1042) about one person; identities in ban_identifiers, servers in ban_entries';

CREATE TABLE ban_identifiers (
  org_ban_id uuid NOT NULL,
  org_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{1,31}$'),
  value text NOT NULL CHECK (value = btrim(value) AND length(value) BETWEEN 1 AND 128),
  is_active boolean NOT NULL DEFAULT true,
  PRIMARY KEY (org_ban_id, kind, value),
  CONSTRAINT fk_ban_identifiers_ban FOREIGN KEY (org_ban_id, org_id) REFERENCES org_bans(id, org_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_ban_identifiers_active ON ban_identifiers(org_id, kind, value) WHERE is_active AND kind <> 'ip';
CREATE INDEX ix_ban_identifiers_lookup ON ban_identifiers(org_id, kind, value);
COMMENT ON TABLE ban_identifiers IS 'every identity of the case, the first included; is_active follows the case, so that an identity is in one active case only, except an address, which several people may share';

CREATE TABLE ban_entries (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  org_ban_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  desired_state text NOT NULL DEFAULT 'banned' CHECK (desired_state IN ('banned','unbanned')),
  revision int NOT NULL DEFAULT 0,
  sync_status text NOT NULL DEFAULT 'pending' CHECK (sync_status IN ('pending','syncing','synced','failed','unsupported')),
  applied_state text CHECK (applied_state IN ('banned','unbanned')),
  attempts int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  synced_at timestamptz,
  last_sync_error text,
  last_sync_job_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_ban_entries UNIQUE (org_ban_id, server_instance_id),
  CONSTRAINT fk_ban_entries_ban FOREIGN KEY (org_ban_id, org_id) REFERENCES org_bans(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_ban_entries_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_ban_entries_job FOREIGN KEY (last_sync_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (last_sync_job_id),
  CHECK (sync_status <> 'synced' OR applied_state IS NOT DISTINCT FROM desired_state)
);
CREATE INDEX ix_ban_entries_server ON ban_entries(server_instance_id, sync_status);
CREATE INDEX ix_ban_entries_due ON ban_entries(next_attempt_at) WHERE sync_status IN ('pending','failed');
CREATE INDEX ix_ban_entries_job ON ban_entries(last_sync_job_id) WHERE last_sync_job_id IS NOT NULL;
COMMENT ON TABLE ban_entries IS 'desired vs applied state per server (reconciler); a receipt counts only for the revision that it was sent for';

CREATE TABLE ban_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_ban_id uuid NOT NULL,
  org_id uuid NOT NULL,
  actor_id uuid REFERENCES users(id) ON DELETE SET NULL,
  type text NOT NULL CHECK (type IN ('created','edited','lifted','expired','voided','evidence','note','appealed','appeal_decided','evaded',
    'retried','imported','applied_everywhere')),
  details jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_ban_events_ban FOREIGN KEY (org_ban_id, org_id) REFERENCES org_bans(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_ban_events_case ON ban_events(org_ban_id, created_at);
COMMENT ON TABLE ban_events IS 'append-only history of a case: nothing about a ban is ever overwritten without a line here';
"""

_DOWN = """
DROP INDEX ix_player_sessions_address;
DROP TABLE ban_events;
DROP TABLE ban_entries;
DROP TABLE ban_identifiers;
DROP TABLE org_bans;
"""


def upgrade() -> None:
    run(_TABLES)


def downgrade() -> None:
    run(_DOWN)
