"""What a job of each type carries, for one action at a time."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from agent.wire.base import Identifier, Kind, Line, Reason, Wire


class Params(Wire):
    """Base of what a job carries. No path, no command line, no credential."""


class ServerCreate(Params):
    type: Literal["SERVER_CREATE"] = "SERVER_CREATE"


class ServerRemove(Params):
    """Stop the game and forget it; its files stay, under a name that says so."""

    type: Literal["SERVER_REMOVE"] = "SERVER_REMOVE"


class ServerStart(Params):
    type: Literal["SERVER_START"] = "SERVER_START"


class ServerStop(Params):
    type: Literal["SERVER_STOP"] = "SERVER_STOP"


class ServerRestart(Params):
    type: Literal["SERVER_RESTART"] = "SERVER_RESTART"


class ServerKill(Params):
    type: Literal["SERVER_KILL"] = "SERVER_KILL"


class ConsoleCommand(Params):
    type: Literal["CONSOLE_COMMAND"] = "CONSOLE_COMMAND"
    command: Line


class Announce(Params):
    type: Literal["ANNOUNCE"] = "ANNOUNCE"
    text: Line


class PlayerKick(Params):
    type: Literal["PLAYER_KICK"] = "PLAYER_KICK"
    identities: dict[Kind, Identifier]
    """Who: the agent finds them in the game's own list by these, and only then uses their slot there."""
    name: Annotated[str, StringConstraints(max_length=128)]
    reason: Reason
