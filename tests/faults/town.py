"""Everything at once: a Discord on a wire, the real bot, a real agent, a real game, each a process of its own."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from agent import wire
from agent.host import game_report
from agent.http import Http
from bot.errors import Unavailable
from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.failures import translated
from games.catalog import load_template
from tests.agent.harness import HostMachine, free_port
from tests.faults.game import Game, write_template
from tests.wire.bot import BotProcess
from tests.wire.discord_server import DiscordServer
from tests.wire.guild import Channel
from tests.wire.interactions import Interaction
from tests.wire.messages import Message
from tests.wire.waiting import eventually

ENDS: Final = ("done", "failed", "cancelled", "expired")
_ASKED: Final = "a.actor_type = 'user'"
_ENDED: Final = "a.action in ('job.finish', 'job.lost', 'job.expire')"
_AUDITED: Final = """
    select j.number, count(*) from jobs j
      join audit_logs a on a.details->'number' = to_jsonb(j.number) or a.details->'numbers' @> to_jsonb(j.number)"""
_TOLD: Final = (
    "select number, type, status, not_before from jobs",
    "select job_id, attempt, status, started_at, finished_at, error_message from job_runs",
    "select id, op, event_type, status, next_attempt_at, locked_until, sent_at, last_error from notification_jobs",
    "select action, outcome, interaction_id, details from audit_logs",
    "select now()",
)
_PAIR: Final = re.compile(r"gamekeeper-agent pair \S+ (\S+)")
_JOB: Final = re.compile(r"`J-(\d+)`")


class Town:
    """A guild whose owner types in #ops, a host with a server, and what a test asks of them."""

    def __init__(self, place: Path, discord: DiscordServer, database_url: str) -> None:
        self.place, self.discord, self.database_url = place, discord, database_url
        self.port = free_port()
        self.templates = place / "templates"
        self.bots: list[BotProcess] = []
        self.bot = self.another_bot("bot", self.port)
        self.host = HostMachine(place / "host", self.bot.url)
        self.host.own_process = True
        self.owner, self.ops = discord.guild.owner, discord.guild.ops
        self.game = Game(self.host.servers / "navezgane")
        self.server = ""
        self._db = Database(database_url or self.own_postgres.dsn(), role="tests", pool_size=2)

    @property
    def own_postgres(self) -> EmbeddedPostgres:
        """The one that the bot brings where it is given no other; not ours to start or to stop."""
        return EmbeddedPostgres(self.place / "postgres")

    async def kill_postgres(self) -> None:
        """kill -9 of the bot's own, as soon as there is one."""

        def killed() -> bool:
            try:
                pid = int((self.place / "postgres/postmaster.pid").read_text().split()[0])
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, FileNotFoundError, IndexError):  # it is just being started again
                return False
            return True

        await eventually(killed)

    def another_bot(self, name: str, port: int) -> BotProcess:
        """One more process on the same database and data directory."""
        made = BotProcess(self.place, self.discord, self.database_url, port=port, name=name)
        self.bots.append(made)
        return made

    async def clean_up(self) -> None:
        await self.host.clean_up()
        for bot in self.bots:
            await bot.clean_up()
        await self._db.close()

    # ----------------------------------------------------------------------------------------------- its history

    async def found(self) -> "Town":
        """From nothing to a server that runs, all of it as people do it."""
        await self.bot.start()
        await self.pair()
        await self.add("Navezgane")
        await self.succeeds(await self.command("server start", server=self.server))
        return self

    async def pair(self) -> None:
        """A host, let in with its one-time token, and its agent."""
        write_template(self.templates)
        self.host.configure(templates='["7dtd"]', template_dirs=f'["{self.templates}"]')
        shown = await (await self.command("host add", name="basement")).answer()
        found = _PAIR.search(shown.text)
        assert found, shown.text
        async with Http(self.bot.url) as http:
            games = [game_report(load_template(self.templates / "7dtd.yaml"))]
            request = wire.PairRequest(token=found[1], hostname="box", agent_version="1", games=games)
            answer = await http.call("POST", "pair", wire.PairAnswer, request)
        self.host.give_identity(answer.host_id, answer.agent_key)
        await self.host.start()

    async def add(self, name: str) -> None:
        """A server in the directory that is there already."""
        ((host,),) = await self.rows("select id from hosts")
        opened = await self.command("fleet add", host=str(host), game="7dtd", name=name)
        await opened.opened()
        await self.succeeds(await self.discord.submit(self.owner, opened))
        ((self.server,),) = await self.rows("select id::text from server_instances where name = :name", name=name)

    # ------------------------------------------------------------------------------------------- what people do

    async def command(self, path: str, /, **options: str) -> Interaction:
        """The owner types a command in #ops."""
        return await self.discord.slash(self.owner, self.ops, path, **options)

    async def announce(self, words: str, channel: Channel | None = None) -> Interaction:
        """The owner says something in the game; its message comes to where the command was typed."""
        options = {"text": words, "server": self.server}
        return await self.discord.slash(self.owner, channel or self.ops, "announce", **options)

    async def restart(self) -> Interaction:
        """Types the command and presses the button; what is returned is the press."""
        asked = await (await self.command("server restart", server=self.server)).answer()
        return await self.discord.press(self.owner, asked, "Restart")

    # ------------------------------------------------------------------------------------------- what is to see

    def cards(self, number: int) -> list[Message]:
        """The messages about a job."""
        shown = [message for channel in self.discord.guild.channels for message in self.discord.messages(channel)]
        return [message for message in shown if f"`J-{number}` · " in message.text]

    async def card(self, number: int, *words: str, seconds: float = 20.0) -> Message:
        """The message about a job, once it shows these words."""

        def shown() -> Message | None:
            return next((one for one in self.cards(number) if all(word in one.text for word in words)), None)

        return await eventually(shown, seconds, lambda: f"{words} in {[one.text for one in self.cards(number)]}")

    async def number(self, asked: Interaction) -> int:
        """Of the job that an answer names."""
        answer = await asked.answer()
        found = _JOB.search(answer.text)
        assert found, answer.text
        return int(found[1])

    async def succeeds(self, asked: Interaction) -> int:
        """Waits until the job is done: its message says so up to two seconds later. The job's number."""
        number = await self.number(asked)
        await eventually(
            lambda: self._done(number), 30.0, lambda: f"J-{number} in {[card.said for card in self.cards(number)]}"
        )
        return number

    async def _done(self, number: int) -> bool:
        return (await self.jobs())[number] == "success"

    async def ended(self, asked: Interaction, *ends: str, seconds: float = 30.0) -> int:
        """Waits until the message of the job that an answer names shows one of these ends; the job's number."""
        number = await self.number(asked)
        await self.end_of(number, *ends, seconds=seconds)
        return number

    async def run_is(self, number: int, status: str) -> None:
        """Waits until the newest run of a job has this status."""
        await self._run_has(number, "status", status)

    async def reaches(self, number: int, phase: str) -> None:
        """Waits until the newest run of a job has reported this step."""
        await self._run_has(number, "progress_phase", phase)

    async def _run_has(self, number: int, column: str, value: str) -> None:
        query = f"select r.{column} from job_runs r join jobs j on j.id = r.job_id where j.number = :number"

        async def look() -> bool:
            return await self.rows(f"{query} order by r.attempt desc limit 1", number=number) == [(value,)]

        await eventually(look, 20.0, lambda: f"a run of J-{number} whose {column} is {value}")

    async def end_of(self, number: int, *ends: str, seconds: float = 30.0) -> str:
        """Waits until a job's message shows one of these ends (any, if none is named), and says which."""

        def shown() -> str | None:
            texts = [card.text for card in self.cards(number)]
            return next((end for end in ends or ENDS for text in texts if f"· **{end}**" in text), None)

        return await eventually(shown, seconds, lambda: f"J-{number} in {[card.said for card in self.cards(number)]}")

    # ---------------------------------------------------------------------------------------- what has to be so

    async def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the database says, as soon as it says something."""

        end = time.monotonic() + 20.0
        while True:
            try:
                with translated():
                    async with self._db.engine.begin() as connection:
                        result = await connection.execute(text(statement), values)
                        return [tuple(row) for row in result] if result.returns_rows else []
            except Unavailable:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)

    async def all_ended(self, seconds: float = 30.0) -> None:
        """Waits until no job is waiting or under way."""

        async def look() -> bool:
            return not await self.rows("select 1 from jobs where status in ('held', 'queued', 'running')")

        await eventually(look, seconds, lambda: "the end of every job")

    async def jobs(self) -> dict[int, str]:
        """The status of every job by its number."""
        return dict(await self.rows("select number, status from jobs"))

    async def server_is(self, status: str) -> None:
        """Waits until the host has reported this of the server."""

        async def look() -> bool:
            return await self.rows("select status from server_instances") == [(status,)]

        await eventually(look, 20.0, lambda: f"a server that is {status}")

    async def whole(self) -> None:
        """All that must hold after any fault: ends, messages and audit rows, each of them exactly once."""
        await eventually(self._outbox_is_empty, 25.0, lambda: "an empty outbox")
        jobs = await self.jobs()
        assert set(jobs.values()) <= {"success", "failed", "cancelled", "expired"}, jobs
        for number, status in jobs.items():
            (card,) = self.cards(number)
            words = {"success": "done"}.get(status, status)
            assert f"· **{words}**" in card.text, (number, status, card.said)
        for rows in (_ASKED, _ENDED):
            assert dict(await self.audited(rows)) == dict.fromkeys(jobs, 1), rows

    async def audited(self, which: str) -> list[tuple[int, int]]:
        """How many audit rows of this kind each job has."""
        return [(number, count) for number, count in await self.rows(f"{_AUDITED} where {which} group by j.number")]

    async def _outbox_is_empty(self) -> bool:
        waiting = await self.rows("select id from notification_jobs where status in ('pending', 'processing')")
        return not waiting

    async def tell(self) -> None:
        """Prints what pytest shows of a test that failed."""
        for bot in self.bots:
            print(f"---- {bot.log_file.name}\n{bot.log()}")
        print(f"---- agent\n{self.host.log()}\n---- rows")
        for statement in _TOLD:
            print(*await self.rows(statement), sep="\n")

    async def a_minute_passes(self) -> None:
        """For the outbox: what a process that died had begun to send may be begun by another one."""
        await self.rows("update notification_jobs set locked_until = now() where status = 'processing'")


@asynccontextmanager
async def founded(town: Town) -> AsyncGenerator[Town]:
    """A town with a server that runs. At the end it tells what pytest shows of a failure, and nothing of it runs on."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(town.clean_up)
        stack.push_async_callback(town.tell)
        yield await town.found()
