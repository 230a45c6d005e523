"""An https server on loopback, with a certificate that only its own visitors trust."""

import ipaddress
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.services.downloads import Address, Downloads, Policy, public


def loopback(address: Address) -> bool:
    return address.is_loopback


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Mirror:
    """An https server, and downloads that trust it and are allowed to reach it."""

    port: int
    trust: ssl.SSLContext
    answers: dict[str, Handler] = field(default_factory=dict[str, Handler])
    asked: list[str] = field(default_factory=list[str])

    def downloads(self, *, strict: bool = False) -> Downloads:
        return Downloads(Policy(public if strict else loopback, self.trust))

    def url(self, path: str = "mod.zip", host: str = "localhost") -> str:
        return f"https://{host}:{self.port}/{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return await self.answers[request.path](request)


@asynccontextmanager
async def serving(place: Path) -> AsyncGenerator[Mirror]:
    """A mirror on a free port, its certificate in `place`."""
    trust = _certificate(place)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(place / "cert.pem", place / "key.pem")
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
    mirror = Mirror(0, trust)
    app.router.add_get("/{path:.*}", mirror.handle)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        await web.SockSite(runner, listening, ssl_context=serving).start()
        mirror.port = listening.getsockname()[1]
        yield mirror
        await runner.cleanup()


def _certificate(place: Path) -> ssl.SSLContext:
    """Writes a certificate for localhost; what trusts it and nothing else."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (place / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (place / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
    return ssl.create_default_context(cafile=str(place / "cert.pem"))


def says(body: bytes, status: int = 200, **headers: str) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer
