"""The entry of Alembic: on the connection that `db.migrate` gives, else on GAMEKEEPER_DATABASE_URL."""

import asyncio
import os
from typing import cast

from alembic import context
from sqlalchemy import Connection

from db.migrate import connected, is_ours
from db.models import Base


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=is_ours,
        compare_server_default=True,
        # short locks: a step that waits holds nothing of the steps before it
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line() -> None:
    async with connected(os.environ["GAMEKEEPER_DATABASE_URL"]) as connection:
        await connection.run_sync(run)


def main() -> None:
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
    elif given := cast("Connection | None", context.config.attributes.get("connection")):
        run(given)
    else:
        asyncio.run(run_from_command_line())


main()
