"""kick, ban, admin, whitelist, and whom an argument means."""

from datetime import datetime, timedelta

import pytest

from bot.demo.sevendays import durations
from bot.demo.sevendays.admins import local_now
from tests.demo.sevendays.running import Client, Running

EOS = "EOS_0002" + "b" * 28
STEAM = "Steam_76561198000000002"
WRONG = "Wrong number of arguments, expected at least {}, found {}."


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("kick", WRONG.format(1, 0)),
        ("kick nobody", '"nobody" is not a valid entity id, player name or user id.'),
        ("ban", WRONG.format(1, 0)),
        ("ban frob", 'Invalid sub command "frob".'),
        (f"ban add {EOS} reason", WRONG.format(4, 3)),
        (f"ban add {EOS} q minutes", '"q" is not a valid integer.'),
        (f"ban add {EOS} 99999999999 minutes", '"99999999999" is not a valid integer.'),
        (f"ban add {EOS} 5 q", '"q" is not an allowed duration unit.'),
        ("ban add nobody 5 min", '"nobody" is not a valid entity id, player name or user id.'),
        ("ban remove", WRONG.format(2, 1)),
        ("ban remove alice", '"alice" is not a valid user id.'),
        (f"ban remove {EOS}", f"{EOS} removed from ban list."),
        ("admin add x", WRONG.format(3, 2)),
        (f"whitelist remove {EOS}", f"{EOS} was not on the whitelist."),
    ],
)
async def test_answers(console: Client, line: str, answer: str) -> None:
    assert await console.ask(line) == [answer]


async def test_a_name_that_cannot_be_unbanned_leaves_a_trace(shared: Running, console: Client) -> None:
    records = await console.records("ban remove alice")
    assert any(" ERR " in record and "\n  at " in record for record in records)


async def test_kick_takes_the_first_word_of_the_reason(shared: Running, console: Client) -> None:
    entity = shared.control.join("alice")
    await console.records()
    records = await console.records(f"kick {entity} spam spam")
    assert records[1] == "Kicking Player alice: spam"
    assert [r.partition(" INF ")[2].partition(": Entity")[0] for r in records[2:]] == [
        "Kicking player (Kicked by the server: spam)",
        "Player disconnected",
        "GMSG: Player 'alice' left the game",
    ]
    assert await console.ask(f"kick {STEAM} gone") == []


@pytest.mark.parametrize(
    ("argument", "kicked"),
    [
        ("bob", "bob"),
        ("BOBB", "Bobby"),
        ("eve", "eve, the first"),
        ("{id:alice}", "alice"),
        (f"{EOS}", "alice"),
        (f"{STEAM}", "alice"),
        ('"eve, the first"', "eve, the first"),
        ("bo", '"bo" matches multiple player names.'),
        ("li", "alice"),
        ("x", '"x" is not a valid entity id, player name or user id.'),
    ],
)
async def test_whom_an_argument_means(shared: Running, console: Client, argument: str, kicked: str) -> None:
    shared.control.join("Bobby")
    shared.control.join("bob")
    entity = shared.control.join("alice", steam=STEAM.partition("_")[2], eos=EOS.partition("_")[2])
    shared.control.join("eve, the first")
    (answer,) = await console.ask(f"kick {argument.replace('{id:alice}', str(entity))} r")
    assert answer == (kicked if kicked.startswith('"') else f"Kicking Player {kicked}: r")


DAY = datetime.fromisoformat("2027-01-31 12:00:00")


@pytest.mark.parametrize(
    ("count", "units", "until"),
    [
        (3, "min minute minutes", DAY + timedelta(minutes=3)),
        (3, "h hour hours", DAY + timedelta(hours=3)),
        (3, "d day days", DAY + timedelta(days=3)),
        (3, "w week weeks", DAY + timedelta(weeks=3)),
        (1, "month months", DAY.replace(month=2, day=28)),
        (500, "y yr year years", DAY.replace(year=2527)),
        (-2, "month", DAY.replace(2026, 11, 30)),
    ],
)
def test_durations(count: int, units: str, until: datetime) -> None:
    assert {durations.later(DAY, count, unit) for unit in units.split()} == {until}


@pytest.mark.parametrize("unit", ["h", "w", "month", "years"])
def test_time_ends_with_the_year_9999(unit: str) -> None:
    with pytest.raises(OverflowError, match="un-representable DateTime"):
        durations.later(DAY, 2**31 - 1, unit)


async def test_a_ban_by_the_console(shared: Running, console: Client) -> None:
    before = local_now()
    entity = shared.control.join("mallory", eos=EOS[4:])
    (answer,) = await console.ask(f'ban add {entity} 2 Hours "griefing, again"')
    text, _, reason = answer.partition(", reason: ")
    until = datetime.fromisoformat(text.removeprefix(f"{EOS} banned until "))
    assert before <= until - timedelta(hours=2) <= local_now()
    assert reason == "griefing, again."
    assert shared.control.players() == {}
    head = ["Ban list entries:", "  Banned until - UserID (name) - Reason"]
    assert await console.ask("ban list") == [*head, f"  {until} - {EOS} (mallory) - griefing, again"]
    refusal = f"You have been banned from this server until {until}, reason: griefing, again"
    assert shared.control.join("other name", eos=EOS[4:]) == refusal
    await console.ask(f"ban remove {EOS}")
    assert await console.ask("ban list") == head
    assert isinstance(shared.control.join("mallory", eos=EOS[4:]), int)


async def test_a_ban_of_somebody_away_binds_the_id_that_was_named(shared: Running, console: Client) -> None:
    await console.ask(f'ban add {STEAM} 1 day "r" "Display ""Name"""')
    assert f'{STEAM} (Display "Name") - r' in (await console.ask("ban list"))[2]
    assert "banned" in str(shared.control.join("whoever", steam=STEAM[6:]))
    await console.ask(f"ban remove {STEAM}", f"ban add {EOS} 1 day")
    assert (await console.ask("ban list"))[2].endswith(f"{EOS} (-unknown-) - ")
    await console.ask(f"ban remove {EOS}")


async def test_the_owner_of_a_shared_game_is_banned_as_well(shared: Running, console: Client) -> None:
    shared.control.join("kid", owner=STEAM[6:])
    first, second = await console.ask("ban add kid 1 w cheating")
    assert first.startswith("EOS_")
    assert second.startswith(f"Steam Family Sharing license owner {STEAM} banned until ")
    await console.ask(f"ban remove {STEAM}", f"ban remove {first.split()[0]}")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (f"ban add {EOS} 2000000000 years", "The added or subtracted value results in an un-representable DateTime."),
        (f"ban add {EOS} 1 day \x01", "'\x01', hexadecimal value 0x01, is an invalid character."),
    ],
)
async def test_an_exception_in_a_command_is_told_and_logged(console: Client, line: str, error: str) -> None:
    records = await console.records(line)
    assert records[-1] == f"*** ERROR: Executing command 'ban' failed: {error}"
    assert " EXC " in records[1]
    assert len(await console.ask("ban list")) == 2


async def test_admins(shared: Running, console: Client) -> None:
    shared.control.join("alice", eos=EOS[4:])
    assert await console.ask("admin add alice 0") == [f"{EOS} added with permission level of 0"]
    assert (await console.ask("admin list"))[2:] == [f"      0: {EOS} (alice, stored name: alice)"]
    assert await console.ask(f"admin remove {EOS}") == [f"{EOS} removed from permissions list."]
    assert len(await console.ask("admin list")) == 2


async def test_a_whitelist_keeps_everybody_else_out(shared: Running, console: Client) -> None:
    assert await console.ask(f"whitelist add {EOS} Alice") == [f"{EOS} added to whitelist."]
    assert (await console.ask("whitelist list"))[2:] == [f"  {EOS} (-offline-, stored name: Alice)"]
    assert shared.control.join("stranger") == "You are not on the whitelist of this server"
    assert isinstance(shared.control.join("alice", eos=EOS[4:]), int)
    assert await console.ask(f"whitelist remove {EOS}") == [f"{EOS} removed from the whitelist."]
    assert isinstance(shared.control.join("stranger"), int)
