"""The telnet console: who may connect, the login, the banner, and lines on their way to the game's frames."""

import asyncio

from bot.demo.sevendays import noise
from bot.demo.sevendays.console import Console
from bot.demo.sevendays.guard import LoginGuard
from bot.demo.sevendays.server import Server
from bot.demo.sevendays.session import Session

PROMPT = "Please enter password:"


class Telnet:
    """Listens while the server runs. Without a password it asks for none and listens on loopback alone."""

    def __init__(self, server: Server, console: Console) -> None:
        config = server.config
        self._server = server
        self._console = console
        self._password = config.text("TelnetPassword")
        self._guard = LoginGuard(config.number("TelnetFailedLoginLimit"), config.number("TelnetFailedLoginsBlocktime"))
        self._sessions: set[Session] = set()
        self._listener: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """A port that is taken leaves the game running without a console, with an error in the log."""
        port = self._server.config.number("TelnetPort")
        host = self._server.settings.bind if self._password else "127.0.0.1"
        try:
            self._listener = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            self._server.journal.error(f"Error in Telnet.ctor: {error.strerror} ({host}:{port})")
            return
        self._server.journal.listeners.append(self._broadcast)
        self._server.journal.info(f"Started Telnet on {port}")

    async def stop(self) -> None:
        """Send what is queued, close every connection. A client that does not read is not waited for."""
        if self._listener:
            self._listener.close()
        for session in self._sessions:
            session.close()
        if self._pumps:
            await asyncio.wait(self._pumps, timeout=1.0)

    def _broadcast(self, record: str) -> None:
        for session in self._sessions:
            session.record(record)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer, self._server.faults, self._server.settings.poll_seconds)
        if self._guard.blocked(session.ip):
            self._server.journal.info(f"Telnet connection not accepted for too many login attempts: {session.address}")
        else:
            await self._talk(session)
        writer.close()

    async def _talk(self, session: Session) -> None:
        """Until either side closes. What was sent before the client's end of file is still answered."""
        self._sessions.add(session)
        self._server.journal.info(f"Telnet connection from: {session.address}")
        self._greet(session)
        reading = asyncio.create_task(self._read(session))
        writing = asyncio.create_task(session.pump())
        self._pumps.add(writing)
        await asyncio.wait((writing,))
        reading.cancel()
        self._pumps.discard(writing)
        self._sessions.discard(session)
        self._server.journal.info(f"Telnet connection closed: {session.address}")

    async def _read(self, session: Session) -> None:
        async for line in session.lines():
            self._server.jobs.put_nowait(lambda line=line: self._take(session, line))
        self._server.jobs.put_nowait(session.close)

    def _greet(self, session: Session) -> None:
        if self._password:
            session.line(PROMPT)
        else:
            self._welcome(session)

    def _take(self, session: Session, line: str) -> None:
        """One line, in its frame."""
        if session.closing:
            return
        if line.casefold() == "exit":
            session.close()
        elif session.authenticated:
            self._execute(session, line)
        else:
            self._login(session, line)

    def _login(self, session: Session, password: str) -> None:
        if password == self._password:
            self._guard.succeeded(session.ip)
            session.raw("Logon successful.\r\n\r\n\r\n\r\n")
            self._welcome(session)
        elif self._guard.failed(session.ip):
            session.line("Too many failed login attempts!")
            session.close()
        else:
            session.line("Password incorrect, please enter password:")

    def _execute(self, session: Session, line: str) -> None:
        for answer in self._console.execute(line, f"Telnet from {session.address}"):
            session.line(answer)
            if self._server.faults.between:
                self._server.faults.between -= 1
                noise.make(self._server.journal)

    def _welcome(self, session: Session) -> None:
        session.authenticated = True
        config = self._server.config
        for line in (
            "*** Connected with 7DTD server.",
            f"*** Server version: {self._server.version_line}",
            "*** Dedicated server only build",
            "",
            "Server IP:   Any",
            f"Server port: {config.text('ServerPort')}",
            f"Max players: {config.text('ServerMaxPlayerCount')}",
            f"Game mode:   {config.text('GameMode')}",
            f"World:       {config.text('GameWorld')}",
            f"Game name:   {config.text('GameName')}",
            f"Difficulty:  {config.text('GameDifficulty')}",
            "",
            "Press 'help' to get a list of all commands. Press 'exit' to end session.",
            "",
        ):
            session.line(line)
