"""The simulated world: its clock, its members, its traffic."""
# pyright: reportPrivateUsage=false
# Private use is what this package is for; nothing else in the project may do it.

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

import simcord
from simcord.actors import MemberActor
from simcord.backend.access import can_access_channel, can_access_message
from simcord.backend.cdn import CDN_BASE
from simcord.builders import ChannelHandle, GuildHandle

from bot.errors import Unavailable

_AUTOCOMPLETE_RESULT: Final = 8
EXPECTED: Final = "3.2.1"


def guard() -> None:
    """Raises `Unavailable` when another simcord is installed than this package was written for."""
    if simcord.__version__ != EXPECTED:
        raise Unavailable(
            f"The playground needs simcord {EXPECTED}, but {simcord.__version__} is installed.",
            f"Install it: pip install 'simcord[preview]=={EXPECTED}'",
        )


def to_now(env: simcord.Env) -> None:
    """Move the simulated clock, which otherwise stands at 2026-01-01, to the present. Only before `env.start()`."""
    env.backend.advance_clock((datetime.now(UTC) - env.now()).total_seconds())


def faster_settle(seconds: float = 0.005) -> None:
    """Shorten the pause between two looks at a bot that waits for I/O: 50 ms for every action by default."""
    guard()
    defaults = simcord.Env._settle_internal.__kwdefaults__
    assert defaults is not None
    defaults["idle"] = seconds


def idle_seam(env: simcord.Env) -> Callable[[Awaitable[Any], str], Awaitable[Any]]:
    """What `bot.clock.idle` becomes under a simulated Discord.

    A wait of the bot's own tasks is declared, so that an action does not wait for it; workers outside just wait.
    """

    async def idle(awaitable: Awaitable[Any], reason: str) -> Any:
        if asyncio.current_task() in env._work.tasks:
            return await env.external_wait(awaitable, reason=reason)
        return await awaitable

    return idle


def name_bot(env: simcord.Env, name: str) -> None:
    """Give the bot's own account a name; simcord calls it TestBot. Only before `env.start()`."""
    env.backend.bot_user.name = name


def wear(env: simcord.Env, faces: Mapping[int, bytes]) -> dict[str, tuple[str, bytes]]:
    """Give each user (by id) a picture (PNG) and return the pictures by address, as `ChannelPage` takes them."""
    for user_id in faces:
        env.backend.get_user(user_id).avatar = "face"
    return {f"{CDN_BASE}/avatars/{user_id}/face.png": (f"{user_id}.png", png) for user_id, png in faces.items()}


def owner_of(guild: GuildHandle) -> MemberActor:
    """The guild's owner as somebody who can act."""
    return MemberActor(guild._env, guild, guild.owner)


def allow_command(env: simcord.Env, guild: GuildHandle, name: str, member: MemberActor) -> None:
    """Show a command to a member whom its default permissions would hide it from, as a server's settings can."""
    command = env.backend.find_command(name, guild.id)
    if command is None:
        raise LookupError(f"/{name} is not registered")
    guild.set_command_permissions(int(command["id"]), {member: True})


def may_read(channel: ChannelHandle, viewer: MemberActor) -> bool:
    """Whether Discord would show this channel to this member."""
    return can_access_channel(channel._env, channel.id, viewer, history=True)


def newest(channel: ChannelHandle, viewer: MemberActor) -> int:
    """The id of the last message that this member sees in the channel, or 0. Cheap, unlike `history()`."""
    env = channel._env
    messages = env.backend.messages.get(channel.id, {})
    for message_id in sorted(messages, reverse=True):
        if can_access_message(env, channel.id, messages[message_id], viewer, history=True):
            return message_id
    return 0


def touched(env: simcord.Env) -> set[int] | None:
    """The channels that the bot has written to since the last call; None when it may have been any.

    Forgets the requests meanwhile: simcord keeps every one, and a playground runs for days.
    """
    requests = list(env.backend.http_requests)
    env.backend.http_requests.clear()
    del env.backend.transcript[:-500]
    channels: set[int] = set()
    for request in requests:
        kind, _, rest = request.path.strip("/").partition("/")
        if kind == "channels":
            channels.add(int(rest.partition("/")[0]))
        elif kind in ("webhooks", "interactions") and not _is_suggestion(request.json):
            return None  # a private reply, in a channel that its address does not name
    return channels


def _is_suggestion(answer: Any) -> bool:
    return isinstance(answer, dict) and cast(dict[str, Any], answer).get("type") == _AUTOCOMPLETE_RESULT


def on_event(env: simcord.Env, listener: Callable[[str, Mapping[str, Any]], None]) -> Callable[[], None]:
    """Call `listener` with every gateway event of the simulated Discord; returns what ends that."""
    env.backend.subscribers.append(listener)
    return lambda: env.backend.subscribers.remove(listener)
