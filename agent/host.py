"""The machine: what it is, how loaded it is, and which games may run on it."""

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from agent import wire
from agent.config import AgentConfig
from games.catalog import GameTemplate

MB = 1 << 20


class Meter:
    """Measures the machine. The processors' load is that since the last call."""

    def __init__(self, root: Path) -> None:
        self._root = root
        psutil.cpu_percent()

    def metrics(self) -> wire.HostMetrics:
        """As of now."""
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(nearest(self._root)))
        network = psutil.net_io_counters(pernic=False)  # None inside a container without a network
        return wire.HostMetrics(
            cpu_percent=psutil.cpu_percent(),
            memory_mb=round((memory.total - memory.available) / MB, 1),
            memory_total_mb=round(memory.total / MB, 1),
            disk_mb=round(disk.used / MB, 1),
            disk_total_mb=round(disk.total / MB, 1),
            network_in_bytes=network.bytes_recv if network else 0,
            network_out_bytes=network.bytes_sent if network else 0,
            load_1m=round(os.getloadavg()[0], 2),
            uptime_sec=max(0, int(time.time() - psutil.boot_time())),
        )


def nearest(path: Path) -> Path:
    """The path, or the nearest directory above it that exists."""
    return next(one for one in (path, *path.parents) if one.is_dir())


def resources() -> dict[str, Any]:
    """What the machine is; for people to read."""
    return {
        "cores": psutil.cpu_count() or 1,
        "memoryMb": psutil.virtual_memory().total // MB,
        "os": _os(),
        "arch": platform.machine(),
        "python": platform.python_version(),
    }


def _os() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return f"{platform.system()} {platform.release()}"


def game_reports(config: AgentConfig, catalog: Mapping[str, GameTemplate]) -> list[wire.GameReport]:
    """The games that may run here."""
    return [game_report(template) for name, template in sorted(catalog.items()) if config.allows(name)]


def game_report(template: GameTemplate) -> wire.GameReport:
    """What the bot may know of a game. Secrets stay here."""
    return wire.GameReport(
        id=template.id,
        name=template.name,
        version=template.version,
        sha256=template.sha256,
        vars=[
            wire.Variable.model_validate(
                {
                    "name": name,
                    "type": variable.type,
                    "default": variable.default,
                    "label": variable.label,
                    "choices": list(variable.choices),
                }
            )
            for name, variable in template.public_vars.items()
        ],
        capabilities=list(template.capabilities),
        identity_kinds=list(template.identity.kinds),
        ban_by=list(template.identity.ban_by),
    )
