"""Commands about the game, and what becomes of lines that are none."""

import re

import pytest

from tests.demo.sevendays.running import Client, Running

VERSION = "Game version: V 2.5 (b32) Compatibility Version: V 2.5"
WRONG = "Wrong number of arguments, expected at least {}, found {}."


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("lp", ["Total of 0 in the game"]),
        ("LISTPLAYERS", ["Total of 0 in the game"]),
        ("lpi", ["Total of 0 in the game"]),
        ("listplayerids", ["Total of 0 in the game"]),
        ("sa", ["World saved"]),
        ("saveworld", ["World saved"]),
        ("version", [VERSION, "Mod TFP_Harmony: 1.1.0.4"]),
        ("say hello", []),
        ("say", [WRONG.format(1, 0)]),
        ("pm x", [WRONG.format(2, 1)]),
        ("quit", ["*** ERROR: unknown command 'quit'"]),
        ("zz' x", ["*** ERROR: unknown command 'zz''"]),
        ('say "a', ["*** ERROR: Quotation started at position 4 was not closed"]),
        ("help nothing", ['No command or topic found by "nothing"']),
        ("help lp", ["*** Command: listplayers, lp ***", "lists all players"]),
    ],
)
async def test_answers(console: Client, line: str, answer: list[str]) -> None:
    assert await console.ask(line) == answer


@pytest.mark.parametrize("line", ["zzunknown", 'say "open'])
async def test_what_is_no_command_is_not_echoed(console: Client, line: str) -> None:
    assert not any("Executing command" in record for record in await console.records(line))


async def test_the_game_time_is_read(console: Client) -> None:
    for line in ("gt", "gettime"):
        (answer,) = await console.ask(line)
        assert re.fullmatch(r"Day 1, 07:\d\d", answer)


async def test_help_lists_every_command(console: Client) -> None:
    listed = " ".join(await console.ask("help"))
    words = "kick ban admin whitelist gettime gt help lpi lp saveworld sa say sayplayer pm shutdown version"
    assert all(f" {word} " in listed for word in words.split())


@pytest.mark.parametrize(
    ("line", "text"),
    [("say two words", "two"), ('say "two ""words"""', 'two "words"'), ('say "a; shutdown"', "a; shutdown")],
)
async def test_say_is_heard_and_logged(shared: Running, console: Client, line: str, text: str) -> None:
    shared.control.join("alice")
    records = await console.records(line)
    assert records[-1].endswith(f" INF Chat (from '-non-player-', entity id '-1', to 'Global'): {text}")
    assert shared.control.heard("alice") == [text]


@pytest.mark.parametrize("command", ["pm", "sayplayer"])
async def test_a_message_to_one_player(shared: Running, console: Client, command: str) -> None:
    shared.control.join("alice")
    shared.control.join("bob")
    assert await console.ask(f'{command} alice "psst now"') == ['Message to player "alice" sent with sender "Server"']
    assert (shared.control.heard("alice"), shared.control.heard("bob")) == (["psst now"], [])


ROW = re.compile(
    r"(?P<index>\d+)\. id=(?P<id>\d+), (?P<name>.*), pos=\([-\d.]+, [-\d.]+, [-\d.]+\), rot=\(0\.0, 194\.1, 0\.0\), "
    r"remote=True, health=\d+, deaths=(?P<deaths>\d+), zombies=\d+, players=\d+, score=\d+, level=\d+, "
    r"pltfmid=(?P<platform>\S+), crossid=(?P<cross>\S+), ip=(?P<ip>\S+), ping=\d+"
)
NAMES = (
    "alice",
    "eve, pos=(1.0, 2.0, 3.0)",
    'bob" ; x',
    "a=b, id=1",
    "*bold* `code` [x](y)",
    "@everyone",
    "x, ip=1.2.3.4, ping=1",
    "Ω 漢字 🧟",
)


async def test_players_are_listed_whatever_their_names(shared: Running, console: Client) -> None:
    entities = [shared.control.join(name, ip=f"192.0.2.{number}") for number, name in enumerate(NAMES)]
    *rows, total = await console.ask("lp")
    found = [match for row in rows if (match := ROW.fullmatch(row))]
    assert [match["name"] for match in found] == list(NAMES)
    assert [int(match["id"]) for match in found] == entities
    assert [match["ip"] for match in found] == [f"192.0.2.{number}" for number in range(len(NAMES))]
    assert total == f"Total of {len(NAMES)} in the game"
    ids = [f"{index}. id={entity}, {name}" for index, (entity, name) in enumerate(zip(entities, NAMES, strict=True))]
    assert await console.ask("lpi") == [*ids, total]


@pytest.mark.parametrize(
    ("steam", "eos", "expected"),
    [
        ("76561198000000001", "0002" + "a" * 28, ("Steam_76561198000000001", "EOS_0002" + "a" * 28)),
        ("", None, ("<unknown>", None)),
        (None, "", (None, "<unknown>")),
    ],
)
async def test_ids_may_be_given_or_unknown(
    shared: Running, console: Client, steam: str | None, eos: str | None, expected: tuple[str | None, str | None]
) -> None:
    shared.control.join("ida", steam=steam, eos=eos)
    row = ROW.fullmatch((await console.ask("lp"))[0])
    assert row
    for group, value in zip(("platform", "cross"), expected, strict=True):
        assert row[group] == value if value else re.fullmatch(r"Steam_7656\d{13}|EOS_0002[0-9a-f]{28}", row[group])


async def test_game_preferences_are_told_by_a_part_of_their_name(console: Client) -> None:
    assert await console.ask("getgamepref BloodMoonFrequency") == ["GamePref.BloodMoonFrequency = 7"]
    assert await console.ask("gg game") == [
        "GamePref.GameDifficulty = 2",
        "GamePref.GameMode = GameModeSurvival",
        "GamePref.GameName = My Game",
        "GamePref.GameWorld = Navezgane",
    ]
    assert await console.ask("gg nothing") == []
