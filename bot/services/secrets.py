"""The secret keys of an installation: what agent keys and pairing tokens are hashed with."""

import base64
import binascii
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from bot import clock
from bot.domain.actors import system
from bot.errors import Invalid
from db.engine import Database
from db.queries import operations

log = logging.getLogger(__name__)

FILE: Final = "secret.keys"
AGENT_KEY: Final = "gsa_"
_PAIRING: Final = "gsp_"
_BYTES: Final = 32
_PREFIX: Final = 8
_STATE: Final = "secret_keys"


class SecretKeys:
    """One or more keys of 32 bytes. The first one writes, all of them recognise: a new one is put in front."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise Invalid("There is no secret key.", f"Set GAMEKEEPER_SECRET_KEYS, or remove the empty {FILE}.")
        self._peppers = [hmac.digest(key, b"gamekeeper pepper 1", "sha256") for key in keys]
        self.fingerprints: Final = tuple(
            hashlib.sha256(b"gamekeeper fingerprint 1" + key).hexdigest()[:16] for key in keys
        )

    @classmethod
    def load(cls, data_dir: Path, configured: str = "") -> "SecretKeys":
        """From the setting (keys in base64url, separated by commas), else from `<data>/secret.keys` (one a line, 0600),
        which is made when it is missing.

        Raises:
            Invalid: something in there is no key.
        """
        return cls(_read(configured.split(",")) if configured.strip() else _read(_file(data_dir).splitlines()))

    def digest(self, secret: str) -> bytes:
        """What is stored instead of a key or token."""
        return hmac.digest(self._peppers[0], secret.encode(), "sha256")

    def digests(self, secret: str) -> list[bytes]:
        """What may have been stored for it, under each key."""
        return [hmac.digest(pepper, secret.encode(), "sha256") for pepper in self._peppers]

    def matches(self, secret: str, stored: bytes) -> bool:
        """Compares in constant time."""
        return any(hmac.compare_digest(digest, stored) for digest in self.digests(secret))


def new_agent_key() -> tuple[str, str]:
    """A key for an agent, and the part of it that may be shown."""
    prefix = AGENT_KEY + secrets.token_hex(_PREFIX // 2)
    return prefix + secrets.token_urlsafe(_BYTES), prefix


def new_pairing_token() -> str:
    """Something to copy into one command on the host, once."""
    return _PAIRING + secrets.token_urlsafe(24)


async def check_fingerprint(db: Database, keys: SecretKeys) -> Literal["new", "same", "differs"]:
    """Compares the keys with those that this database was used with, and remembers them when at least one is known.

    `differs`: agents that were paired before cannot be recognised; the old keys have to be brought back.
    """
    async with db.uow(system("secrets")) as tx:
        stored = await operations.get_state(tx.session, _STATE)
        if stored and not set(stored["fingerprints"]) & set(keys.fingerprints):
            return "differs"
        if stored is None or stored["fingerprints"] != list(keys.fingerprints):
            await operations.set_state(tx.session, _STATE, {"fingerprints": list(keys.fingerprints)}, clock.now())
        return "same" if stored else "new"


def _read(lines: Sequence[str]) -> list[bytes]:
    return [_key(line.strip()) for line in lines if line.strip()]


def _key(text: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise Invalid("A secret key is not base64.", "Each is 32 random bytes in base64url.") from error
    if len(key) != _BYTES:
        raise Invalid(
            f"A secret key has {len(key)} bytes instead of {_BYTES}.", "Each is 32 random bytes in base64url."
        )
    return key


def _file(data_dir: Path) -> str:
    path = data_dir / FILE
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        log.warning("%s could be read by others; its mode is 0600 now", path)
        path.chmod(0o600)
    return path.read_text(encoding="ascii", errors="replace")


def _create(path: Path) -> None:
    """Makes the file whole: of two processes that start at once, both read what the first one made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        log.info("%s was made by another process just now", path)
    finally:
        draft.unlink(missing_ok=True)
