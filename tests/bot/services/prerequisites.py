"""A guild and a process that say what a test tells them: for `/setup check` over a real database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot import clock
from bot.domain.actors import Actor
from bot.domain.checks import Finding, State
from bot.domain.checks_discord import ChannelFact, GuildFacts, Overrides, RoleFact
from bot.domain.checks_inside import TickFact
from bot.errors import Invalid
from bot.services.channels import Channels
from bot.services.panels import Panels
from bot.services.setup_check import Process, SetupCheck
from bot.services.setup_mending import SetupMending
from tests.bot.world import World

ALL: Final = (1 << 50) - 1


@dataclass
class SaidGuild:
    """Implements `bot.services.setup_check.Discord`."""

    facts_now: GuildFacts | None
    let_in_to: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    registered: int = 0
    refuses: bool = False

    async def facts(self, guild_id: int, channels: Collection[int]) -> GuildFacts | None:
        if self.facts_now is None:
            return None
        there = {number: fact for number, fact in self.facts_now.channels.items() if number in channels}
        return replace(self.facts_now, guild_id=guild_id, channels=there)

    async def let_in(self, guild_id: int, channel_id: int, reason: str) -> None:
        self._must()
        self.let_in_to.append((channel_id, reason))

    async def register(self) -> None:
        self._must()
        self.registered += 1

    def _must(self) -> None:
        if self.refuses:
            raise Invalid("Discord does not let me do this.", "Do it by hand.")


@dataclass
class ToldDuties:
    """Implements `bot.services.setup_check.Duties`."""

    late: timedelta = timedelta()
    works: bool = True
    done: list[str] = field(default_factory=list[str])

    def facts(self) -> Sequence[TickFact]:
        return [TickFact("bans.expire", timedelta(minutes=1), clock.now() - self.late, failed=False)]

    async def do(self, name: str) -> bool:
        self.done.append(name)
        return self.works


@dataclass
class Prerequisites:
    """The check and what mends, over a world."""

    world: World
    place: Path
    discord: SaidGuild
    duties: ToldDuties = field(default_factory=ToldDuties)
    made: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        db = self.world.db
        roles, duties = ("bot", "http", "workers"), ("alerts", "jobs")
        process = Process("0.1.0", embedded=False, data_dir=self.place, shards=2, roles=roles, duties=duties)
        self.check = SetupCheck(db, self.discord, lambda: self.duties, process)
        self.mending = SetupMending(
            db,
            self.discord,
            lambda: self.duties,
            channels=Channels(db),
            panels=Panels(db),
            make_channel=self._make,
        )

    async def _make(self, actor: Actor, purpose: str) -> None:
        self.made.append(purpose)

    async def look(self, actor: Actor | None = None) -> list[Finding]:
        return await self.check.look(actor or self.world.admin())

    async def problems(self) -> list[str]:
        """The words of what is not fine, without purposes that have no channel."""
        found = [one for one in await self.look() if one.state is not State.FINE]
        return [one.what for one in found if "has no channel" not in one.what]


def guild(world: World, *channels: int) -> GuildFacts:
    """A guild in which all is well, with these channels."""
    return GuildFacts(
        guild_id=world.guild,
        invite="https://discord.com/oauth2/authorize",
        rights=ALL,
        latency_ms=43.0,
        roles={world.guild: RoleFact("@everyone", 0), 501: RoleFact("Boss", ALL)},
        channels={number: ChannelFact(f"channel-{number}", ALL) for number in channels},
        groups=[],
        registered=True,
        overall=Overrides(),
    )
