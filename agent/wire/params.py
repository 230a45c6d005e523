"""What a job of each type carries, for one action at a time."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer

from agent.wire.base import Identifier, Kind, Line, Reason, Wire

VALUES_MAX: Final = 5
"""Values of one console command."""
ValueName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


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
    values: Annotated[dict[ValueName, Line], Field(max_length=VALUES_MAX)] = {}
    """What stands for `{{name}}` in the command: the agent quotes each as one argument, as the game reads them."""

    @model_serializer(mode="wrap")
    def _without_nothing(self, dumped: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Earlier agents know no values, and refuse what they do not know."""
        return {name: value for name, value in dumped(self).items() if name != "values" or value}


class Announce(Params):
    type: Literal["ANNOUNCE"] = "ANNOUNCE"
    text: Line


class PlayerKick(Params):
    type: Literal["PLAYER_KICK"] = "PLAYER_KICK"
    identities: dict[Kind, Identifier]
    """Who: the agent finds them in the game's own list by these, and only then uses their slot there."""
    name: Annotated[str, StringConstraints(max_length=128)]
    reason: Reason
