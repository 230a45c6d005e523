"""The real `gamekeeper run` as a process that can be killed, frozen and started again."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bot.services import leases
from tests.wire.discord_server import TOKEN, DiscordServer
from tests.wire.waiting import eventually

PROJECT: Final = Path(__file__).parents[2]
LEASE_SECONDS: Final = leases.SECONDS


class BotProcess:
    """One process of the bot. `database_url` empty: it brings its own database in `place`."""

    launcher: Sequence[str] = ("tests.wire.launch",)
    """The module that becomes the real program, and its own arguments."""

    def __init__(
        self,
        place: Path,
        discord: DiscordServer,
        database_url: str,
        *,
        port: int,
        name: str = "bot",
        token: str = TOKEN,
        lease: float = LEASE_SECONDS,
        roles: str = "bot,http,workers",
        public_url: str = "",
        shards: int = 1,
    ) -> None:
        self.place, self.discord, self.port, self.lease, self.roles = place, discord, port, lease, roles
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = place / f"{name}.log"
        self.process: asyncio.subprocess.Process | None = None
        self._settings = {
            "GAMEKEEPER_DISCORD_TOKEN": token,
            "GAMEKEEPER_DATABASE_URL": database_url,
            "GAMEKEEPER_DATA_DIR": str(place),
            "GAMEKEEPER_BIND": f"127.0.0.1:{port}",
            "GAMEKEEPER_PUBLIC_URL": public_url,
            "GAMEKEEPER_SHARDS": str(shards),
        }

    async def start(self, *, connects: bool = True) -> None:
        """Starts it; returns when it is connected, or (a standby) when it serves agents."""
        before = len(self.discord.gateway.connected)
        await self.spawn()
        if connects:
            await self.until(lambda: len(self.discord.gateway.connected) == before + 1 and bool(self.discord.commands))
        else:
            await self.until(self._serves)

    async def spawn(self) -> None:
        """Starts it, whatever becomes of it."""
        assert self.process is None, "it runs already"
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.launcher, self.discord.url, str(self.lease), "run", "--roles", self.roles,
                cwd=PROJECT,
                env={**_environment(), **self._settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip

    async def until(self, look: Callable[[], bool], seconds: float = 30.0) -> None:
        """Waits for something that this process has to bring about."""
        await eventually(lambda: look() or self._ended(), seconds, lambda: f"the bot said:\n{self.log()[-3000:]}")
        assert not self._ended(), f"the bot ended:\n{self.log()[-3000:]}"

    def _ended(self) -> bool:
        return self.process is None or self.process.returncode is not None

    def _serves(self) -> bool:
        with socket.socket() as tcp:
            return tcp.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        self.process = None

    async def terminate(self, seconds: float = 15.0) -> int:
        """SIGTERM; its exit code. Raises `TimeoutError`."""
        assert self.process is not None
        self.process.terminate()
        return await self.ended(seconds)

    async def ended(self, seconds: float = 30.0) -> int:
        """Waits until it has ended by itself; its exit code. Raises `TimeoutError`."""
        assert self.process is not None
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
        self.process = None
        return code

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def clean_up(self) -> None:
        """However the test ended, nothing of it runs on."""
        if self.process is not None and self.process.returncode is None:
            await self.kill()


def _environment() -> dict[str, str]:
    """Nothing of this machine's own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GAMEKEEPER_")}
