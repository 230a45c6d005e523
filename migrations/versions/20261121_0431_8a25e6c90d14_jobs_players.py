"""Work for hosts, one row per attempt; players and when they were on a server.

Revision: 8a25e6c90d14
Follows: 4c1f0a7d2b9e
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "8a25e6c90d14"
down_revision = "4c1f0a7d2b9e"
branch_labels = None
depends_on = None

_JOBS = r"""
CREATE TABLE jobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  number bigint NOT NULL,
  server_instance_id uuid,
  host_id uuid,
  type text NOT NULL,
  payload jsonb NOT NULL DEFAULT '{}',
  is_exclusive boolean NOT NULL DEFAULT false,
  priority smallint NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('held','queued','running','success','failed','cancelled','expired')),
  source text NOT NULL DEFAULT 'command' CHECK (source IN ('command','schedule','macro','batch','alert','ban_sync','mod_deploy','reconcile','system')),
  after_job_id uuid,
  after_any boolean NOT NULL DEFAULT false,
  dedupe_key text,
  max_attempts int NOT NULL DEFAULT 1 CHECK (max_attempts BETWEEN 1 AND 11),
  timeout_sec int NOT NULL DEFAULT 900 CHECK (timeout_sec BETWEEN 5 AND 86400),
  not_before timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  cancel_requested_at timestamptz,
  cancelled_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT uq_jobs_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_jobs_org_number UNIQUE (org_id, number),
  CONSTRAINT fk_jobs_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE SET NULL (server_instance_id),
  CONSTRAINT fk_jobs_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE SET NULL (host_id),
  CONSTRAINT fk_jobs_after FOREIGN KEY (after_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE CASCADE,
  CHECK (status <> 'held' OR after_job_id IS NOT NULL),
  CHECK ((status IN ('success','failed','cancelled','expired')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX uq_jobs_dedupe_live ON jobs(org_id, dedupe_key) WHERE dedupe_key IS NOT NULL AND status IN ('held','queued','running');
CREATE INDEX ix_jobs_org_created ON jobs(org_id, created_at DESC);
CREATE INDEX ix_jobs_server_created ON jobs(server_instance_id, created_at DESC) WHERE server_instance_id IS NOT NULL;
CREATE INDEX ix_jobs_finished ON jobs(finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX ix_jobs_after ON jobs(after_job_id) WHERE after_job_id IS NOT NULL;
CREATE INDEX ix_jobs_host ON jobs(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_jobs_queue ON jobs(host_id, priority DESC, not_before, number) WHERE status = 'queued';
CREATE INDEX ix_jobs_expiry ON jobs(expires_at) WHERE status = 'queued' AND expires_at IS NOT NULL;
COMMENT ON TABLE jobs IS 'the queue itself; payload never holds credentials, paths or host commands; held = waits for after_job_id (after_any: also when that one failed)';

CREATE TABLE job_runs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  job_id uuid NOT NULL,
  host_id uuid,
  server_instance_id uuid,
  attempt int NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  status text NOT NULL DEFAULT 'claimed' CHECK (status IN ('claimed','running','success','failed','cancelled','lost')),
  is_exclusive boolean NOT NULL,
  claim_token uuid NOT NULL DEFAULT gen_random_uuid(),
  lease_expires_at timestamptz NOT NULL,
  started_at timestamptz,
  last_progress_at timestamptz,
  progress_phase text,
  progress_message text,
  finished_at timestamptz,
  duration_ms int,
  error_message text,
  output text,
  result jsonb,
  log_ref text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_job_runs_attempt UNIQUE (job_id, attempt),
  CONSTRAINT fk_job_runs_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_job_runs_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE SET NULL (host_id),
  CONSTRAINT fk_job_runs_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE SET NULL (server_instance_id),
  CHECK ((status IN ('claimed','running')) = (finished_at IS NULL)),
  CHECK (status IN ('claimed','failed','cancelled') OR started_at IS NOT NULL)
);
CREATE UNIQUE INDEX uq_job_runs_exclusive ON job_runs(server_instance_id) WHERE status IN ('claimed','running') AND is_exclusive;
CREATE INDEX ix_job_runs_host ON job_runs(host_id, created_at DESC);
CREATE INDEX ix_job_runs_server ON job_runs(server_instance_id) WHERE server_instance_id IS NOT NULL;
CREATE INDEX ix_job_runs_offered ON job_runs(host_id) WHERE status = 'claimed';
CREATE INDEX ix_job_runs_lease ON job_runs(lease_expires_at) WHERE status IN ('claimed','running');
COMMENT ON TABLE job_runs IS 'one row per attempt, created at claim time; claimed = offered, running = the agent has reported started; lease renewed by progress';
"""

_PLAYERS = r"""
CREATE TABLE players (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  user_id uuid REFERENCES users(id) ON DELETE SET NULL,
  name text NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_players_id_org UNIQUE (id, org_id)
);
CREATE INDEX ix_players_org_seen ON players(org_id, last_seen_at DESC);
CREATE INDEX ix_players_user ON players(user_id) WHERE user_id IS NOT NULL;
CREATE INDEX ix_players_name_trgm ON players USING gin (org_id, name gin_trgm_ops);
COMMENT ON TABLE players IS 'one row per person and guild, whatever the server; autocomplete of /ban and /player; user_id = linked Discord account';

CREATE TABLE player_identities (
  org_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{1,31}$'),
  value text NOT NULL CHECK (value = btrim(value) AND length(value) BETWEEN 1 AND 128),
  player_id uuid NOT NULL,
  verified_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, kind, value),
  CONSTRAINT fk_player_identities_player FOREIGN KEY (player_id, org_id) REFERENCES players(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_player_identities_player ON player_identities(player_id);
COMMENT ON TABLE player_identities IS 'steam, eos, xuid, minecraft …; verified_at = the owner typed a link code in the game';

CREATE TABLE player_names (
  player_id uuid NOT NULL,
  org_id uuid NOT NULL,
  name text NOT NULL,
  last_seen_at timestamptz NOT NULL,
  PRIMARY KEY (player_id, name),
  CONSTRAINT fk_player_names_player FOREIGN KEY (player_id, org_id) REFERENCES players(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_player_names_trgm ON player_names USING gin (org_id, name gin_trgm_ops);
COMMENT ON TABLE player_names IS 'former names; /player find and show, ban preview';

CREATE TABLE player_sessions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid NOT NULL,
  player_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  slot text,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  ip inet,
  CONSTRAINT fk_player_sessions_player FOREIGN KEY (player_id, org_id) REFERENCES players(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_player_sessions_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_player_sessions_open ON player_sessions(server_instance_id, player_id) WHERE ended_at IS NULL;
CREATE INDEX ix_player_sessions_player ON player_sessions(player_id, started_at DESC);
CREATE INDEX ix_player_sessions_server ON player_sessions(server_instance_id, started_at DESC);
CREATE INDEX ix_player_sessions_ip ON player_sessions(started_at) WHERE ip IS NOT NULL;
COMMENT ON TABLE player_sessions IS 'an open row = online now; playtime is their sum; /players, /player show, /graph; ip only 30 days';
"""

_DOWN = """
DROP TABLE player_sessions;
DROP TABLE player_names;
DROP TABLE player_identities;
DROP TABLE players;
DROP TABLE job_runs;
DROP TABLE jobs;
"""


def upgrade() -> None:
    run(_JOBS, _PLAYERS)


def downgrade() -> None:
    run(_DOWN)
