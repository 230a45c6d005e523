"""Cards of `/setup check`: of nothing, of all that can be wrong at once, and of names that are tricks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import discord

from bot.domain.checks import Finding, Topic, fine, note
from bot.domain.checks_access import AuditFacts, audit, roles
from bot.domain.checks_commands import commands
from bot.domain.checks_discord import (
    Binding,
    ChannelFact,
    GroupFact,
    GuildFacts,
    Overrides,
    RoleFact,
    Target,
    places,
    the_bot,
)
from bot.domain.checks_hosts import HostFact, hosts
from bot.domain.checks_inside import (
    DatabaseFacts,
    FailedTick,
    OutboxFacts,
    Slow,
    StuckJob,
    TickFact,
    database,
    messages,
    work,
)
from bot.ui import checks
from tests.bot.ui import samples

GUILD, ROLE = 2**62, 2**62 + 1


def yes(_permission: str) -> bool:
    return True


def no(_permission: str) -> bool:
    return False


def guild(name: str, rights: int = 0) -> GuildFacts:
    """One in which the bot may do little, with channels and roles of this name."""
    return GuildFacts(
        guild_id=GUILD,
        invite="https://discord.com/oauth2/authorize?client_id=1&scope=bot+applications.commands&permissions=117760",
        rights=rights,
        latency_ms=99_999.0,
        roles={GUILD: RoleFact("@everyone", 0), ROLE: RoleFact(name, 0)},
        channels={n: ChannelFact(name, 1 << 10 | 1 << 28) for n in range(5)},
        groups=[GroupFact(f"command{n}", 1, {"a": "servers.view"}, Overrides()) for n in range(25)],
        registered=False,
        overall=Overrides(everywhere=False),
    )


def targets(name: str) -> list[Target]:
    """Some that are shut, switched off or gone, for purposes and boards."""
    return [
        Target(samples.number(n).hex, kind, "ops" if kind == "channel" else "", name, n, reason)
        for n, (kind, reason) in enumerate([("channel", None), ("panel", name * 3), ("channel", name * 3)] * 4)
    ]


def everything(name: str) -> list[Finding]:
    """As many problems as there are kinds, and more: twenty and then some."""
    long_ago = samples.NOW - timedelta(days=400)
    silent = HostFact(name, "offline", long_ago, True, name, None, None, 0, 9_999)
    late = replace(silent, status="online", skew_sec=1e9, disk_used=0.999, agent_version="0.0.1")
    facts = DatabaseFacts(
        version="18.1",
        embedded=False,
        bytes=2**50,
        connections=100,
        most_connections=100,
        round_trip_ms=999.0,
        skew_sec=1e6,
        revision=None,
        revisions=["a"],
        slow=[Slow(f"noun.verb{n}", 1_000_000, 123_456.7) for n in range(5)],
        orphaned=[f"shard:{n}" for n in range(256)],
    )
    held = Binding(ROLE, name[:64], frozenset({"servers.view"}), everywhere=True)
    public = Binding(GUILD, name[:64], frozenset(f"permission.{n}" for n in range(65)), everywhere=True)
    shown = guild(name)
    return [
        *the_bot(shown),
        *places(shown, targets(name)),
        *commands(shown, [held, public]),
        *roles(shown, [held, public, replace(held, discord_role_id=3)], 0),
        *audit(AuditFacts(long_ago, 9, None), samples.NOW),
        *hosts([silent, late] * 3, "1.0", samples.NOW),
        *messages(OutboxFacts(99, long_ago, 9, name * 9), [StuckJob(9, name, long_ago)] * 3, samples.NOW),
        *work(
            [TickFact("some.tick", timedelta(minutes=1), long_ago, failed=True)],
            [FailedTick("other.tick", 9)],
            samples.NOW,
        ),
        *database(facts, 1),
    ]


def pages(findings: Sequence[Finding]) -> Iterable[discord.ui.LayoutView]:
    """Every page, and one that is no more."""
    for page in (*range(12), 99):
        yield checks.check_card(findings, yes, page=page, done=f"Done. {'x' * 200}")
        yield checks.check_card(findings, no, page=page)


def check_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    yield checks.check_card([], yes)
    yield checks.check_card([fine(topic, "words " * 100) for topic in Topic], yes, done="x" * 200)
    yield checks.check_card([note(Topic.BOT, "what", "remedy")], yes)
    yield from pages(everything(name))
    unsaid = replace(guild(name), rights=None, registered=None, overall=None)
    yield checks.check_card([*the_bot(unsaid), *places(unsaid, targets(name)), *commands(unsaid, [])], yes)
