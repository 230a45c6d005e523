"""Judges our rights in a guild and in its channels; and what else Discord says of us, which is judged beside."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.checks import Finding, Fix, Mend, Topic, broken, fine, note
from bot.domain.words import joined, safe

ADMINISTRATOR: Final = 1 << 3

NEEDED: Final[Mapping[str, int]] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Embed Links": 1 << 14,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
}
"""Names as Discord shows them, and their bits: what the invitation asks for."""
WANTED: Final[Mapping[str, int]] = {"Manage Channels": 1 << 4, "Manage Roles": 1 << 28}
"""Without them the bot neither makes channels nor lets itself into them; all else works."""
MANAGE_CHANNELS, MANAGE_ROLES = WANTED.values()
VITAL: Final = ("View Channels", "Send Messages")
"""Without these nothing appears in a channel."""
FAR_MS: Final = 1000.0
"""Milliseconds of the gateway from which on commands fail now and then."""
INVITE_BITS: Final = sum(NEEDED.values())
PURPOSES: Final[Mapping[str, str]] = {
    "ops": "progress is shown where a command was typed, staff elsewhere sees none of it",
    "alerts": "nobody hears of a host or server that is down",
    "bans": "bans are announced to nobody",
    "audit": "nobody hears of a channel that was switched off",
    "players": "players hear of nothing",
}
"""Purposes that something is sent to, and what follows where they have no channel."""


@dataclass(frozen=True)
class RoleFact:
    """A Discord role."""

    name: str
    permissions: int


@dataclass(frozen=True)
class ChannelFact:
    """A channel that is there."""

    name: str
    rights: int
    """What the bot may do in it, as Discord's bits."""


@dataclass(frozen=True)
class GroupFact:
    """A top-level command of ours."""

    name: str
    default: int
    """Discord permissions that somebody needs to see it, unless the guild has changed that."""
    leaves: Mapping[str, str]
    """Each of its commands and our permission for it; empty: everybody may."""
    overrides: "Overrides"


@dataclass(frozen=True)
class Overrides:
    """What a guild has set for a command, or for the whole bot, in its settings. True: shown, False: hidden."""

    roles: Mapping[int, bool] = field(default_factory=dict[int, bool])
    everywhere: bool | None = None
    """In all channels that have no setting of their own."""


@dataclass(frozen=True, kw_only=True)
class GuildFacts:
    """What Discord says of a guild and of us in it."""

    guild_id: int
    invite: str
    rights: int | None
    """What the bot may do, as Discord's bits; None: Discord did not say."""
    latency_ms: float | None
    """Until Discord answers a heartbeat of the connection; None: none was answered yet."""
    roles: Mapping[int, RoleFact]
    channels: Mapping[int, ChannelFact]
    """Those that were asked for and are there."""
    groups: Sequence[GroupFact]
    registered: bool | None
    """Are the commands that Discord has those of this version? None: it did not say."""
    overall: Overrides | None
    """For the whole bot; None: Discord did not say what is set for commands."""


@dataclass(frozen=True)
class Target:
    """A place that the bot posts in: a channel for a purpose, or a board."""

    id: str
    """Of our row."""
    kind: str
    """`channel` or `panel`."""
    purpose: str
    name: str
    channel_id: int
    disabled_reason: str | None


@dataclass(frozen=True)
class Binding:
    """Members with a Discord role have a role of ours."""

    discord_role_id: int
    role: str
    permissions: frozenset[str]
    everywhere: bool
    """For the whole org, and not for single servers."""


def unknown(topic: Topic, what: str) -> Finding:
    """Discord did not answer, which is no news about the guild."""
    return note(topic, f"Discord did not say {what}.", "Press Check again in a minute.")


def lacking(rights: int, wanted: Mapping[str, int] = NEEDED) -> list[str]:
    """The names of the rights that are missing."""
    return [name for name, bit in wanted.items() if not rights & (bit | ADMINISTRATOR)]


def the_bot(guild: GuildFacts) -> Iterator[Finding]:
    """The invitation and what it brought, and how far away Discord is."""
    yield from _rights(guild)
    if guild.latency_ms is None:
        return
    if guild.latency_ms >= FAR_MS:
        what = f"Discord is {guild.latency_ms:.0f} ms away, and answers have to reach it within 3 seconds."
        yield note(
            Topic.BOT, what, "Look at the network of the machine that runs the bot, and at Discord's status page."
        )
    else:
        yield fine(Topic.BOT, f"Discord is {guild.latency_ms:.0f} ms away")


def _rights(guild: GuildFacts) -> Iterator[Finding]:
    if guild.rights is None:
        yield unknown(Topic.BOT, "what the bot may do here")
        return
    missing = lacking(guild.rights)
    link = f"[The invitation link]({guild.invite}) asks for it"
    if missing:
        judge = broken if set(missing) & set(VITAL) else note
        yield judge(
            Topic.BOT,
            f"The bot lacks {joined(missing)}.",
            f"{link}; or give it to the bot's role in Server Settings, Roles.",
        )
    else:
        yield fine(Topic.BOT, f"it has [all it was invited with]({guild.invite})")
    if extra := lacking(guild.rights, WANTED):
        yield fine(Topic.BOT, f"it makes no channels and rights by itself (no {joined(extra)})")


def places(guild: GuildFacts, targets: Sequence[Target]) -> Iterator[Finding]:
    """Every channel that something is sent to, and the purposes that have none."""
    used = {target.channel_id: [one for one in targets if one.channel_id == target.channel_id] for target in targets}
    seen = [list(_place(guild, channel_id, here)) for channel_id, here in used.items()]
    for findings in seen:
        yield from findings
    good = sum(not findings for findings in seen)
    if good and guild.rights is not None:
        yield fine(Topic.CHANNELS, f"{good} of {len(seen)} can be posted in")
    yield from _unserved(guild, {target.purpose for target in targets if target.kind == "channel"})


def _unserved(guild: GuildFacts, served: Collection[str]) -> Iterator[Finding]:
    for purpose, consequence in PURPOSES.items():
        if purpose not in served:
            fix = Fix(Mend.MAKE, "Make a channel", purpose) if _may_make(guild) else None
            yield note(
                Topic.AUDIT if purpose == "audit" else Topic.CHANNELS,
                f"**{purpose}** has no channel: {consequence}.",
                f"`/setup channels` chooses one{'' if fix else '; with Manage Channels the bot makes one'}.",
                fix,
            )


def _may_make(guild: GuildFacts) -> bool:
    return guild.rights is not None and not lacking(guild.rights, {"": MANAGE_CHANNELS})


def _place(guild: GuildFacts, channel_id: int, targets: Sequence[Target]) -> Iterator[Finding]:
    """One channel, whatever goes there: a button that lets the bot in stands once."""
    there = guild.channels.get(channel_id)
    if there is None:
        yield from (_gone(guild, target) for target in targets)
        return
    shown = f"<#{channel_id}> ({joined([_what(target) for target in targets], 200)})"
    missing = lacking(there.rights)
    if vital := [name for name in missing if name in VITAL]:
        what = f"{shown}: the bot lacks {joined(vital)}, so nothing appears there."
        yield broken(Topic.CHANNELS, what, _ALLOW, _let_in(channel_id, there))
        return
    if here := [name for name in missing if guild.rights is None or name not in lacking(guild.rights)]:
        yield note(Topic.CHANNELS, f"{shown}: the bot lacks {joined(here)}.", _ALLOW, _let_in(channel_id, there))
    yield from (_off(target) for target in targets if target.disabled_reason is not None)


_ALLOW: Final = "Channel settings, Permissions: allow it for the bot's role."


def _off(target: Target) -> Finding:
    board = target.kind == "panel"
    return broken(
        Topic.CHANNELS,
        f"<#{target.channel_id}> ({_what(target)}) is switched off: {safe(target.disabled_reason or '', 120)}",
        "Post it again, or `/panel remove` it." if board else "What was in the way is over: let it try again.",
        Fix(Mend.TRY_PANEL if board else Mend.TRY_CHANNEL, "Try again", target.id),
    )


def _let_in(channel_id: int, there: ChannelFact) -> Fix | None:
    """Discord lets nobody change rights in a channel that they do not see."""
    able = not lacking(there.rights, {"": MANAGE_ROLES}) and not lacking(there.rights, {"": NEEDED["View Channels"]})
    return Fix(Mend.LET_IN, "Let me in", str(channel_id)) if able else None


def _gone(guild: GuildFacts, target: Target) -> Finding:
    fix = None
    if target.kind == "panel":
        remedy = "`/panel remove` it; `/panel create` posts another one."
    elif target.name != target.purpose:
        remedy = "`/notify remove` it; `/notify add` chooses another one."
    else:
        remedy = "`/setup channels` chooses another one."
        fix = Fix(Mend.MAKE, "Make it again", target.purpose) if _may_make(guild) else None
    return broken(Topic.CHANNELS, f"The channel for {_what(target)} is gone.", remedy, fix)


def _what(target: Target) -> str:
    """What it is for, and its name where people gave one."""
    if target.kind == "panel":
        return f"the board {safe(target.name, 60)}"
    own = "" if target.name == target.purpose else f" {safe(target.name, 60)}"
    return f"**{target.purpose}**{own}"
