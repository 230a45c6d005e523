"""Becomes the real program, with its Discord on loopback: `python -m tests.wire.launch URL LEASE run`.

LEASE is how many seconds a lease holds.
"""

import sys

import discord.gateway
import discord.http
import yarl

from bot.services import leases


def main() -> None:
    """Points discord.py at the address, and hands over."""
    url, lease, *arguments = sys.argv[1:]
    discord.http.Route.BASE = f"{url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url.replace("http", "ws", 1)) / "gateway/"
    leases.SECONDS = float(lease)
    from bot.__main__ import main as gamekeeper

    sys.argv = ["gamekeeper", *arguments]
    gamekeeper()


if __name__ == "__main__":
    main()
