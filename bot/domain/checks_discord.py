"""Judges what Discord says of us: our rights in the guild and in channels, and who sees our commands."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.checks import Finding, Fix, Mend, Topic, broken, fine, note
from bot.domain.words import joined, safe

ADMINISTRATOR: Final = 1 << 3
USE_COMMANDS: Final = 1 << 31

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
    """The invitation and what it brought."""
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
    good = 0
    for target in targets:
        findings = list(_place(guild, target))
        good += not findings
        yield from findings
    if good:
        yield fine(Topic.CHANNELS, f"{good} of {len(targets)} can be posted in")
    served = {target.purpose for target in targets if target.kind == "channel"}
    can_make = _may_make(guild)
    for purpose, consequence in PURPOSES.items():
        if purpose not in served:
            fix = Fix(Mend.MAKE, "Make a channel", purpose) if can_make else None
            yield note(
                Topic.AUDIT if purpose == "audit" else Topic.CHANNELS,
                f"**{purpose}** has no channel: {consequence}.",
                f"`/setup channels` chooses one{'' if fix else '; with Manage Channels the bot makes one'}.",
                fix,
            )


def _may_make(guild: GuildFacts) -> bool:
    return False


def _place(guild: GuildFacts, target: Target) -> Iterator[Finding]:
    shown = f"<#{target.channel_id}> ({_what(target)})"
    there = guild.channels.get(target.channel_id)
    if there is None:
        yield _gone(guild, target)
        return
    missing = lacking(there.rights)
    vital = [name for name in missing if name in VITAL]
    if vital or target.disabled_reason is not None:
        yield _closed(shown, target, there, vital)
    elif missing:
        yield note(
            Topic.CHANNELS,
            f"{shown}: the bot lacks {joined(missing)}.",
            "Channel settings, Permissions: allow it for the bot's role.",
            _let_in(target, there),
        )


def _closed(shown: str, target: Target, there: ChannelFact, vital: list[str]) -> Finding:
    if vital:
        return broken(
            Topic.CHANNELS,
            f"{shown}: the bot lacks {joined(vital)}, so nothing appears there.",
            "Channel settings, Permissions: allow it for the bot's role.",
            _let_in(target, there),
        )
    board = target.kind == "panel"
    return broken(
        Topic.CHANNELS,
        f"{shown} is switched off: {safe(target.disabled_reason or '', 120)}",
        "What was in the way is over: let it try again." if not board else "Post it again, or `/panel remove` it.",
        Fix(Mend.TRY_PANEL if board else Mend.TRY_CHANNEL, "Try again", target.id),
    )


def _let_in(target: Target, there: ChannelFact) -> Fix | None:
    """Discord lets nobody change rights in a channel that they do not see."""
    able = not lacking(there.rights, {"": MANAGE_ROLES}) and not lacking(there.rights, {"": NEEDED["View Channels"]})
    return Fix(Mend.LET_IN, "Let me in", str(target.channel_id)) if able else None


def _gone(guild: GuildFacts, target: Target) -> Finding:
    can_make = _may_make(guild)
    if target.kind == "panel":
        remedy, fix = "`/panel remove` it; `/panel create` posts another one.", None
    elif target.name != target.purpose:
        remedy, fix = "`/notify remove` it; `/notify add` chooses another one.", None
    else:
        remedy = "`/setup channels` chooses another one."
        fix = Fix(Mend.MAKE, "Make it again", target.purpose) if can_make else None
    return broken(Topic.CHANNELS, f"The channel for {_what(target)} is gone.", remedy, fix)


def _what(target: Target) -> str:
    """What it is for, and its name where people gave one."""
    if target.kind == "panel":
        return f"the board {safe(target.name, 60)}"
    own = "" if target.name == target.purpose else f" {safe(target.name, 60)}"
    return f"**{target.purpose}**{own}"


def commands(guild: GuildFacts, bindings: Sequence[Binding]) -> Iterator[Finding]:
    """Does Discord have our commands, and does it show them to those who may use them?"""
    if guild.registered is None:
        yield unknown(Topic.COMMANDS, "which commands it has")
    elif guild.registered:
        yield fine(Topic.COMMANDS, "those of this version")
    else:
        yield broken(
            Topic.COMMANDS,
            "Discord has other commands than this version.",
            "Register them again; it takes Discord up to a minute to show them.",
            Fix(Mend.COMMANDS, "Register again"),
        )
    if guild.overall is None:
        yield unknown(Topic.COMMANDS, "whom it shows them to")
        return
    hidden = list(_hidden(guild, guild.overall, bindings))
    yield from hidden or [fine(Topic.COMMANDS, "shown to those who may use them")]


_WHERE: Final = "Server Settings, Integrations, the bot's page: allow it there. Discord lets no bot change this."


def _hidden(guild: GuildFacts, overall: Overrides, bindings: Sequence[Binding]) -> Iterator[Finding]:
    nowhere = [group.name for group in guild.groups if _off(group.overrides.everywhere, overall.everywhere)]
    if nowhere:
        words = joined([f"`/{name}`" for name in nowhere], 200)
        yield note(Topic.COMMANDS, f"{words}: switched off in all channels but those that say otherwise.", _WHERE)
    for role_id in dict.fromkeys(binding.discord_role_id for binding in bindings if binding.everywhere):
        role = guild.roles.get(role_id)
        if role is None:
            continue
        held = frozenset[str]().union(*(one.permissions for one in bindings if one.discord_role_id == role_id))
        everyone = guild.roles.get(guild.guild_id, RoleFact("@everyone", 0))
        missed = [
            f"`/{group.name}`"
            for group in guild.groups
            if is_meant(group, held, everyone=role_id == guild.guild_id)
            and not is_shown(group, overall, role_id, role.permissions | everyone.permissions, guild.guild_id)
        ]
        if missed:
            who = f"**{safe(role.name, 60)}**" if role_id != guild.guild_id else "**everybody**"
            yield note(Topic.COMMANDS, f"Discord hides {joined(missed, 200)} from {who}, who may use it.", _WHERE)


def _off(own: bool | None, overall: bool | None) -> bool:
    return own is False or (own is None and overall is False)


def is_meant(group: GroupFact, held: Collection[str], *, everyone: bool = False) -> bool:
    """Is a command for the holders of these permissions? Yes where they may use at least half of what is below it:
    who may see hosts needs no `/host`, `/host list` is a favour. What is for staff is not meant for everybody."""
    if everyone and group.default:
        return False
    allowed = sum(1 for permission in group.leaves.values() if permission in held)
    named = sum(1 for permission in group.leaves.values() if permission)
    return allowed > 0 and allowed * 2 >= named


def is_shown(group: GroupFact, overall: Overrides, role_id: int, permissions: int, guild_id: int) -> bool:
    """Would Discord show it to a member with @everyone and this role alone? What is set for the command counts before
    what is set for the bot; only the first makes up for missing permissions."""
    if permissions & ADMINISTRATOR:
        return True
    if not permissions & USE_COMMANDS:
        return False
    own = _set_for(group.overrides, role_id, guild_id)
    if own is not None:
        return own
    if _set_for(overall, role_id, guild_id) is False:
        return False
    return not group.default & ~permissions


def _set_for(overrides: Overrides, role_id: int, guild_id: int) -> bool | None:
    return overrides.roles.get(role_id, overrides.roles.get(guild_id))
