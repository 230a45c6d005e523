"""The commands about the game itself, and the list of them all."""

from bot.demo.sevendays import moderation, serverconfig, targets
from bot.demo.sevendays.console import Answer, Command, Refusal, need
from bot.demo.sevendays.players import Player
from bot.demo.sevendays.server import Server


def _listplayers(server: Server, _: list[str]) -> Answer:
    players = server.world.players.values()
    yield from (player.row(index) for index, player in enumerate(players))
    yield f"Total of {len(players)} in the game"


def _listplayerids(server: Server, _: list[str]) -> Answer:
    players = server.world.players.values()
    yield from (f"{index}. id={player.entity}, {player.name}" for index, player in enumerate(players))
    yield f"Total of {len(players)} in the game"


def _say(server: Server, words: list[str]) -> Answer:
    need(words, 1)
    server.world.say(words[0])
    return ()


def _sayplayer(server: Server, words: list[str]) -> Answer:
    need(words, 2)
    target = targets.find(server.world, words[0])
    if isinstance(target, Player):
        server.world.whisper(target, words[1])
        yield f'Message to player "{target.name}" sent with sender "Server"'


def _saveworld(server: Server, _: list[str]) -> Answer:
    server.world.save()
    yield "World saved"


def _shutdown(server: Server, _: list[str]) -> Answer:
    yield "Shutting server down..."
    server.quit()


def _version(server: Server, _: list[str]) -> Answer:
    yield f"Game version: {server.version_line}"
    yield from (f"Mod {mod.name}: {mod.version}" for mod in server.mods)


def _gettime(server: Server, _: list[str]) -> Answer:
    yield server.world.clock()


def _getgamepref(server: Server, words: list[str]) -> Answer:
    wanted = words[0].casefold() if words else ""
    prefs = sorted((name, server.config.text(name)) for name in serverconfig.PREFS if wanted in name.casefold())
    yield from (f"GamePref.{name} = {value}" for name, value in prefs)


def _help(_: Server, words: list[str]) -> Answer:
    if not words:
        yield "*** Generic Console Help ***"
        yield "To get further help on a specific topic or command type (without the brackets)"
        yield "    help <topic / command>"
        yield ""
        yield "*** List of Commands ***"
        yield from (f" {' '.join(command.names)} => {command.about}" for command in ALL)
        return
    found = next((command for command in ALL if words[0].casefold() in command.names), None)
    if found is None:
        raise Refusal(f'No command or topic found by "{words[0]}"')
    yield f"*** Command: {', '.join(found.names)} ***"
    yield found.about


ALL: tuple[Command, ...] = (
    *moderation.COMMANDS,
    Command(("getgamepref", "gg"), "Gets game preferences", _getgamepref),
    Command(("gettime", "gt"), "gets the current game time", _gettime),
    Command(("help",), "help on console and specific commands", _help, in_menu=True),
    Command(("listplayerids", "lpi"), "lists all players with their ids", _listplayerids),
    Command(("listplayers", "lp"), "lists all players", _listplayers),
    Command(("saveworld", "sa"), "saves the world manually", _saveworld),
    Command(("say",), "sends a message to all connected clients", _say),
    Command(("sayplayer", "pm"), "sends a message to a single player", _sayplayer),
    Command(("shutdown",), "shuts down the game", _shutdown),
    Command(("version",), "gets the currently running version of the game and loaded mods", _version, in_menu=True),
)
