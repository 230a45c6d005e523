"""The template of the light game, as a host has it."""

import random
import socket
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from tests.faults.chaos import game

GAME: Final = "ledger"
_BELOW_EPHEMERAL: Final = (12_000, 32_000)
"""Ports that no outgoing connection takes by itself."""


def write_template(directory: Path, port: int) -> Path:
    """Servers of this host listen at `port` and the ports after it. Returns the file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{GAME}.yaml"
    path.write_text(yaml.safe_dump(_template(port), sort_keys=False), "utf-8")
    return path


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody uses at the moment."""
    while True:
        first = random.randrange(*_BELOW_EPHEMERAL)
        if all(map(_free, range(first, first + count))):
            return first


def _free(port: int) -> bool:
    with socket.socket() as tcp:
        try:
            tcp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _template(port: int) -> dict[str, Any]:
    return {
        "schema": 1,
        "id": GAME,
        "name": "Ledger",
        "version": 1,
        "vars": {"port": {"type": "port", "default": port, "label": "Console port"}},
        "process": {
            "argv": [sys.executable, "-I", "-S", game.__file__, "{port}"],
            "ready": {"all": [{"log": "^ready$"}], "timeout": 60},
            "stop": [{"action": "shutdown", "wait_exit": 20}, {"signal": "KILL"}],
            "ports": [{"name": "console", "proto": "tcp", "var": "port", "expose": "never"}],
        },
        "console": {
            "driver": "line_tcp",
            "address": "127.0.0.1:{port}",
            "record_end": "\n",
            "login": {
                "prompt": r"^password\?$",
                "send": game.PASSWORD,
                "ok": "^welcome$",
                "bad": "^wrong$",
                "locked": "^locked$",
            },
            "end": {"fence": {"send": "zz{nonce}", "expect": "^no such command: (?P<fence>zz[0-9a-f]+)$"}},
            "pace": {"burst": 100, "per_second": 100},
            "max_command": 600,
            "quoting": {"style": "double_quote_backslash"},
        },
        "identity": {"kinds": {"name": {"pattern": ".", "durable": False}}, "ban_by": []},
        "actions": {
            "say": {"send": "say {q:text}", "ok": "^said "},
            "shutdown": {"send": "shutdown", "closes": True},
        },
        "log": {"source": {"stdout": True}, "record": "^(?P<msg>.*)$", "events": {"crash": "^Traceback"}},
    }
