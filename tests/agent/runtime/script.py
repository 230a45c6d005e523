"""A game that does what a test writes into its script."""

import sys
from pathlib import Path

from agent.runtime.server import GameServer
from tests.agent.runtime.conftest import Card, Host

READY = "print('ready', flush=True)\n"
WAIT = "import time\ntime.sleep(60)\n"
DEAF = "import signal\nfor s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\n"


def write_game(host: Host, text: str, slug: str = "one") -> None:
    game = host.place / "servers" / slug / "game"
    game.write_text(f"#!{sys.executable} -Iu\n{text}")
    game.chmod(0o755)


async def made(host: Host, text: str, **wish: object) -> GameServer:
    """A server whose game is this script; not started."""
    server = await host.server(host.spec("scripted", **wish))
    await server.create(Card())
    write_game(host, text)
    return server


def game_of(host: Host, server: GameServer) -> Path:
    return host.config.state_dir / "instances" / str(server.spec.id) / "keeper"
