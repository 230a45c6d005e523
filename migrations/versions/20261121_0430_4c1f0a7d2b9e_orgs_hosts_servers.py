"""Orgs and who may do what; hosts, servers and the keys of agents.

Revision: 4c1f0a7d2b9e
Follows: nothing
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "4c1f0a7d2b9e"
down_revision = None
branch_labels = None
depends_on = None

_EXTENSIONS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
"""

_TENANCY = r"""
CREATE TABLE orgs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  discord_guild_id bigint NOT NULL UNIQUE CHECK (discord_guild_id > 0),
  name text NOT NULL,
  owner_discord_id bigint,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active','left')),
  timezone text NOT NULL DEFAULT 'UTC',
  ephemeral_replies boolean NOT NULL DEFAULT true,
  log_retention_days int NOT NULL DEFAULT 7 CHECK (log_retention_days BETWEEN 1 AND 365),
  event_retention_days int NOT NULL DEFAULT 90 CHECK (event_retention_days BETWEEN 1 AND 730),
  metric_retention_days int NOT NULL DEFAULT 30 CHECK (metric_retention_days BETWEEN 1 AND 365),
  audit_retention_days int NOT NULL DEFAULT 365 CHECK (audit_retention_days >= 90),
  health_interval_sec int NOT NULL DEFAULT 15 CHECK (health_interval_sec IN (5,10,15,30,60)),
  host_offline_after_sec int NOT NULL DEFAULT 120 CHECK (host_offline_after_sec BETWEEN 15 AND 3600),
  avoid_risky_restart boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  left_at timestamptz
);
COMMENT ON TABLE orgs IS 'org = Discord guild; row created on guild join, soft-left on guild remove; its setting columns are the keys of /config';

CREATE TABLE org_counters (
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  name text NOT NULL,
  value bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, name)
);
COMMENT ON TABLE org_counters IS 'per-guild short numbers (J-340, I-12, B-1042, A-7, W-3): INSERT..ON CONFLICT DO UPDATE value=value+1 RETURNING';

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  discord_user_id bigint UNIQUE CHECK (discord_user_id > 0),
  username text NOT NULL,
  display_name text,
  notify jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(notify) = 'object'),
  forgotten_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((discord_user_id IS NULL) = (forgotten_at IS NOT NULL))
);
COMMENT ON TABLE users IS 'user = Discord account; upserted on first interaction; no email, no password, no session; notify = choices of /my notify; never deleted, /my forget anonymises';

CREATE TABLE roles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  is_preset boolean NOT NULL DEFAULT false,
  priority int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_roles_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_roles_org_name UNIQUE (org_id, name)
);
COMMENT ON TABLE roles IS 'the presets are instantiated per guild at join (is_preset), so that a guild may edit them and add its own';

CREATE TABLE permissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z]+(\.[a-z_]+)+$'),
  category text NOT NULL,
  resource text NOT NULL,
  action text NOT NULL,
  description text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_permissions_category ON permissions(category);
COMMENT ON TABLE permissions IS 'code-owned catalogue, upserted by the seed step';

CREATE TABLE role_permissions (
  role_id uuid NOT NULL REFERENCES roles(id) ON DELETE CASCADE,
  permission_id uuid NOT NULL REFERENCES permissions(id) ON DELETE CASCADE,
  PRIMARY KEY (role_id, permission_id)
);
CREATE INDEX ix_role_permissions_permission ON role_permissions(permission_id);
COMMENT ON TABLE role_permissions IS 'what a role may do; read by the permission check, edited by /access role';

CREATE TABLE user_orgs (
  user_id uuid NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  role_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz,
  PRIMARY KEY (user_id, org_id),
  CONSTRAINT fk_user_orgs_role FOREIGN KEY (role_id, org_id) REFERENCES roles(id, org_id) ON DELETE NO ACTION
);
CREATE INDEX ix_user_orgs_org ON user_orgs(org_id);
CREATE INDEX ix_user_orgs_role ON user_orgs(role_id) WHERE role_id IS NOT NULL;
COMMENT ON TABLE user_orgs IS 'explicit role; NULL = derive from role_bindings only';
"""

_FLEET = r"""
CREATE TABLE game_types (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9_-]{2,32}$'),
  name text NOT NULL,
  capabilities jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(capabilities) = 'array'),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE game_types IS 'one per game template (7dtd, teeworlds); a game known only to a host gets its row from the host''s report; for a server the report of its host (hosts.games) decides what works';

CREATE TABLE hosts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  hostname text,
  location text,
  ip_address inet,
  status text NOT NULL DEFAULT 'unknown' CHECK (status IN ('unknown','online','offline')),
  last_heartbeat_at timestamptz,
  offline_since timestamptz,
  agent_version text,
  games jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(games) = 'array'),
  resources jsonb NOT NULL DEFAULT '{}',
  last_metrics jsonb NOT NULL DEFAULT '{}',
  servers_revision bigint NOT NULL DEFAULT 0,
  key_rotation_requested_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT uq_hosts_id_org UNIQUE (id, org_id)
);
CREATE UNIQUE INDEX uq_hosts_org_name ON hosts(org_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX ix_hosts_org_status ON hosts(org_id, status) WHERE deleted_at IS NULL;
CREATE INDEX ix_hosts_heartbeat ON hosts(last_heartbeat_at) WHERE status IN ('unknown','online') AND deleted_at IS NULL;
COMMENT ON TABLE hosts IS 'one agent per host; games = what its agent reports; servers_revision grows with every change that the agent must fetch';

CREATE TABLE pairing_tokens (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  token_hash bytea NOT NULL UNIQUE,
  host_name text NOT NULL CHECK (length(host_name) BETWEEN 1 AND 128),
  host_id uuid,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  used_by_host_id uuid,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_pairing_tokens_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_pairing_tokens_used_by FOREIGN KEY (used_by_host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE SET NULL (used_by_host_id)
);
CREATE INDEX ix_pairing_tokens_org ON pairing_tokens(org_id);
CREATE INDEX ix_pairing_tokens_host ON pairing_tokens(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_pairing_tokens_used_by ON pairing_tokens(used_by_host_id) WHERE used_by_host_id IS NOT NULL;
CREATE INDEX ix_pairing_tokens_open ON pairing_tokens(expires_at) WHERE used_at IS NULL;
COMMENT ON TABLE pairing_tokens IS 'single use, 15 min default; consumed with UPDATE .. WHERE used_at IS NULL AND expires_at > now() RETURNING; host_id = pair an existing host again';

CREATE TABLE server_instances (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  host_id uuid NOT NULL,
  game_type_id uuid NOT NULL REFERENCES game_types(id) ON DELETE RESTRICT,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  template_sha256 bytea CHECK (octet_length(template_sha256) = 32),
  vars jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(vars) = 'object'),
  config_revision bigint NOT NULL DEFAULT 0,
  bans_revision bigint NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'unknown' CHECK (status IN
    ('unknown','installing','install_failed','stopped','starting','running','stopping','crashed')),
  desired_state text NOT NULL DEFAULT 'unmanaged' CHECK (desired_state IN ('unmanaged','running','stopped')),
  restart_policy text NOT NULL DEFAULT 'on_crash' CHECK (restart_policy IN ('never','on_crash','always')),
  status_changed_at timestamptz,
  observed jsonb NOT NULL DEFAULT '{}',
  port int CHECK (port BETWEEN 1 AND 65535),
  players_online int,
  backup_keep int NOT NULL DEFAULT 7 CHECK (backup_keep BETWEEN 1 AND 365),
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT uq_servers_id_org UNIQUE (id, org_id),
  CONSTRAINT fk_servers_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE NO ACTION
);
CREATE UNIQUE INDEX uq_servers_org_name ON server_instances(org_id, lower(name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX uq_servers_host_slug ON server_instances(host_id, slug) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX uq_servers_host_port ON server_instances(host_id, port) WHERE port IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX ix_servers_host ON server_instances(host_id);
CREATE INDEX ix_servers_org_status ON server_instances(org_id, status);
CREATE INDEX ix_servers_game_type ON server_instances(game_type_id);
COMMENT ON TABLE server_instances IS 'game server; slug = directory below the agent''s allowed root; vars never hold secrets; observed = version, map, ports, reachability as reported';

CREATE TABLE server_tags (
  org_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  tag text NOT NULL CHECK (tag ~ '^[a-z0-9_-]{1,32}$'),
  PRIMARY KEY (server_instance_id, tag),
  CONSTRAINT fk_server_tags_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_server_tags_tag ON server_tags(org_id, tag);
COMMENT ON TABLE server_tags IS '/fleet tag; read wherever a command, schedule, binding or maintenance window takes a tag';

CREATE TABLE role_bindings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  discord_role_id bigint NOT NULL,
  role_id uuid NOT NULL,
  server_instance_id uuid,
  tag text CHECK (tag ~ '^[a-z0-9_-]{1,32}$'),
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_role_bindings UNIQUE NULLS NOT DISTINCT (org_id, discord_role_id, server_instance_id, tag),
  CONSTRAINT fk_role_bindings_role FOREIGN KEY (role_id, org_id) REFERENCES roles(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_role_bindings_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE,
  CHECK (num_nonnulls(server_instance_id, tag) <= 1)
);
CREATE INDEX ix_role_bindings_role ON role_bindings(role_id);
CREATE INDEX ix_role_bindings_server ON role_bindings(server_instance_id) WHERE server_instance_id IS NOT NULL;
COMMENT ON TABLE role_bindings IS 'Discord role -> bot role, for the guild, one server or one tag; @everyone (discord_role_id = guild id) may be bound to the player preset';

CREATE TABLE api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('agent')),
  name text NOT NULL,
  key_prefix text NOT NULL,
  key_hash bytea NOT NULL UNIQUE,
  host_id uuid,
  allowed_cidrs cidr[] NOT NULL DEFAULT '{}',
  rate_limit_per_min int NOT NULL DEFAULT 1200 CHECK (rate_limit_per_min > 0),
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  confirmed_at timestamptz,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  CONSTRAINT fk_api_keys_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE CASCADE,
  CHECK (kind = 'agent' AND host_id IS NOT NULL)
);
CREATE UNIQUE INDEX uq_api_keys_agent_live ON api_keys(host_id) WHERE kind = 'agent' AND revoked_at IS NULL AND expires_at IS NULL AND confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX uq_api_keys_agent_next ON api_keys(host_id) WHERE kind = 'agent' AND revoked_at IS NULL AND confirmed_at IS NULL;
CREATE INDEX ix_api_keys_host ON api_keys(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_api_keys_org ON api_keys(org_id);
COMMENT ON TABLE api_keys IS 'HMAC-SHA-256(pepper, key); per host one confirmed live key and at most one unconfirmed successor; the old key gets expires_at at the successors first use';
"""

_DOWN = """
DROP TABLE api_keys;
DROP TABLE role_bindings;
DROP TABLE server_tags;
DROP TABLE server_instances;
DROP TABLE pairing_tokens;
DROP TABLE hosts;
DROP TABLE game_types;
DROP TABLE user_orgs;
DROP TABLE role_permissions;
DROP TABLE permissions;
DROP TABLE roles;
DROP TABLE users;
DROP TABLE org_counters;
DROP TABLE orgs;
"""


def upgrade() -> None:
    run(_EXTENSIONS, _TENANCY, _FLEET)


def downgrade() -> None:
    # the extensions stay: another schema of the database may use them
    run(_DOWN)
