"""Judges who may do what in a guild, and whether the audit log is looked after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.checks import Finding, Topic, broken, fine, note
from bot.domain.checks_discord import Binding, GuildFacts
from bot.domain.durations import rough
from bot.domain.permissions import PRESETS
from bot.domain.words import count, joined, safe

LEADS: Final = "users.permissions"
"""Whoever has it can give everything else."""
SEALED_WITHIN: Final = timedelta(minutes=15)
"""The audit log is sealed every minute; a seal may wait for transactions that are still open."""
VERIFIED_WITHIN: Final = timedelta(days=30)
_EVERYBODY: Final = next(preset.permissions for preset in PRESETS if preset.name == "player")


@dataclass(frozen=True)
class AuditFacts:
    """How the audit log of an org is kept."""

    unsealed_since: datetime | None
    """The oldest row that no seal covers; None: there is none."""
    seals: int
    verified_at: datetime | None
    """When somebody last asked whether the seals hold."""


def roles(guild: GuildFacts | None, bindings: Sequence[Binding], explicit_leads: int) -> Iterator[Finding]:
    """Is there an administrator, is nobody let in who should not be, and are the roles still there?"""
    there = [binding for binding in bindings if guild is None or binding.discord_role_id in guild.roles]
    everyone = guild.guild_id if guild else 0
    leads = [one for one in there if one.everywhere and LEADS in one.permissions and one.discord_role_id != everyone]
    if leads or explicit_leads:
        names = joined(sorted({safe(one.role, 40) for one in leads}), 100) or "single members"
        yield fine(Topic.ROLES, f"administrators: {names}")
    else:
        yield note(
            Topic.ROLES,
            "No role makes anybody administrator: only the owner and Discord's administrators may do everything.",
            "`/setup start` gives a Discord role the role admin.",
        )
    if gone := sorted({safe(one.role, 40) for one in bindings if one not in there}):
        yield note(
            Topic.ROLES,
            f"Roles were given to Discord roles that are gone: {joined(gone, 200)}.",
            "`/setup start` gives them to others; what is gone lets nobody in.",
        )
    yield from _everybody([one for one in bindings if one.discord_role_id == everyone])


def _everybody(bindings: Sequence[Binding]) -> Iterator[Finding]:
    held = frozenset[str]().union(*(binding.permissions for binding in bindings))
    if more := sorted(held - _EVERYBODY):
        yield broken(
            Topic.ROLES,
            f"Everybody has `{'`, `'.join(more[:5])}`{f' and {len(more) - 5} more' if len(more) > 5 else ''}.",
            "`/access show` names the role that every member has: take it from that one.",
        )
    elif held:
        yield fine(Topic.ROLES, "everybody sees servers and who is online")
    else:
        yield fine(Topic.ROLES, "who has no role sees nothing")


def audit(facts: AuditFacts, now: datetime) -> Iterator[Finding]:
    """Is every row covered by a seal, and did anybody compare?"""
    if facts.unsealed_since is not None and now - facts.unsealed_since > SEALED_WITHIN:
        yield broken(
            Topic.AUDIT,
            f"Rows of the last {rough(now - facts.unsealed_since)} are not sealed.",
            "See background work below and the bot's log: what is not sealed could be changed unseen.",
        )
    elif facts.seals:
        yield fine(Topic.AUDIT, f"sealed up to now, {count(facts.seals, 'seal')}")
    else:
        yield fine(Topic.AUDIT, "the first seal comes within minutes")
    if facts.seals and (facts.verified_at is None or now - facts.verified_at > VERIFIED_WITHIN):
        since = "yet" if facts.verified_at is None else f"for {rough(now - facts.verified_at)}"
        yield fine(Topic.AUDIT, f"not checked {since}: `/audit verify`")
    elif facts.verified_at is not None:
        yield fine(Topic.AUDIT, f"last checked {rough(now - facts.verified_at)} ago")
