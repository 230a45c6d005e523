"""Players from the login to the end of their visit, as the log tells it."""

import re
from collections.abc import Callable

import pytest

from bot.demo.sevendays.control import ControlError
from bot.demo.sevendays.login import CHAIN
from tests.demo.sevendays.running import Client, Running, until

EOS = "0002" + "d" * 28
STEAM = "76561198000000004"
NAME = "it's, PlayerName='x', ClientNumber='9'"


def _ids(entity: int) -> str:
    return (
        f"EntityID={entity}, PltfmId='Steam_{STEAM}', CrossId='EOS_{EOS}', OwnerID='Steam_{STEAM}', "
        f"PlayerName='{NAME}', ClientNumber='#'"
    )


def _since(server: Running, count: int) -> list[str]:
    """Messages after the first `count`, with the client's number and positions left open."""
    number = re.compile(r"(?<=: EntityID)(.*ClientNumber=)'\d+'$")
    messages = [number.sub(r"\1'#'", message) for message in server.messages()[count:]]
    return [re.sub(r"position: -?\d+, -?\d+, -?\d+\)", "position: #)", message) for message in messages]


async def test_a_visit(shared: Running, console: Client) -> None:
    count = len(shared.messages())
    entity = shared.control.join(NAME, steam=STEAM, eos=EOS, ip="192.0.2.7")
    assert isinstance(entity, int)
    shared.control.chat(NAME, "hello\nworld: x")
    shared.control.chat(NAME, "hi", mod="Chatty")
    shared.control.die(NAME)
    shared.control.leave(NAME)
    chat = f"Chat (from 'Steam_{STEAM}', entity id '{entity}', to 'Global'): "
    assert _since(shared, count) == [
        f"INF PlayerLogin: {NAME}/V 2.5",
        "INF Client IP: 192.0.2.7",
        *(f"INF [Auth] {name} authorization successful: {_ids(-1)}" for name in CHAIN),
        f"INF Allowing player with id EOS_{EOS}",
        f"INF RequestToEnterGame: EOS_{EOS}/{NAME}",
        f"INF GMSG: Player '{NAME}' joined the game",
        f"INF PlayerSpawnedInWorld (reason: EnterMultiplayer, position: #): {_ids(entity)}",
        f"INF {chat}hello",
        "world: x",
        f"INF Chat handled by mod 'Chatty': {chat}hi",
        f"INF GMSG: Player '{NAME}' died",
        f"INF PlayerSpawnedInWorld (reason: Died, position: #): {_ids(entity)}",
        f"INF Player disconnected: {_ids(entity)}",
        f"INF GMSG: Player '{NAME}' left the game",
    ]
    assert shared.control.join(NAME, steam=STEAM, eos=EOS) == entity
    assert "(reason: JoinMultiplayer," in shared.messages()[-1]


@pytest.mark.parametrize("banned", [f"EOS_{EOS}", f"Steam_{STEAM}"])
async def test_a_ban_of_either_id_is_enforced_at_the_login(shared: Running, console: Client, banned: str) -> None:
    await console.ask(f"ban add {banned} 1 year r")
    count = len(shared.messages())
    reason = shared.control.join(NAME, steam=STEAM, eos=EOS)
    await console.ask(f"ban remove {banned}")
    told = _since(shared, count)
    assert f"INF [Auth] PlatformAuth authorization successful: {_ids(-1)}" in told
    refused = told.index(f"INF [Auth] BansAndWhitelist authorization failed: {_ids(-1)}")
    assert told[refused + 1] == f"INF Kicking player ({reason}): {_ids(-1)}"
    assert not any("joined the game" in message for message in told)


async def test_who_is_here_already_or_finds_no_room_is_refused(made: Callable[..., Running]) -> None:
    server = made({"ServerMaxPlayerCount": "2"}).start()
    server.control.join("alice", eos=EOS)
    assert server.control.join("twin", eos=EOS) == "A player with the same ID is already connected"
    server.control.join("bob")
    assert server.control.join("carol") == "Server is full"
    server.control.leave("bob")
    assert server.control.join("carol") == 173


async def test_players_known_before_a_restart_keep_their_entity(made: Callable[..., Running]) -> None:
    server = made().start()
    server.control.join("alice")
    bob = server.control.join("bob")
    (await server.console()).send("shutdown")
    assert server.process.wait(5) == 0
    server.start()
    assert server.control.join("bob") == bob


async def test_players_come_and_go_by_themselves(made: Callable[..., Running]) -> None:
    server = made(SEVENDAYS_LIFE="1", SEVENDAYS_LIFE_SECONDS="0.01", SEVENDAYS_SEED="3").start()
    for wanted in (" joined the game", " left the game", " died", "to 'Global'): "):
        await server.logged(wanted)
    server.control.life(on=False)
    await until(lambda: server.control.players() != {})


async def test_the_same_seed_gives_the_same_life(made: Callable[..., Running]) -> None:
    lives: list[list[str]] = []
    for _ in range(2):
        server = made(SEVENDAYS_LIFE="1", SEVENDAYS_LIFE_SECONDS="0.01").start()
        await until(lambda s=server: sum("Chat (" in message for message in s.messages()) > 3)
        lives.append([message for message in server.messages() if "GMSG" in message or "Chat (" in message][:5])
        server.stop()
    assert lives[0] == lives[1]


@pytest.mark.parametrize("call", ["leave", "die", "heard"])
def test_who_is_not_here_can_do_nothing(shared: Running, call: str) -> None:
    with pytest.raises(ControlError, match="'x' is not in the game"):
        getattr(shared.control, call)("x")
