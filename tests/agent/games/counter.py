"""A game that counts: one line in `starts` for each start, one in `stops` for each orderly end."""

import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
DELAY, LINGER = (int(argument) / 10 for argument in sys.argv[1:3])


def note(name: str) -> None:
    with open(HERE / name, "a") as file:
        file.write(f"{time.time()}\n")


def end(*_: object) -> None:
    time.sleep(LINGER)
    note("stops")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
note("starts")
time.sleep(DELAY)
print("ready", flush=True)
while True:
    time.sleep(1)
