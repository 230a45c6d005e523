"""Seals of the audit log, and whether an org wants to see its rows live.

Revision: 3c9d52f7e08b
Follows: e7f30b96a1c4
"""

# ruff: noqa: E501 - one fact a line, as psql shows it

from migrations.statements import run

revision = "3c9d52f7e08b"
down_revision = "e7f30b96a1c4"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE orgs ADD COLUMN audit_live boolean NOT NULL DEFAULT false;

CREATE TABLE audit_seals (
  org_id uuid NOT NULL,
  number bigint NOT NULL,
  ids int8multirange NOT NULL CHECK (NOT isempty(ids)),
  row_count int NOT NULL CHECK (row_count > 0),
  hash bytea NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  purged_at timestamptz,
  PRIMARY KEY (org_id, number)
);
COMMENT ON TABLE audit_seals IS 'hash over exactly these rows and the previous seal, posted to the audit channel; no FK: seals outlive their rows (purged_at) and their org';
"""

_DOWN = """
DROP TABLE audit_seals;
ALTER TABLE orgs DROP COLUMN audit_live;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
