"""A community in which every command of `test_commands.py` has something to change."""

import copy
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from db.engine import Database
from tests.bot.world import World
from tests.faults.lives import Lives
from tests.wire.discord_server import DiscordServer
from tests.wire.interactions import Interaction
from tests.wire.messages import Message

_ABLE: Final = """
    update hosts set status = 'online', last_heartbeat_at = now(),
           games = '[{"id": "teeworlds", "banBy": ["ip", "steam"], "capabilities":
                      ["start", "stop", "restart", "say", "console", "kick", "ban", "unban", "bans"]}]'"""
_BOUND: Final = """
    insert into role_bindings (org_id, discord_role_id, role_id, created_at)
    select org_id, :role, id, now() from roles where name = 'admin'"""
_TAGGED: Final = """
    insert into server_tags (org_id, server_instance_id, tag)
    select org_id, id, 'eu' from server_instances where id = :server"""
_HOURS: Final = "update pending_confirmations set expires_at = now() + interval '1 hour' where consumed_at is null"


@dataclass
class Stage:
    """What was put there, and the messages with what can be pressed. Whoever acts is no administrator of the guild but
    holds a role, so that permissions are really looked up."""

    discord: DiscordServer
    lives: Lives
    shown: dict[str, Message] = field(default_factory=dict[str, Message])
    form: Interaction | None = None
    """That of the question of a batch, opened and not sent."""

    async def prepare(self, url: str) -> None:
        """As people do it: but for the host and its server, nothing is there that no command has put there."""
        async with self._world(url) as world:
            host, _ = await (await world.found()).pair("basement")
            server = await world.server(host)
            await world.rows(_TAGGED, server=server)
            await world.rows(_ABLE)
            await world.rows(_BOUND, role=self.discord.guild.moderators)
        life = await self.lives.begin(url, stays=True)
        await self._keep("job", "console run", server="EU1", command="status")
        await self._keep(
            "schedule", "schedule add", action="restart", when="every day at 4", server="EU1", name="nightly"
        )
        saved = await self.press("schedule", "Save")
        assert "nightly" in (await saved.answer()).text
        await self._keep("restart", "server restart", server="EU1")
        await self._keep("later", "server restart", server="EU1", when="in 15 minutes", reason="update")
        await self._keep("batch", "batch start", action="restart", tag="eu")
        self.form = await self.press("batch", "Restart on 1")
        await self.form.opened()
        await self._keep("ban", "ban add", player="steam:76561198000000001", reason="griefing")
        await life.kill()
        async with self._world(url) as world:
            await world.rows(_HOURS)

    @asynccontextmanager
    async def _world(self, url: str) -> AsyncGenerator[World]:
        db = Database(url, role="tests", pool_size=2)
        try:
            yield World(db, guild=self.discord.guild.id)
        finally:
            await db.close()

    async def _keep(self, name: str, path: str, /, **options: str) -> None:
        self.shown[name] = await (await self.slash(path, **options)).answer()
        assert "Reference" not in self.shown[name].text, self.shown[name].text

    @property
    def log(self) -> str:
        return str(self.discord.guild.log.id)

    @property
    def moderators(self) -> str:
        return str(self.discord.guild.moderators)

    async def slash(self, path: str, /, **options: str) -> Interaction:
        guild = self.discord.guild
        return await self.discord.slash(guild.moderator, guild.ops, path, **options)

    async def slash_by_a_newcomer(self, path: str, /, **options: str) -> Interaction:
        """Given by somebody whom the bot meets with it: it writes down who they are before anything else."""
        guild = self.discord.guild
        return await self.discord.slash(guild.owner, guild.ops, path, **options)

    async def send_form(self, **values: str) -> Interaction:
        assert self.form is not None
        return await self.discord.submit(self.discord.guild.moderator, self.form, **values)

    async def press(self, name: str, label: str) -> Interaction:
        """On the message as it was when it was shown: a press changes it, and there is one for each life."""
        return await self.discord.press(self.discord.guild.moderator, copy.deepcopy(self.shown[name]), label)


@dataclass(frozen=True)
class Change:
    """A command that changes something: how it is given, the one audit row that it leaves, how to see what it does, and
    what is said to somebody who gives it once more."""

    act: Callable[[Stage], Awaitable[Interaction]]
    action: str
    effect: str
    again: str
    before: frozenset[str] = frozenset()
    """Tables that it writes to before its own transaction, which is no effect of it."""


CHANGES: Final = {
    "server restart": Change(
        lambda stage: stage.press("restart", "Restart"),
        "server.restart",
        "select number from jobs where type = 'SERVER_RESTART'",
        "Restart EU1",
    ),
    "server restart later": Change(
        lambda stage: stage.press("later", "Restart"),
        "server.restart.plan",
        "select p.status from power_plans p join jobs j on j.id = p.job_id join jobs b on b.id = j.after_job_id",
        "Restart EU1 in 15 minutes",
    ),
    "batch start": Change(
        lambda stage: stage.send_form(name="eu"),
        "batch.start",
        "select b.number from job_batches b join jobs j on j.batch_id = b.id",
        "Restart on 1 server",
    ),
    "ban add": Change(
        lambda stage: stage.press("ban", "Ban on 1"),
        "ban.add",
        "select b.number from org_bans b join ban_entries e on e.org_ban_id = b.id",
        "B-1",
    ),
    "job cancel": Change(
        lambda stage: stage.slash_by_a_newcomer("job cancel", job="J-1"),
        "job.cancel",
        "select number from jobs where status = 'cancelled'",
        "J-1 has ended already",
        frozenset({"users", "user_orgs"}),
    ),
    "schedule pause": Change(
        lambda stage: stage.slash("schedule pause", schedule="nightly"),
        "schedule.pause",
        "select name from schedules where not enabled",
        "nightly is paused already",
    ),
    "host rotate-key": Change(
        lambda stage: stage.slash("host rotate-key", host="basement"),
        "host.key.rotate",
        "select name from hosts where key_rotation_requested_at is not null",
        "basement gets a new key",
    ),
    "access bind": Change(
        lambda stage: stage.slash("access bind", role=stage.moderators, preset="viewer", server="EU1"),
        "access.bind",
        "select discord_role_id from role_bindings where server_instance_id is not null",
        "Moderator is bound to viewer on EU1 already",
    ),
    "config set": Change(
        lambda stage: stage.slash("config set", key="audit_live", value="on"),
        "config.set",
        "select name from orgs where audit_live",
        "audit_live",
    ),
    "setup channels": Change(
        lambda stage: stage.slash("setup channels", purpose="alerts", channel=stage.log),
        "setup.channel",
        "select name from notification_channels where purpose = 'alerts'",
        "Messages for alerts go to",
    ),
}
