"""The command line: `python -m benchmarks ack|dispatch|start|all`."""

import argparse
from collections.abc import Callable
from typing import Any, Final

from benchmarks import ack, dispatch, start

_ROWS: Final[dict[str, Callable[[], Any]]] = {"ack": ack.run, "dispatch": dispatch.run, "start": start.run}


def main() -> None:
    """Runs what was asked for, everything if nothing was."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=[*_ROWS, "all"])
    name = parser.parse_args().name
    for row in _ROWS if name == "all" else [name]:
        _ROWS[row]()


if __name__ == "__main__":
    main()
