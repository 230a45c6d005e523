"""A replica whose runs are held for another time: `python -m tests.faults.chaos.launch RUN_LEASE URL LEASE run`."""

import sys
from datetime import timedelta

from bot.domain import jobs


def main() -> None:
    """Hands over to the launcher of the wire."""
    run_lease = sys.argv.pop(1)
    jobs.LEASE = timedelta(seconds=float(run_lease))  # type: ignore[misc]  # before the statements are made from it
    from tests.wire.launch import main as launch

    launch()


if __name__ == "__main__":
    main()
