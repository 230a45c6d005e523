"""`/setup check`, judged: what Discord says of the bot's rights, its channels, and who sees its commands; and roles."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.checks import Finding, Fix, Mend, State, Topic, problems
from bot.domain.checks_access import roles
from bot.domain.checks_commands import USE_COMMANDS, commands, is_shown, missed_by
from bot.domain.checks_discord import (
    ADMINISTRATOR,
    INVITE_BITS,
    NEEDED,
    PURPOSES,
    WANTED,
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

GUILD, MODS, GONE = 1001, 501, 599
"""@everyone has the guild's own id."""
MODERATE = 1 << 40
MANAGE_GUILD = 1 << 5
ALL = INVITE_BITS | sum(WANTED.values())
SERVER = GroupFact("server", MODERATE, {"server list": "servers.view", "server start": "servers.start"}, Overrides())
STATUS = GroupFact("status", 0, {"status": "servers.view"}, Overrides())
HOST = GroupFact(
    "host",
    MANAGE_GUILD,
    {"host list": "nodes.view", "host add": "nodes.create", "host remove": "nodes.delete"},
    Overrides(),
)
FACTS = GuildFacts(
    guild_id=GUILD,
    invite="https://discord.com/oauth2/authorize?client_id=1",
    rights=ALL,
    latency_ms=43.0,
    roles={GUILD: RoleFact("@everyone", USE_COMMANDS), MODS: RoleFact("Mods", USE_COMMANDS | MODERATE)},
    channels={7: ChannelFact("ops", ALL)},
    groups=[SERVER, STATUS, HOST],
    registered=True,
    overall=Overrides(),
)
OPS = Target("row", "channel", "ops", "ops", 7, None)
MODERATORS = Binding(MODS, "moderator", frozenset({"servers.view", "servers.start", "nodes.view"}), everywhere=True)
EVERYBODY = Binding(GUILD, "player", frozenset({"servers.view"}), everywhere=True)
ADMINS = Binding(MODS, "admin", frozenset({"users.permissions"}), everywhere=True)


def wrong(findings: Any) -> list[tuple[State, str, Fix | None]]:
    return [(one.state, one.what, one.fix) for one in findings if one.state is not State.FINE]


def without(*names: str) -> int:
    """All rights but these."""
    return ALL & ~sum({**NEEDED, **WANTED}[name] for name in names)


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (ALL, None),
        (ADMINISTRATOR, None),
        (without("Manage Channels", "Manage Roles"), None),
        (without("Attach Files"), (State.NOTE, "The bot lacks Attach Files.")),
        (
            without("View Channels", "Embed Links"),
            (State.BROKEN, "The bot lacks View Channels, Embed Links."),
        ),
        (0, (State.BROKEN, f"The bot lacks {', '.join(NEEDED)}.")),
        (None, (State.NOTE, "Discord did not say what the bot may do here.")),
    ],
)
def test_the_bots_own_rights(rights: int | None, expected: tuple[State, str] | None) -> None:
    found = [(state, what) for state, what, _ in wrong(the_bot(replace(FACTS, rights=rights)))]
    assert found == ([expected] if expected else [])


def test_the_invitation_is_shown_where_something_is_missing() -> None:
    (finding,) = problems(the_bot(replace(FACTS, rights=without("Embed Links"))))
    assert FACTS.invite in finding.remedy
    assert "no Manage Channels" in next(
        one.what for one in the_bot(replace(FACTS, rights=without("Manage Channels"))) if "makes no" in one.what
    )


@pytest.mark.parametrize(("latency", "words"), [(43.4, ["Discord is 43 ms away"]), (None, [])])
def test_how_far_away_discord_is(latency: float | None, words: list[str]) -> None:
    near = replace(FACTS, latency_ms=latency)
    assert problems(the_bot(near)) == []
    assert [one.what for one in the_bot(near) if "away" in one.what] == words
    (far,) = problems(the_bot(replace(FACTS, latency_ms=1500.0)))
    assert far.what == "Discord is 1500 ms away, and answers have to reach it within 3 seconds."


LET_IN = Fix(Mend.LET_IN, "Let me in", "7")


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (ALL, []),
        (
            without("Send Messages"),
            [(State.BROKEN, "<#7> (**ops**): the bot lacks Send Messages, so nothing appears there.", LET_IN)],
        ),
        (
            without("View Channels"),
            [(State.BROKEN, "<#7> (**ops**): the bot lacks View Channels, so nothing appears there.", None)],
        ),
        (
            without("Send Messages", "Manage Roles"),
            [(State.BROKEN, "<#7> (**ops**): the bot lacks Send Messages, so nothing appears there.", None)],
        ),
        (
            without("Read Message History"),
            [(State.NOTE, "<#7> (**ops**): the bot lacks Read Message History.", LET_IN)],
        ),
    ],
)
def test_rights_in_a_channel(rights: int, expected: list[Any]) -> None:
    found = wrong(places(replace(FACTS, channels={7: ChannelFact("ops", rights)}), [OPS]))
    assert [one for one in found if "has no channel" not in one[1]] == expected


def test_channels_that_were_switched_off_and_boards() -> None:
    off = replace(OPS, id="a", disabled_reason="Discord said 403: *no*")
    board = Target("b", "panel", "", "of all servers", 7, "its message was deleted twice within a day")
    found = [one for one in wrong(places(FACTS, [off, board])) if "has no channel" not in one[1]]
    assert found == [
        (
            State.BROKEN,
            "<#7> (**ops**) is switched off: Discord said 403: \\*no\\*",
            Fix(Mend.TRY_CHANNEL, "Try again", "a"),
        ),
        (
            State.BROKEN,
            "<#7> (the board of all servers) is switched off: its message was deleted twice within a day",
            Fix(Mend.TRY_PANEL, "Try again", "b"),
        ),
    ]


def test_a_channel_for_several_things_is_named_once() -> None:
    """Two buttons with the same id in one message are refused by Discord."""
    shut = replace(FACTS, channels={7: ChannelFact("ops", without("Send Messages"))})
    alerts, board = replace(OPS, purpose="alerts", name="night"), Target("b", "panel", "", "of all servers", 7, None)
    found = [one for one in wrong(places(shut, [OPS, alerts, board])) if "has no channel" not in one[1]]
    assert [fix for _, _, fix in found] == [LET_IN]
    assert "(**ops**, **alerts** night, the board of all servers)" in found[0][1]


def test_what_the_bot_lacks_everywhere_is_said_once() -> None:
    """Not for each channel as well, where it could not give itself what it does not have."""
    poor = without("Attach Files")
    facts = replace(FACTS, rights=poor, channels={7: ChannelFact("ops", poor)})
    assert [one for one in wrong(places(facts, [OPS])) if "has no channel" not in one[1]] == []
    assert "1 of 1 can be posted in" in [one.what for one in places(facts, [OPS])]
    unsaid = replace(FACTS, rights=None, channels={7: ChannelFact("ops", -1)})
    assert not any("can be posted in" in one.what for one in places(unsaid, [OPS])), "nobody knows that"


def test_what_is_in_the_way_comes_before_trying_again() -> None:
    """Trying again where the bot may still not write would be switched off at once."""
    shut = replace(FACTS, channels={7: ChannelFact("ops", without("Send Messages"))})
    found = wrong(places(shut, [replace(OPS, disabled_reason="Discord said 403")]))
    assert found[0][2] == LET_IN


@pytest.mark.parametrize(
    ("target", "rights", "fix"),
    [
        (OPS, ALL, Fix(Mend.MAKE, "Make it again", "ops")),
        (OPS, without("Manage Channels"), None),
        (OPS, None, None),
        (replace(OPS, name="night *shift*"), ALL, None),
        (Target("b", "panel", "", "of all servers", 7, None), ALL, None),
    ],
)
def test_a_channel_that_is_gone(target: Target, rights: int | None, fix: Fix | None) -> None:
    (found,) = [one for one in wrong(places(replace(FACTS, rights=rights, channels={}), [target])) if "gone" in one[1]]
    assert found[0] is State.BROKEN and found[2] == fix
    assert "night \\*shift\\*" in found[1] or "shift" not in target.name


def test_purposes_without_a_channel() -> None:
    found = wrong(places(FACTS, []))
    assert [fix.target for _, _, fix in found if fix and fix.mend is Mend.MAKE] == list(PURPOSES)
    assert {state for state, _, _ in found} == {State.NOTE}
    able = [one.topic for one in places(FACTS, []) if "**audit**" in one.what]
    assert able == [Topic.AUDIT]
    assert [fix for _, _, fix in wrong(places(replace(FACTS, rights=without("Manage Channels")), [])) if fix] == []


@pytest.mark.parametrize(
    ("registered", "expected"),
    [
        (True, []),
        (
            False,
            [(State.BROKEN, "Discord has other commands than this version.", Fix(Mend.COMMANDS, "Register again"))],
        ),
        (None, [(State.NOTE, "Discord did not say which commands it has.", None)]),
    ],
)
def test_registered_commands(registered: bool | None, expected: list[Any]) -> None:
    assert wrong(commands(replace(FACTS, registered=registered), [MODERATORS])) == expected


def hidden(facts: GuildFacts, *bindings: Binding) -> list[str]:
    return [what for _, what, _ in wrong(commands(facts, bindings))]


def test_whom_discord_hides_commands_from() -> None:
    assert hidden(FACTS, MODERATORS, EVERYBODY) == []
    weak = replace(FACTS, roles={**FACTS.roles, MODS: RoleFact("M*ds", USE_COMMANDS)})
    assert hidden(weak, MODERATORS) == ["Discord hides `/server`, `/host` from **M\\*ds**, who may use it."]
    mute = replace(FACTS, roles={GUILD: RoleFact("@everyone", 0), MODS: RoleFact("Mods", MODERATE)})
    assert hidden(mute, MODERATORS, EVERYBODY) == [
        "Discord hides `/server`, `/status`, `/host` from **Mods**, who may use it.",
        "Discord hides `/status` from **everybody**, who may use it.",
    ]
    assert hidden(replace(weak, overall=None), MODERATORS) == ["Discord did not say whom it shows them to."]


def test_roles_that_are_gone_or_held_on_single_servers_hide_nothing() -> None:
    weak = replace(FACTS, roles={**FACTS.roles, MODS: RoleFact("Mods", USE_COMMANDS)})
    assert hidden(weak, replace(MODERATORS, discord_role_id=GONE), replace(MODERATORS, everywhere=False)) == []


def test_commands_that_are_switched_off_everywhere() -> None:
    off = replace(FACTS, overall=Overrides(everywhere=False))
    assert hidden(off) == ["`/server`, `/status`, `/host`: switched off in all channels but those that say otherwise."]
    own = replace(off, groups=[replace(SERVER, overrides=Overrides(everywhere=True)), STATUS])
    assert hidden(own) == ["`/status`: switched off in all channels but those that say otherwise."]


@pytest.mark.parametrize(
    ("held", "rights", "missed"),
    [
        ({"servers.view", "servers.start", "nodes.view"}, MODERATE, []),
        ({"servers.view", "servers.start", "nodes.view"}, 0, ["server", "host"]),
        ({"servers.view", "nodes.view", "nodes.create"}, MODERATE, ["host"]),
        ({"servers.view"}, 0, []),
        ({"nodes.view"}, 0, ["host"]),
        ({"jobs.view"}, 0, []),
        (set[str](), 0, []),
    ],
)
def test_what_a_role_misses(held: set[str], rights: int, missed: list[str]) -> None:
    """What it may use most of; and all that it may, where most of that is hidden."""
    facts = replace(FACTS, roles={**FACTS.roles, MODS: RoleFact("Mods", USE_COMMANDS | rights)})
    assert [group.name for group in missed_by(facts, Overrides(), MODS, held)] == missed


def test_what_is_for_staff_is_not_missed_by_everybody() -> None:
    assert missed_by(FACTS, Overrides(), GUILD, {"servers.view", "servers.start"}) == []


@pytest.mark.parametrize(
    ("own", "overall", "permissions", "shown"),
    [
        ({}, {}, USE_COMMANDS | MODERATE, True),
        ({}, {}, USE_COMMANDS, False),
        ({}, {}, MODERATE, False),
        ({MODS: True}, {}, USE_COMMANDS, True),
        ({MODS: False}, {}, USE_COMMANDS | MODERATE, False),
        ({MODS: False}, {}, ADMINISTRATOR, True),
        ({GUILD: False}, {}, USE_COMMANDS | MODERATE, False),
        ({GUILD: False, MODS: True}, {}, USE_COMMANDS, True),
        ({GUILD: True, MODS: False}, {}, USE_COMMANDS | MODERATE, False),
        ({}, {MODS: False}, USE_COMMANDS | MODERATE, False),
        ({}, {MODS: True}, USE_COMMANDS, False),
        ({}, {GUILD: False, MODS: True}, USE_COMMANDS | MODERATE, True),
        ({MODS: True}, {MODS: False}, USE_COMMANDS, True),
    ],
)
def test_what_discord_shows_to_a_role(
    own: dict[int, bool], overall: dict[int, bool], permissions: int, shown: bool
) -> None:
    group = replace(SERVER, overrides=Overrides(own))
    assert is_shown(group, Overrides(overall), MODS, permissions, GUILD) is shown


def test_administrators() -> None:
    def found(*bindings: Binding, explicit: int = 0, guild: GuildFacts | None = FACTS) -> list[Finding]:
        return problems(roles(guild, bindings, explicit))

    assert found(ADMINS) == [] and found(explicit=1) == []
    for nobody in ((), (MODERATORS,), (replace(ADMINS, everywhere=False),)):
        assert "No role makes anybody administrator" in found(*nobody)[0].what
    gone = found(replace(ADMINS, discord_role_id=GONE))
    assert [one.what[:30] for one in gone] == ["No role makes anybody administ", "Roles were given to Discord ro"]
    assert found(replace(ADMINS, discord_role_id=GONE), guild=None) == [], "Discord did not say which roles there are"


def test_what_everybody_may_do() -> None:
    assert problems(roles(FACTS, [ADMINS, EVERYBODY], 0)) == []
    more = replace(EVERYBODY, permissions=frozenset({"servers.view", "servers.stop", "bans.create"}))
    (finding,) = problems(roles(FACTS, [ADMINS, more], 0))
    assert (finding.state, finding.what) == (State.BROKEN, "Everybody has `bans.create`, `servers.stop`.")
    lead = replace(ADMINS, discord_role_id=GUILD)
    assert len(problems(roles(FACTS, [lead], 0))) == 2, "@everyone as administrator is no administrator"
