"""What the application remembers about itself: the registered command tree, the fingerprint of its secret keys."""

from typing import Any

from bot import clock
from bot.domain.actors import system
from db.engine import Database
from db.queries import operations


class State:
    """Key-value rows of `app_state`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._command_ids: dict[str, int] = {}

    async def get(self, key: str) -> Any:
        async with self._db.read() as session:
            return await operations.get_state(session, key)

    async def set(self, key: str, value: Any) -> None:
        async with self._db.uow(system("state")) as tx:
            await operations.set_state(tx.session, key, value, clock.now())

    async def tree_hash(self, application: int) -> str | None:
        """The hash of the command tree that is registered with Discord."""
        tree = await self.get(f"tree:{application}")
        self._command_ids = tree["ids"] if tree else {}
        return tree["hash"] if tree else None

    async def remember_tree(self, application: int, digest: str, ids: dict[str, int]) -> None:
        self._command_ids = ids
        await self.set(f"tree:{application}", {"hash": digest, "ids": ids})

    def mention(self, command: str) -> str:
        """`/server restart` as something that can be clicked in Discord."""
        number = self._command_ids.get(command.split(" ", 1)[0])
        return f"</{command}:{number}>" if number else f"`/{command}`"
