"""The simulated Discord in the browser: several live channels, seen as any of several members.

simcord's preview shows one channel and changes only after an action of its own page. Here each channel is such a
preview; they share one address, show what the bot does by itself, and outlive closed tabs.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import simcord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle

from bot.demo import simcord_private as private
from bot.demo.site import Site
from bot.errors import Unavailable

log = logging.getLogger(__name__)

PORT: Final = 8370
LOOK: Final = 1.0
"""Seconds between two looks for what no event tells of, such as edits of private replies."""
COALESCE: Final = 0.1
"""Seconds in which several changes become one publication."""
REPUBLISH: Final = 15.0
"""Seconds after which relative times ("3 minutes ago") are drawn again."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Something to try: a line that the page types into a channel as a given viewer."""

    title: str
    command: str
    channel: str
    viewer: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What there is to see: a guild, its channels in order, and the members one can be, by label."""

    guild: GuildHandle
    channels: Sequence[ChannelHandle]
    viewers: Mapping[str, MemberActor]
    suggestions: Sequence[Suggestion] = ()
    pictures: Mapping[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    """Faces by address, from `simcord_private.wear`."""


class Playground:
    """Serves a `Stage`. Whoever else acts on the simulated Discord meanwhile holds `lock` while doing so."""

    def __init__(
        self, env: simcord.Env, stage: Stage, lock: asyncio.Lock, *, capability: str, timezone: str = "UTC"
    ) -> None:
        private.guard()
        self.env = env
        self.stage = stage
        self.capability = capability
        self.timezone = timezone
        self.lock = lock
        self.pages: Final[dict[str, private.ChannelPage]] = {}
        self.boot: Final = secrets.token_hex(4)
        self._changed: Final = asyncio.Event()
        self._stale: set[int] = set()
        self._all: Final = {channel.id for channel in stage.channels}

    async def serve(self, stack: contextlib.AsyncExitStack, *, port: int = PORT) -> str:
        """Listen on loopback until `stack` unwinds, on the next free port if `port` is taken; the address to open."""
        listener = free_socket(port)
        stack.callback(listener.close)
        self.port: int = listener.getsockname()[1]
        for channel in self.stage.channels:
            await self._open(stack, channel)
        await Site(self).serve(stack, listener)
        stack.callback(private.on_event(self.env, self._heard))
        stack.push_async_callback(ended, asyncio.create_task(self._publish_changes()))
        return f"http://127.0.0.1:{self.port}/#{self.capability}"

    async def _open(self, stack: contextlib.AsyncExitStack, channel: ChannelHandle) -> None:
        viewers = [viewer for viewer in self.stage.viewers.values() if private.may_read(channel, viewer)]
        page = private.ChannelPage(
            channel,
            viewers,
            capability=self.capability,
            port=self.port,
            timezone=self.timezone,
            pictures=self.stage.pictures,
        )
        await page.open(stack, self.lock, self._changed.set)
        self.pages[str(channel.name)] = page

    def overview(self) -> dict[str, Any]:
        """What the frame around the channels shows: who one can be, which channels that member sees, what to try."""
        return {
            "boot": self.boot,
            "guild": self.stage.guild.name,
            "viewers": [
                {"label": label, "id": str(member.id), "name": member.user.global_name or member.name,
                 "channels": self._channels_of(member)}
                for label, member in self.stage.viewers.items()
            ],
            "suggestions": [asdict(suggestion) for suggestion in self.stage.suggestions],
        }  # fmt: skip

    def _channels_of(self, member: MemberActor) -> list[dict[str, str]]:
        return [
            {"name": name, "newest": str(private.newest(page.channel, member))}
            for name, page in self.pages.items()
            if private.may_read(page.channel, member)
        ]

    def _heard(self, _event: str, payload: Mapping[str, Any]) -> None:
        """A gateway event: something was said in a channel, or something happened to the guild."""
        channel = payload.get("channel_id")
        self._stale.update([int(channel)] if channel else self._all)
        self._changed.set()

    async def _publish_changes(self) -> None:
        """Bring what people and the bot did to the open browsers."""
        loop = asyncio.get_running_loop()
        shown = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._changed.wait()
                    await asyncio.sleep(COALESCE)
            self._changed.clear()
            written = private.touched(self.env)
            if written is None or loop.time() - shown > REPUBLISH:
                shown = loop.time()
                written = self._all
            await self._publish(self._stale | written)

    async def _publish(self, channels: set[int]) -> None:
        self._stale = set()
        for name, page in self.pages.items():
            try:
                if page.channel.id in channels and page.busy:
                    page.publish()
                    await asyncio.sleep(0)
            except Exception:  # top of the loop: one page that cannot be drawn must not stop the others
                log.exception("channel %s could not be shown", name)


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a background task and wait until it is gone."""
    task.cancel()
    await asyncio.wait([task])


def free_socket(port: int) -> socket.socket:
    """A bound socket on loopback: `port`, one of the nine after it, or any. Raises `Unavailable` when there is none."""
    for candidate in (*range(port, min(port + 10, 65536)), 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
            listener.listen(64)
        except OSError:
            listener.close()
            continue
        listener.setblocking(False)
        return listener
    raise Unavailable("No port on 127.0.0.1 is free.", "End what uses them.")


def stored_capability(path: Path) -> str:
    """The random part of the address, kept in `path` so that bookmarks survive a restart."""
    with contextlib.suppress(FileNotFoundError):
        if stored := path.read_text("utf-8").strip():
            return stored
    capability = secrets.token_urlsafe(24)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(capability + "\n", "utf-8")
    return capability


def local_timezone() -> str:
    """The machine's time zone by its IANA name, as the page needs it; UTC when there is no telling."""
    target = Path("/etc/localtime").resolve().as_posix()
    _, found, name = target.partition("/zoneinfo/")
    return name if found else "UTC"
