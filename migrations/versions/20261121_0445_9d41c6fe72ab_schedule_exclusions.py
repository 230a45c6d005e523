"""Servers that a schedule of a tag leaves out, because whoever saved it might not do it there.

Revision: 9d41c6fe72ab
Follows: c07a6e3b95d1
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "9d41c6fe72ab"
down_revision = "c07a6e3b95d1"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE schedule_exclusions (
  org_id uuid NOT NULL,
  schedule_id uuid NOT NULL,
  server_instance_id uuid NOT NULL,
  PRIMARY KEY (schedule_id, server_instance_id),
  CONSTRAINT fk_schedule_exclusions_schedule FOREIGN KEY (schedule_id, org_id) REFERENCES schedules(id, org_id) ON DELETE CASCADE,
  CONSTRAINT fk_schedule_exclusions_server FOREIGN KEY (server_instance_id, org_id) REFERENCES server_instances(id, org_id) ON DELETE CASCADE
);
CREATE INDEX ix_schedule_exclusions_server ON schedule_exclusions(server_instance_id);
COMMENT ON TABLE schedule_exclusions IS 'servers that a schedule of a tag leaves out: whoever saved or resumed it might not do it there';
"""


def upgrade() -> None:
    run(_TABLE)


def downgrade() -> None:
    run("DROP TABLE schedule_exclusions")
