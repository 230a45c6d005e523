"""The 7 Days to Die template against the imitated server: noise, split packets, forged and ambiguous names."""

import asyncio
from pathlib import Path

import pytest

from bot.demo.sevendays.control import AsyncControl
from games.catalog import GameTemplate
from games.consoles import Console, LoginRefused
from games.consoles.meaning import rows
from tests.games import sevendays_server
from tests.games.conftest import SevenDays

FORGED = "eve, pos=(1.0, 2.0, 3.0), rot=(0.0, 0.0, 0.0), remote=True, health=1, ip=9.9.9.9, ping=1"


async def test_players_are_listed_with_their_identities(sevendays: SevenDays) -> None:
    slot = await sevendays.control.join("bob", steam="76561198000000001", eos="0002" + "a" * 28, ip="192.0.2.7")
    rows, complete = await sevendays.console.players()
    assert complete
    (bob,) = rows
    assert (bob.name, bob.slot) == ("bob", str(slot))
    assert bob.identities == {
        "name": "bob",
        "steam": "76561198000000001",
        "eos": "0002" + "a" * 28,
        "ip": "192.0.2.7",
    }


@pytest.mark.parametrize("name", [FORGED, '"quoted" name', "a=b, c=d", "Total of 9 in the game", "é 👩 '"])
async def test_names_are_only_names(sevendays: SevenDays, name: str) -> None:
    slot = await sevendays.control.join(name, ip="192.0.2.8")
    rows, complete = await sevendays.console.players()
    assert complete
    assert [(row.name, row.slot, row.identities["ip"]) for row in rows] == [(name, str(slot), "192.0.2.8")]


@pytest.mark.parametrize("size", [1, 7])
async def test_split_packets_and_noise_change_nothing(sevendays: SevenDays, size: int) -> None:
    for name in ("alice", "bob", FORGED):
        await sevendays.control.join(name)
    await sevendays.control.dribble(size)
    await sevendays.control.noise(5)
    await sevendays.control.noise(7, between=True)
    rows, complete = await sevendays.console.players()
    assert complete
    assert [row.name for row in rows] == ["alice", "bob", FORGED]
    assert (await sevendays.console.command("version")).lines[0].startswith("Game version: ")


async def test_a_kick_by_entity_id_hits_nobody_else(sevendays: SevenDays) -> None:
    await sevendays.control.join("Bobby")
    bob = await sevendays.control.join("bob")
    answer = await sevendays.console.action("kick", {"slot": str(bob), "reason": 'he said "no"; twice'})
    assert answer.lines == ('Kicking Player bob: he said "no"; twice',)
    assert answer.outcome == "answered"
    assert list(await sevendays.control.players()) == ["Bobby"]


async def test_a_kick_of_somebody_who_left_is_refused(sevendays: SevenDays) -> None:
    answer = await sevendays.console.action("kick", {"slot": "999", "reason": "x"})
    assert answer.outcome == "refused"
    assert "is not a valid entity id" in answer.reason


async def test_an_ambiguous_name_is_the_games_own_refusal(sevendays: SevenDays) -> None:
    """Why a template kicks by entity id: a name is looked for inside of names."""
    await sevendays.control.join("bobby")
    await sevendays.control.join("Bobo")
    assert (await sevendays.console.command("kick bob x")).lines == ('"bob" matches multiple player names.',)
    assert len(await sevendays.control.players()) == 2


async def test_say_reaches_players_whole(sevendays: SevenDays) -> None:
    await sevendays.control.join("alice")
    answer = await sevendays.console.action("say", {"text": 'restart in 5 minutes, "really"; yes'})
    assert answer.outcome == "answered"
    assert await sevendays.control.heard("alice") == ['restart in 5 minutes, "really"; yes']


async def test_save_is_proved_by_its_words(sevendays: SevenDays) -> None:
    assert (await sevendays.console.action("save")).outcome == "answered"


async def test_mods_are_listed(sevendays: SevenDays, catalog: dict[str, GameTemplate]) -> None:
    mods = catalog["7dtd"].mods
    assert mods is not None
    (listing,) = mods.listings
    answer = await sevendays.console.command(listing.send)
    assert rows(listing, answer.lines) == ([{"mod": "TFP_Harmony", "version": "1.1.0.4"}], True)


async def test_what_happens_is_in_the_records(sevendays: SevenDays, catalog: dict[str, GameTemplate]) -> None:
    await sevendays.console.connect()
    await sevendays.control.join(FORGED)
    await sevendays.control.chat(FORGED, "Player disconnected: EntityID=1")
    await sevendays.control.leave(FORGED)
    seen: list[tuple[str, str]] = []
    async with asyncio.timeout(5):
        while len(seen) < 3:
            event = catalog["7dtd"].log.event(await sevendays.console.records.get())
            if event is not None:
                seen.append((event.kind, event.values.get("name", event.values.get("text", ""))))
    assert seen == [("join", FORGED), ("chat", "Player disconnected: EntityID=1"), ("leave", FORGED)]


async def test_a_hanging_game_is_unknown_and_comes_back(sevendays: SevenDays) -> None:
    await sevendays.console.connect()
    await sevendays.control.hang(0.6)
    answer = await sevendays.console.action("save", timeout=0.2)
    assert answer.outcome == "unknown"
    assert not sevendays.console.connected
    assert (await sevendays.console.command("gettime")).lines[0].startswith("Day ")


async def test_shutdown_is_answered(sevendays: SevenDays) -> None:
    answer = await sevendays.console.action("shutdown")
    assert answer.outcome == "answered"


async def test_before_the_world_exists_nothing_is_taken_for_an_answer(
    catalog: dict[str, GameTemplate], tmp_path: Path
) -> None:
    resolved = sevendays_server.resolve(catalog["7dtd"], tmp_path)
    console = Console(resolved)
    async with sevendays_server.starting(resolved, start_seconds=3):
        await until_connected(console)
        assert await console.players() == ([], False)
        saved = await console.action("save")
        assert saved.outcome == "refused"
        assert "can only be executed when a game is started" in saved.reason
        await console.close()


async def until_connected(console: Console) -> None:
    async with asyncio.timeout(10):
        while (await console.command("version")).outcome != "answered":
            await asyncio.sleep(0.05)


async def test_a_wrong_password_does_not_lock_the_host_out(
    catalog: dict[str, GameTemplate], sevendays: SevenDays
) -> None:
    values = {**sevendays.resolved.values, "telnet_password": "not the password"}
    wrong = Console(catalog["7dtd"].resolve(sevendays.resolved.directory, values))
    for _ in range(20):
        with pytest.raises(LoginRefused):
            await wrong.connect()
    assert (await sevendays.console.command("gettime")).outcome == "answered"


async def test_a_locked_console_says_so_and_opens_again(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    resolved = sevendays_server.resolve(
        catalog["7dtd"], tmp_path, properties={"TelnetFailedLoginLimit": "1", "TelnetFailedLoginsBlocktime": "1"}
    )
    async with sevendays_server.running(resolved):
        values = {**resolved.values, "telnet_password": "not the password"}
        with pytest.raises(LoginRefused, match="locked this host out"):
            await Console(catalog["7dtd"].resolve(tmp_path, values)).connect()
        console = Console(resolved)
        assert (await console.command("gettime")).reason == (
            "The game's console took the connection but let nobody in."
        )
        await until_connected(console)
        await console.close()


async def test_no_password_no_prompt(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    resolved = sevendays_server.resolve(catalog["7dtd"], tmp_path, telnet_password="")
    async with sevendays_server.running(resolved):
        console = Console(resolved)
        assert (await console.command("gettime")).outcome == "answered"
        await console.close()


async def test_the_echo_may_be_hidden(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    resolved = sevendays_server.resolve(catalog["7dtd"], tmp_path, properties={"HideCommandExecutionLog": "3"})
    async with sevendays_server.running(resolved) as control:
        assert isinstance(control, AsyncControl)
        await control.join("alice")
        console = Console(resolved)
        rows_, complete = await console.players()
        assert complete
        assert [row.name for row in rows_] == ["alice"]
        await console.close()
