"""Starts a bot in this process whose Discord is on loopback: `python -m benchmarks.launch URL gamekeeper|bare`."""

import sys

import discord.gateway
import discord.http
import yarl


def main() -> None:
    """Points discord.py at the address and becomes the program."""
    url, program = sys.argv[1:3]
    discord.http.Route.BASE = f"{url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url.replace("http", "ws", 1)) / "gateway/"
    if program == "gamekeeper":
        from bot.__main__ import main as gamekeeper

        sys.argv = ["gamekeeper", "run"]
        gamekeeper()
    else:
        from benchmarks.bare_bot import run

        run()


if __name__ == "__main__":
    main()
