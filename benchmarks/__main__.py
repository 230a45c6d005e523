"""The command line: `python -m benchmarks ack|audit|dispatch|scheduler|seal|start|all`."""

import argparse
from collections.abc import Callable
from typing import Any, Final

from benchmarks import ack, audit, dispatch, scheduler, seal, start

_ROWS: Final[dict[str, Callable[[], Any]]] = {
    "ack": ack.run,
    "audit": audit.run,
    "dispatch": dispatch.run,
    "scheduler": scheduler.run,
    "seal": seal.run,
    "start": start.run,
}


def main() -> None:
    """Runs what was asked for, everything if nothing was."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=[*_ROWS, "all"])
    name = parser.parse_args().name
    for row in _ROWS if name == "all" else [name]:
        _ROWS[row]()


if __name__ == "__main__":
    main()
