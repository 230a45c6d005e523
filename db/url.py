"""How the process reaches PostgreSQL: from a libpq URL to asyncpg's arguments."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from bot.errors import Invalid

_SCHEMES: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_LIBPQ_ONLY: Final = frozenset(
    "channel_binding connect_timeout fallback_application_name gssencmode keepalives keepalives_count keepalives_idle "
    "keepalives_interval load_balance_hosts require_auth sslcompression sslsni tcp_user_timeout".split()
)
_ALSO_TAKEN: Final = {"ssl": "sslmode"}
_CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Address:
    """A database, in the words of asyncpg: `asyncpg.connect(address.dsn, timeout=address.timeout)`."""

    dsn: str = field(repr=False)
    """Holds the password: not for log lines."""
    timeout: float
    """Seconds a connection attempt may take."""


def address(url: str) -> Address:
    """Reads `postgres://` and `postgresql://` URLs as libpq does: socket directory as `host`, `sslmode`, several hosts.

    Parameters that only libpq knows are left out: the server would refuse them as settings.

    Raises:
        Invalid: another scheme, or parameters that cannot be read.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:  # an IPv6 address whose bracket is missing
        raise Invalid(
            f"The database URL cannot be read: {error}.", "Write it as postgresql://user:password@host:5432/database."
        ) from error
    if parts.scheme not in _SCHEMES:
        raise Invalid(
            f"The database URL begins with {parts.scheme or 'no scheme'}.",
            "Write it as postgresql://user:password@host:5432/database.",
        )
    try:
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        seconds = float(given.get("connect_timeout") or _CONNECT_SECONDS)
    except ValueError as error:
        raise Invalid(
            f"The database URL has parameters that cannot be read: {error}.", "Write them as ?name=value&name=value."
        ) from error
    kept = {_ALSO_TAKEN.get(name, name): value for name, value in given.items() if name not in _LIBPQ_ONLY}
    dsn = f"postgresql://{parts.netloc}{parts.path}" + (f"?{urlencode(kept)}" if kept else "")
    return Address(dsn, seconds or _CONNECT_SECONDS)
