"""Schedules: when something is done, and what; a job knows the one that it comes from.

Revision: 91d0c3e6f8b5
Follows: 2f7c5a18e3b4
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "91d0c3e6f8b5"
down_revision = "2f7c5a18e3b4"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE schedules (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs(id) ON DELETE CASCADE,
  server_instance_id uuid,
  tag text CHECK (tag ~ '^[a-z0-9_-]{1,32}$'),
  name text NOT NULL,
  description text,
  cron_expression text NOT NULL,
  timezone text NOT NULL DEFAULT 'UTC',
  enabled boolean NOT NULL DEFAULT true,
  paused_until timestamptz,
  skip_next int NOT NULL DEFAULT 0 CHECK (skip_next >= 0),
  only_when_online boolean NOT NULL DEFAULT false,
  only_when_empty boolean NOT NULL DEFAULT false,
  overlap text NOT NULL DEFAULT 'skip' CHECK (overlap IN ('skip','queue')),
  catch_up boolean NOT NULL DEFAULT false,
  execution_window_start time,
  execution_window_end time,
  max_retries int NOT NULL DEFAULT 2 CHECK (max_retries BETWEEN 0 AND 10),
  backoff_sec int NOT NULL DEFAULT 30 CHECK (backoff_sec BETWEEN 1 AND 3600),
  last_run_at timestamptz,
  next_run_at timestamptz,
  last_run_status text CHECK (last_run_status IN ('enqueued','success','failed','skipped','skipped_busy','skipped_window','skipped_offline',
    'skipped_players','skipped_missed','scheduler_failed')),
  last_run_job_id uuid,
  run_count int NOT NULL DEFAULT 0,
  failure_count int NOT NULL DEFAULT 0,
  consecutive_failures int NOT NULL DEFAULT 0,
  created_by_id uuid REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_schedules_id_org UNIQUE (id, org_id),
  CONSTRAINT uq_schedules_org_name UNIQUE (org_id, name),
  CONSTRAINT fk_schedules_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE,
  CHECK (num_nonnulls(server_instance_id, tag) = 1),
  CHECK ((execution_window_start IS NULL) = (execution_window_end IS NULL))
);
CREATE INDEX ix_schedules_server ON schedules(server_instance_id) WHERE server_instance_id IS NOT NULL;
CREATE INDEX ix_schedules_due ON schedules(next_run_at) WHERE enabled;
COMMENT ON TABLE schedules IS 'when; what is in schedule_tasks';

CREATE TABLE schedule_tasks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  schedule_id uuid NOT NULL REFERENCES schedules(id) ON DELETE CASCADE,
  sequence int NOT NULL CHECK (sequence >= 1),
  job_type text NOT NULL,
  payload jsonb NOT NULL DEFAULT '{}',
  time_offset_sec int NOT NULL DEFAULT 0 CHECK (time_offset_sec BETWEEN 0 AND 3600),
  continue_on_failure boolean NOT NULL DEFAULT false,
  CONSTRAINT uq_schedule_tasks_seq UNIQUE (schedule_id, sequence)
);
COMMENT ON TABLE schedule_tasks IS 'the steps of a schedule (warn, backup, restart), at least one; a run makes one chain of jobs of them';
"""

_LINKS = """
CREATE INDEX ix_schedules_last_job ON schedules(last_run_job_id) WHERE last_run_job_id IS NOT NULL;
ALTER TABLE schedules ADD CONSTRAINT fk_schedules_last_job FOREIGN KEY (last_run_job_id, org_id) REFERENCES jobs(id, org_id) ON DELETE SET NULL (last_run_job_id);
ALTER TABLE jobs ADD COLUMN schedule_id uuid;
ALTER TABLE jobs ADD CONSTRAINT fk_jobs_schedule FOREIGN KEY (schedule_id, org_id) REFERENCES schedules(id, org_id) ON DELETE SET NULL (schedule_id);
CREATE INDEX ix_jobs_schedule ON jobs(schedule_id) WHERE schedule_id IS NOT NULL;
"""

_DOWN = """
ALTER TABLE jobs DROP COLUMN schedule_id;
DROP TABLE schedule_tasks;
DROP TABLE schedules;
"""


def upgrade() -> None:
    run(_TABLES, _LINKS)


def downgrade() -> None:
    run(_DOWN)
