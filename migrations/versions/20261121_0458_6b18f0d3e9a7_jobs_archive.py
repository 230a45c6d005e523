"""Finished jobs leave the queue: after a week they go into tables of their own, which nothing of the queue has to read.

A job keeps its id and its number there, so what refers to one refers to it still, and no key of the queue can say so.

Revision: 6b18f0d3e9a7
Follows: 2f9c61d8e0b3
"""

# ruff: noqa: E501, S608 - one fact a line, as psql shows it; the columns are those above

from migrations.statements import run

revision = "6b18f0d3e9a7"
down_revision = "2f9c61d8e0b3"
branch_labels = None
depends_on = None

_JOB = """id, org_id, number, batch_id, server_instance_id, host_id, type, payload, is_exclusive, priority, status,
source, schedule_id, macro_id, after_job_id, after_any, dedupe_key, max_attempts, backoff_sec, timeout_sec,
not_before, expires_at, cancel_requested_at, cancelled_by_id, created_by_id, created_at, finished_at"""
_RUN = """id, org_id, job_id, host_id, server_instance_id, attempt, status, is_exclusive, claim_token,
lease_expires_at, started_at, last_progress_at, progress_phase, progress_message, finished_at, duration_ms,
error_message, output, result, log_ref, created_at"""

_TABLES = """
CREATE TABLE jobs_archive (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  number bigint NOT NULL,
  batch_id uuid,
  server_instance_id uuid,
  host_id uuid,
  type text NOT NULL,
  payload jsonb NOT NULL,
  is_exclusive boolean NOT NULL,
  priority smallint NOT NULL,
  status text NOT NULL,
  source text NOT NULL,
  schedule_id uuid,
  macro_id uuid,
  after_job_id uuid,
  after_any boolean NOT NULL,
  dedupe_key text,
  max_attempts int NOT NULL,
  backoff_sec int NOT NULL,
  timeout_sec int NOT NULL,
  not_before timestamptz NOT NULL,
  expires_at timestamptz,
  cancel_requested_at timestamptz,
  cancelled_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  CONSTRAINT uq_jobs_archive_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_jobs_archive_org_number UNIQUE (org_id, number),
  CONSTRAINT fk_jobs_archive_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE SET NULL (server_instance_id),
  CONSTRAINT fk_jobs_archive_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE SET NULL (host_id),
  CHECK (status IN ('success','failed','cancelled','expired'))
);
CREATE INDEX ix_jobs_archive_org_created ON jobs_archive(org_id, created_at DESC);
CREATE INDEX ix_jobs_archive_server_created ON jobs_archive(server_instance_id, created_at DESC) WHERE server_instance_id IS NOT NULL;
CREATE INDEX ix_jobs_archive_host ON jobs_archive(host_id) WHERE host_id IS NOT NULL;
CREATE INDEX ix_jobs_archive_batch ON jobs_archive(batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ix_jobs_archive_finished ON jobs_archive(finished_at);
COMMENT ON TABLE jobs_archive IS 'finished jobs that left the queue; all_jobs has both';

CREATE TABLE job_runs_archive (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL,
  job_id uuid NOT NULL,
  host_id uuid,
  server_instance_id uuid,
  attempt int NOT NULL,
  status text NOT NULL,
  is_exclusive boolean NOT NULL,
  claim_token uuid NOT NULL,
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
  created_at timestamptz NOT NULL,
  CONSTRAINT uq_job_runs_archive_attempt UNIQUE (job_id, attempt),
  CONSTRAINT fk_job_runs_archive_job FOREIGN KEY (job_id, org_id) REFERENCES jobs_archive(id, org_id) ON DELETE CASCADE
);
COMMENT ON TABLE job_runs_archive IS 'the attempts at archived jobs; all_job_runs has both';
"""

_LINKS = """
ALTER TABLE schedules DROP CONSTRAINT fk_schedules_last_job;
ALTER TABLE power_plans DROP CONSTRAINT fk_power_plans_job;
ALTER TABLE ban_entries DROP CONSTRAINT fk_ban_entries_job;
ALTER TABLE mod_deployments DROP CONSTRAINT fk_mod_deployments_job;
ALTER TABLE backups DROP CONSTRAINT fk_backups_job;
DROP INDEX ix_job_runs_offered;
CREATE INDEX ix_job_runs_live ON job_runs(host_id) WHERE status IN ('claimed','running');
"""

_VIEWS = f"""
CREATE VIEW all_jobs AS
  SELECT {_JOB}, false AS archived FROM jobs
  UNION ALL
  SELECT {_JOB}, true FROM jobs_archive;
CREATE VIEW all_job_runs AS
  SELECT {_RUN} FROM job_runs
  UNION ALL
  SELECT {_RUN} FROM job_runs_archive;
"""

_ACTIONS = """
CREATE OR REPLACE VIEW server_actions AS
  SELECT j.org_id, j.server_instance_id, j.created_by_id AS user_id, j.id AS job_id, j.type AS action, j.status AS outcome, j.payload AS details, j.created_at
    FROM {jobs} j WHERE j.server_instance_id IS NOT NULL
  UNION ALL
  SELECT a.org_id, s.id, a.actor_id, NULL, a.action, a.outcome, a.details, a.created_at
    FROM server_instances s JOIN audit_logs a ON a.org_id = s.org_id AND a.resource_type = 'server' AND a.resource_id = s.id::text
   WHERE NOT a.details ? 'jobId'
"""

_BACK = f"""
INSERT INTO jobs ({_JOB})
  SELECT {_JOB} FROM (
    SELECT a.id, a.org_id, a.number, b.id AS batch_id, a.server_instance_id, a.host_id, a.type, a.payload, a.is_exclusive, a.priority, a.status, a.source,
           s.id AS schedule_id, m.id AS macro_id, NULL::uuid AS after_job_id, a.after_any, a.dedupe_key, a.max_attempts, a.backoff_sec, a.timeout_sec,
           a.not_before, a.expires_at, a.cancel_requested_at, a.cancelled_by_id, a.created_by_id, a.created_at, a.finished_at
      FROM jobs_archive a LEFT JOIN job_batches b ON b.id = a.batch_id LEFT JOIN schedules s ON s.id = a.schedule_id
           LEFT JOIN command_macros m ON m.id = a.macro_id) old;
INSERT INTO job_runs ({_RUN})
  SELECT {_RUN} FROM (
    SELECT a.id, a.org_id, a.job_id, h.id AS host_id, s.id AS server_instance_id, a.attempt, a.status, a.is_exclusive, a.claim_token, a.lease_expires_at,
           a.started_at, a.last_progress_at, a.progress_phase, a.progress_message, a.finished_at, a.duration_ms, a.error_message, a.output, a.result,
           a.log_ref, a.created_at
      FROM job_runs_archive a LEFT JOIN hosts h ON h.id = a.host_id LEFT JOIN server_instances s ON s.id = a.server_instance_id) old;
UPDATE schedules r SET last_run_job_id = NULL WHERE last_run_job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.last_run_job_id);
UPDATE power_plans r SET job_id = NULL WHERE job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.job_id);
UPDATE ban_entries r SET last_sync_job_id = NULL WHERE last_sync_job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.last_sync_job_id);
UPDATE mod_deployments r SET job_id = NULL WHERE job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.job_id);
UPDATE backups r SET job_id = NULL WHERE job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.job_id);
"""

_DOWN = """
DROP VIEW all_job_runs;
DROP VIEW all_jobs;
DROP TABLE job_runs_archive;
DROP TABLE jobs_archive;
ALTER TABLE schedules ADD CONSTRAINT fk_schedules_last_job FOREIGN KEY (last_run_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (last_run_job_id);
ALTER TABLE power_plans ADD CONSTRAINT fk_power_plans_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (job_id);
ALTER TABLE ban_entries ADD CONSTRAINT fk_ban_entries_job FOREIGN KEY (last_sync_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (last_sync_job_id);
ALTER TABLE mod_deployments ADD CONSTRAINT fk_mod_deployments_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (job_id);
ALTER TABLE backups ADD CONSTRAINT fk_backups_job FOREIGN KEY (job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (job_id);
DROP INDEX ix_job_runs_live;
CREATE INDEX ix_job_runs_offered ON job_runs(host_id) WHERE status = 'claimed';
"""


def upgrade() -> None:
    run(_TABLES, _LINKS, _VIEWS, _ACTIONS.format(jobs="all_jobs"))


def downgrade() -> None:
    run(_ACTIONS.format(jobs="jobs"), _BACK, _DOWN)
