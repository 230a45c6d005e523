"""A game server that costs next to nothing: `python -I -S game.py PORT`, in a directory of its own.

It writes down what reaches it, one line for each, before it answers: so `ledger` says what happened, whatever the bot
and its agents believe. Standard library only, and of that as little as can be: 200 of them start on two cores.
"""

import fcntl
import os
import select
import socket
import sys

PASSWORD = "open"  # of a console that only this machine reaches
ledger = -1  # opened where the game runs: the template imports this as well


def note(words: str) -> None:
    os.write(ledger, words.encode() + b"\n")


def answer(line: str) -> list[str]:
    """What the console says to a line that somebody let in has sent."""
    verb, _, rest = line.partition(" ")
    if verb == "do":
        note(line)
        return [f"did {rest}"]
    if verb == "say":
        note(line.replace('"', ""))
        return [f"said {rest}"]
    if verb == "shutdown":
        note("end")
        sys.exit(0)
    return [f"no such command: {verb}"]


def serve(port: int) -> None:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(8)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    talking: dict[int, tuple[socket.socket, bytes, bool]] = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listening.fileno():
                caller = listening.accept()[0]
                caller.sendall(b"password?\n")
                talking[caller.fileno()] = caller, b"", False
                poll.register(caller, select.POLLIN)
            elif (left := heard(*talking[fd])) is None:
                poll.unregister(fd)
                talking.pop(fd)[0].close()
            else:
                talking[fd] = left


def heard(caller: socket.socket, before: bytes, let_in: bool) -> tuple[socket.socket, bytes, bool] | None:
    """Takes what a caller has sent; None: they hung up."""
    try:
        data = caller.recv(4096)
        if not data:
            return None
        *lines, rest = (before + data).split(b"\n")
        for line in lines:
            words = [*answer(line.decode())] if let_in else ["welcome" if line.decode() == PASSWORD else "wrong"]
            let_in = let_in or words == ["welcome"]
            caller.sendall("".join(f"{word}\n" for word in words).encode())
    except OSError:
        return None
    return caller, rest, let_in


def main() -> None:
    global ledger
    ledger = os.open("ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    alone = os.open("alone", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note("twice")  # another one runs in this directory
        sys.exit(1)
    note("start")
    serve(int(sys.argv[1]))


if __name__ == "__main__":
    main()
