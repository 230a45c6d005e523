"""Runs the SQL of a step."""

from alembic import op


def run(*scripts: str, whole: bool = False) -> None:
    """Runs scripts statement by statement; `whole` for a function, whose body has semicolons of its own.

    Nobody waits for our locks longer than two seconds, and we for none: the step fails and can be repeated."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    for script in scripts:
        for statement in [script] if whole else script.split(";\n"):
            if statement.strip():
                op.execute(statement.strip())
