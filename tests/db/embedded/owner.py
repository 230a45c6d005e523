"""A process that owns a server: `python -m tests.db.embedded.owner DATA [--uid N] [--umask 077]`.

Says `ready PID` or `refused SENTENCE`, then waits until its standard input ends."""

import argparse
import encodings.idna
import os
import pwd
import sys
from pathlib import Path

from bot.errors import AppError
from db.embedded import EmbeddedPostgres, programs

assert encodings.idna  # loaded while this process may still read the interpreter's files


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--umask", default="022")
    given = parser.parse_args()
    os.umask(int(given.umask, 8))
    if given.uid is not None:
        os.setgroups([])
        os.setgid(pwd.getpwuid(given.uid).pw_gid)
        os.setuid(given.uid)
    server = EmbeddedPostgres(given.data, settings={"fsync": "off"})
    try:
        server.start()
        server.create_database()
        print(f"ready {server.pid}", flush=True)
    except AppError as error:
        print(f"refused {error.what} | {error.remedy}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    assert programs
    main()
