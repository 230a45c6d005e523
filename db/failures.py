"""Database failures in the words of `bot.errors`: what leaves this package is an expected error or a bug."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import AlreadyHandled, Unavailable

_QUERY_CANCELED, _LOCK_NOT_AVAILABLE, _DEADLOCK = "57014", "55P03", "40P01"
_SHUTDOWN_CLASS, _CONNECTION_CLASS = "57P", "08"


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that refused, for translating it into a sentence; empty where there is none."""
    cause = getattr(error.orig, "__cause__", None) or error.orig  # SQLAlchemy's driver wraps asyncpg's error once more
    return str(getattr(cause, "constraint_name", "") or "")


def _is_away(error: DBAPIError) -> bool:
    state = str(getattr(error.orig, "sqlstate", "") or "")
    return (
        error.connection_invalidated
        or state in (_QUERY_CANCELED, _LOCK_NOT_AVAILABLE, _DEADLOCK)
        or state.startswith((_SHUTDOWN_CLASS, _CONNECTION_CLASS))
        or not state
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turns 'the database is away, stalled or overloaded' into `Unavailable`, and a lost race for an interaction into
    `AlreadyHandled`. Everything else passes: services translate their own constraints, the rest is a bug."""
    try:
        yield
    except IntegrityError as error:
        if constraint_of(error) == "uq_audit_interaction":
            raise AlreadyHandled from error
        raise
    except DBAPIError as error:
        if not _is_away(error):
            raise
        raise Unavailable(
            "The database did not answer in time.", "Try again in a minute; nothing was half-done."
        ) from error
    except (PoolTimeout, OSError, TimeoutError) as error:
        raise Unavailable("The database cannot be reached.", "Try again in a minute; nothing was half-done.") from error
