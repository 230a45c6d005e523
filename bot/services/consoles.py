"""Words into a game: console commands and announcements."""

from typing import Final

from agent import wire
from bot.domain.access import EVERYWHERE
from bot.domain.actors import Actor
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.errors import Conflict, Invalid
from bot.services.confirmations import Done
from bot.services.jobs_enqueue import enqueue
from bot.services.servers import left_out, must_be_able, permitted, where_allowed
from db.engine import Database
from db.queries import cards
from db.queries import servers as rows
from db.queries.cards import ServerCard
from db.uow import Tx

_PERMISSION: Final = "servers.console"


def one_line(text: str, what: str) -> str:
    """The text as one console line.

    Raises:
        Invalid: it is empty, longer than 512 characters, or has a line break, which would be a second command.
    """
    line = text.strip()
    if not line:
        raise Invalid(f"{what} is empty.", "Type what should be sent.")
    if len(line) > wire.CONSOLE_LINE_MAX:
        raise Invalid(
            f"{what} has {len(line)} characters; a console takes {wire.CONSOLE_LINE_MAX}.",
            "Shorten it; nothing was sent.",
        )
    if any(char in line for char in "\r\n\x00"):
        raise Invalid(f"{what} has a line break, which would be a second command.", "Send one line; nothing was sent.")
    return line


class Consoles:
    """Console commands and announcements, as jobs of the server's host."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self, actor: Actor, ref: str, command: str) -> Done:
        """Sends one line to a server's console."""
        line = one_line(command, "The command")
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, _PERMISSION)
            must_be_able(server, "console")
            must_be_up(server)
            job = await enqueue(
                tx,
                type=JobType.CONSOLE_COMMAND,
                server_id=server.id,
                host_id=server.host_id,
                params=wire.ConsoleCommand(command=line),
            )
            tx.audit("console.run", resource=("server", server.id), jobId=str(job.id), number=job.number, command=line)
            return Done(f"Sent to {safe(server.name)}", job.where)

    async def announce(self, actor: Actor, text: str, ref: str = "") -> Done:
        """Says something in one game, or in all that are up."""
        line = one_line(text, "The text")
        async with self._db.uow(actor) as tx:
            servers, denied = await self._audience(tx, ref)
            await rows.lock_for_jobs(tx.session, actor.org, [server.id for server in servers])
            places: list[str] = []
            numbers: list[int] = []
            for server in servers:
                job = await enqueue(
                    tx,
                    type=JobType.ANNOUNCE,
                    server_id=server.id,
                    host_id=server.host_id,
                    params=wire.Announce(text=line),
                )
                places.append(f"{safe(server.name)}: {job.where}")
                numbers.append(job.number)
            tx.audit("announce", resource=("server", servers[0].id if ref else None), text=line, numbers=numbers)
            told = "\n".join(filter(None, [*places, left_out(actor, denied)]))
            return Done("Announced" if len(servers) == 1 else f"Announced on {len(servers)} servers", told)

    async def _audience(self, tx: Tx, ref: str) -> tuple[list[ServerCard], list[ServerCard]]:
        """Where it is said, and where it would be if the actor might."""
        if ref:
            server = await permitted(tx, ref, _PERMISSION)
            must_be_able(server, "say")
            must_be_up(server)
            return [server], []
        found = await cards.servers(tx.session, tx.actor.org, scope=EVERYWHERE, status="running", limit=100)
        able = [server for server in found if server.hears]
        allowed = await where_allowed(tx, [_PERMISSION], [server.id for server in able])
        if not allowed:
            raise Conflict("No server that can announce is up.", "`/server list` shows their state.")
        heard = [server for server in able if server.id in allowed]
        return heard, [server for server in able if server.id not in allowed]


def must_be_up(server: ServerCard) -> None:
    """Refuses what only makes sense with a running game.

    Raises:
        Conflict: with what the server is doing instead.
    """
    if server.host_online and not server.is_up:
        raise Conflict(f"{safe(server.name)} is {server.status}, so nothing was sent.", "`/server start` starts it.")
