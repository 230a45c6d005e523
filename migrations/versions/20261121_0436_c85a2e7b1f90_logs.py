"""Log records, one partition per UTC day, and how far each stream has come.

Revision: c85a2e7b1f90
Follows: 91d0c3e6f8b5
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "c85a2e7b1f90"
down_revision = "91d0c3e6f8b5"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE logs (
  id bigint GENERATED ALWAYS AS IDENTITY,
  org_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  ts timestamptz NOT NULL,
  level text NOT NULL CHECK (level IN ('debug','info','warn','error')),
  message text NOT NULL,
  meta_json jsonb,
  trace_id text,
  request_id text,
  received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (ts);
CREATE INDEX ix_logs_org_ts ON logs(org_id, ts DESC, id DESC);
COMMENT ON TABLE logs IS 'log lines of games; when a day closes its partition gets GIN (org_id, to_tsvector(''simple'', message)); no key: (ts, id) is unique by construction';

CREATE TABLE log_cursors (
  org_id uuid NOT NULL,
  host_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  stream text NOT NULL CHECK (stream IN ('log','event')),
  generation bigint NOT NULL DEFAULT 0,
  last_seq bigint NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (host_id, server_instance_id, stream),
  CONSTRAINT fk_log_cursors_host FOREIGN KEY (host_id, org_id) REFERENCES hosts(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_log_cursors_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_log_cursors_server ON log_cursors(server_instance_id);
COMMENT ON TABLE log_cursors IS 'exactly-once streaming: generation = start time of the stream in ms, a batch must have seq = last_seq + 1; written in the transaction of the COPY';
"""

_DOWN = """
DROP TABLE log_cursors;
DROP TABLE logs;
"""


def upgrade() -> None:
    run(_TABLES)


def downgrade() -> None:
    run(_DOWN)
