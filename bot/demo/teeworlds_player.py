"""A player of Teeworlds 0.7 that joins a server and stays, for the demo and for tests."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final, cast

from twnet_parser import huffman
from twnet_parser.messages7.control.close import CtrlClose
from twnet_parser.messages7.control.connect import CtrlConnect
from twnet_parser.messages7.control.keep_alive import CtrlKeepAlive
from twnet_parser.messages7.control.token import CtrlToken
from twnet_parser.messages7.game.cl_say import MsgClSay
from twnet_parser.messages7.game.cl_start_info import MsgClStartInfo
from twnet_parser.messages7.system.enter_game import MsgEnterGame
from twnet_parser.messages7.system.info import MsgInfo
from twnet_parser.messages7.system.ready import MsgReady
from twnet_parser.packer import Unpacker
from twnet_parser.packet import ChunkHeaderParser
from twnet_parser.packet7 import PACKET_HEADER7_SIZE, PacketHeaderParser7, TwPacket7

TICK: Final = 0.5
"""Seconds between keep-alives; the server drops a silent client after ten."""
_SEQUENCES: Final = 1 << 10
_MAP_CHANGE: Final = (True, 2)
_CON_READY: Final = (True, 5)
_READY_TO_ENTER: Final = (False, 8)
_ACCEPT: Final = 2
_CLOSE: Final = 4
_TOKEN: Final = 5


class JoinRefused(Exception):
    """The server did not let the player in; says why in the server's words."""


class TeeworldsBot(asyncio.DatagramProtocol):
    """One player. `disconnect_reason` is None while online, and the server's words (or `left`) afterwards."""

    def __init__(self, name: str, password: str = "") -> None:
        self.name = name
        self.disconnect_reason: str | None = None
        self._password = password
        self._transport: asyncio.DatagramTransport | None = None
        self._token = b"\xff\xff\xff\xff"
        self._own_token = os.urandom(4)
        self._acknowledged = 0
        self._sequence = 0
        self._unacknowledged: dict[int, Any] = {}
        self._entered = asyncio.Event()
        self._gone = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._accepted = False

    @classmethod
    async def join(
        cls, host: str, port: int, name: str, source: str = "127.0.0.2", *, password: str = "", timeout: float = 10
    ) -> "TeeworldsBot":
        """Join as `name` (at most 15 bytes) from the address `source`. Else JoinRefused."""
        bot = cls(name, password)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: bot, local_addr=(source, 0), remote_addr=(host, port))
        bot._ticking = asyncio.create_task(bot._tick())
        waiting = [asyncio.create_task(event.wait()) for event in (bot._entered, bot._gone)]
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if not bot.online:
            reason = bot.disconnect_reason or f"no answer within {timeout:g} s"
            await bot.leave()
            raise JoinRefused(reason)
        return bot

    @property
    def online(self) -> bool:
        """In the game right now."""
        return self._entered.is_set() and not self._gone.is_set()

    def say(self, text: str) -> None:
        """Chat to everybody."""
        self._send_reliably(MsgClSay(mode=1, target=-1, message=text))

    async def disconnected(self, timeout: float = 10) -> str:
        """Wait until the server drops the player; its reason. TimeoutError when it does not."""
        async with asyncio.timeout(timeout):
            await self._gone.wait()
        return self.disconnect_reason or ""

    async def leave(self) -> None:
        """Say goodbye and close the socket; nothing to do when the server has dropped the player."""
        if not self._gone.is_set():
            self._send_control(CtrlClose())
        self._end("left")
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        if self._transport is not None:
            self._transport.close()

    # ------------------------------------------------------------------------------------------------- what arrives

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the server's token: nothing is listened to without."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._send_control(CtrlToken(self._own_token))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there (any more)."""
        self._end(f"{exc.__class__.__name__}")

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A packet of the server; those with a wrong token are not for us."""
        header = PacketHeaderParser7().parse_header(data)
        if header.flags.connless or header.token != self._own_token or len(data) <= PACKET_HEADER7_SIZE:
            return
        payload = data[PACKET_HEADER7_SIZE:]
        if header.flags.control:
            self._control(payload)
            return
        self._forget_acknowledged(header.ack)
        if header.flags.compression:
            payload = huffman.decompress(payload)
        for system, identifier in self._messages(payload, header.num_chunks or 0):
            self._message((system, identifier))

    def _control(self, payload: bytes) -> None:
        if payload[0] == _TOKEN and len(payload) >= 5 and self._token == b"\xff\xff\xff\xff":
            self._token = payload[1:5]
            self._send_control(CtrlConnect(self._own_token))
        elif payload[0] == _ACCEPT and not self._accepted:
            self._accepted = True
            self._send_reliably(MsgInfo(password=self._password, client_version=0x0705))
        elif payload[0] == _CLOSE:
            self._end(payload[1:].split(b"\0")[0].decode(errors="replace") or "closed")

    def _messages(self, payload: bytes, chunks: int) -> Iterator[tuple[bool, int]]:
        """(is it a system message, its id) of each chunk that is new."""
        at = 0
        for _ in range(chunks):
            header = ChunkHeaderParser().parse_header7(payload[at : at + 3])
            at += 3 if header.flags.vital else 2
            content, at = payload[at : at + (header.size or 0)], at + (header.size or 0)
            if header.flags.vital:
                if header.seq != (self._acknowledged + 1) % _SEQUENCES:
                    continue  # seen before, or one is missing and will be sent again
                self._acknowledged = header.seq
            identifier = Unpacker(content).get_int()
            yield bool(identifier & 1), identifier >> 1

    def _message(self, kind: tuple[bool, int]) -> None:
        if kind == _MAP_CHANGE:
            self._send_reliably(MsgReady())
        elif kind == _CON_READY:
            self._send_reliably(MsgClStartInfo(name=self.name, clan="", country=-1))
        elif kind == _READY_TO_ENTER:
            self._send_reliably(MsgEnterGame())
            self._entered.set()

    def _end(self, reason: str) -> None:
        if not self._gone.is_set():
            self.disconnect_reason = reason
            self._gone.set()

    # ----------------------------------------------------------------------------------------------- what is sent

    async def _tick(self) -> None:
        while not self._gone.is_set():
            await asyncio.sleep(TICK)
            if not self._accepted:
                again = CtrlToken(self._own_token) if self._token == b"\xff" * 4 else CtrlConnect(self._own_token)
                self._send_control(again)
                continue
            for message in list(self._unacknowledged.values()):
                message.header.flags.resend = True
                self._send(message)
            self._send_control(CtrlKeepAlive())

    def _forget_acknowledged(self, acknowledged: int) -> None:
        for sequence in list(self._unacknowledged):
            if (acknowledged - sequence) % _SEQUENCES < _SEQUENCES // 2:
                del self._unacknowledged[sequence]

    def _send_reliably(self, message: Any) -> None:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        message.header.seq = self._sequence
        message.header.flags.vital = True
        self._unacknowledged[self._sequence] = message
        self._send(message)

    def _send_control(self, message: Any) -> None:
        self._send(message, control=True)

    def _send(self, message: Any, *, control: bool = False) -> None:
        packet = TwPacket7()
        packet.header.token = self._token
        packet.header.ack = self._acknowledged
        packet.header.flags.control = control
        packet.messages.append(message)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(packet.pack())
