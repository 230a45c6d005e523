"""Host agents as the server knows them: paired with a one-time token, recognised by a revocable key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from agent import wire
from bot import clock
from bot.domain.actors import Actor, system
from bot.errors import AppError, Conflict
from bot.services import outbox
from bot.services.secrets import AGENT_KEY, SecretKeys, new_agent_key
from db.engine import Database
from db.failures import constraint_of
from db.queries import agents, records, servers_wanted
from db.queries.agents import Key, Token
from db.uow import Tx

GRACE: Final = timedelta(minutes=5)
"""How long the old key still works after its successor was first used: for requests under way."""
GAMES_MAX: Final = 50
"""Games that a host may report."""
_FACTS: Final = 32


class NotRecognised(AppError):
    """A wrong key or token. One text for wrong, used, expired and revoked: nobody learns which."""


def _wrong_key() -> NotRecognised:
    return NotRecognised(
        "This agent key is not valid.", "It was revoked or has expired: pair the host again (`/host add`)."
    )


def _wrong_token() -> NotRecognised:
    return NotRecognised(
        "This pairing token is not valid.", "It is wrong, was used or has expired: make a new one with `/host add`."
    )


def _facts(resources: Mapping[str, Any]) -> dict[str, Any]:
    """What the machine says of itself: a few short values."""
    scalars = ((name[:64], value) for name, value in resources.items() if isinstance(value, str | int | float))
    return {name: value[:200] if isinstance(value, str) else value for name, value in islice(scalars, _FACTS)}


@dataclass(frozen=True)
class HostIdentity:
    """A host whose agent has shown its key."""

    id: UUID
    org_id: UUID
    guild_id: int
    name: str
    key_id: UUID

    @property
    def actor(self) -> Actor:
        return Actor(type="agent", name=self.name, org_id=self.org_id, guild_id=self.guild_id)


class Agents:
    """Pairing, recognition, and the servers that an agent has to look after."""

    def __init__(self, db: Database, secrets: SecretKeys) -> None:
        self._db = db
        self._secrets = secrets

    async def pair(self, request: wire.PairRequest, ip: str | None) -> wire.PairAnswer:
        """Uses a pairing token up and gives its host a key. The token of an existing host revokes its older keys.

        Raises:
            NotRecognised: the token is wrong, used or expired.
            Conflict: another host has got its name meanwhile; the token stays good.
        """
        key, prefix = new_agent_key()
        try:
            async with self._db.uow(system("host.pair")) as tx:
                token = await agents.use_token(tx.session, self._secrets.digests(request.token))
                if token is None:
                    raise _wrong_token()
                tx.actor = Actor(type="agent", name=token.host_name, org_id=token.org_id, guild_id=token.guild_id)
                host_id = await self._host(tx, token, request, ip)
                await agents.new_key(
                    tx.session,
                    org_id=token.org_id,
                    host_id=host_id,
                    name=token.host_name,
                    prefix=prefix,
                    digest=self._secrets.digest(key),
                    confirmed=True,
                    by=token.created_by_id,
                    now=clock.now(),
                )
                await agents.token_used_by(tx.session, token.id, host_id)
                await self._announce(tx, token, host_id, request)
                tx.audit(
                    "host.pair",
                    resource=("host", host_id),
                    name=token.host_name,
                    hostname=request.hostname,
                    ip=ip,
                    keyPrefix=prefix,
                    again=token.host_id is not None,
                )
        except IntegrityError as error:
            if constraint_of(error) != "uq_hosts_org_name":
                raise
            raise Conflict("Another host has this name by now.", "Make a new token with `/host add`.") from error
        return wire.PairAnswer(host_id=host_id, agent_key=key)

    async def _host(self, tx: Tx, token: Token, request: wire.PairRequest, ip: str | None) -> UUID:
        games = [game.dump() for game in request.games[:GAMES_MAX]]
        values = {
            "hostname": request.hostname[:255],
            "ip": ip,
            "version": request.agent_version[:64],
            "games": games,
            "resources": _facts(request.resources),
            "now": clock.now(),
        }
        await agents.new_games(tx.session, games, clock.now())
        if token.host_id is None:
            return await agents.new_host(tx.session, {**values, "org": token.org_id, "name": token.host_name})
        await agents.host_again(tx.session, {**values, "host": token.host_id})
        await agents.drop_next_key(tx.session, token.host_id)
        await agents.revoke_keys(tx.session, token.org_id, token.host_id, token.created_by_id, clock.now())
        await records.begin_anew(tx.session, token.org_id, token.host_id)
        return token.host_id

    async def _announce(self, tx: Tx, token: Token, host_id: UUID, request: wire.PairRequest) -> None:
        channel = await outbox.channel_for(tx, tx.actor, "ops")
        if channel is not None:
            await outbox.post(
                tx.session,
                org_id=token.org_id,
                channel_id=channel,
                event_type="host.paired",
                payload={
                    "hostId": str(host_id),
                    "name": token.host_name,
                    "hostname": request.hostname[:255],
                    "games": [game.name for game in request.games],
                },
                dedupe_key=f"host.paired:{host_id}:{token.id}",
            )
            await tx.notify("gk_outbox")

    async def authenticate(self, key: str, ip: str | None) -> HostIdentity:
        """The host that a key belongs to. The first use of a rotated key makes it the host's key.

        Raises:
            NotRecognised: unknown, revoked or expired, or not from this address.
        """
        if not key.startswith(AGENT_KEY) or len(key) > 128:
            raise _wrong_key()
        async with self._db.read() as session:
            found = await agents.authenticate(session, self._secrets.digests(key), ip, clock.now())
        if found is None or not self._secrets.matches(key, found.key_hash) or not found.allowed:
            raise _wrong_key()
        host = HostIdentity(found.host_id, found.org_id, found.guild_id, found.name, found.key_id)
        if found.is_next:
            await self._confirm(host, found)
        elif found.stale:
            async with self._db.uow(host.actor) as tx:
                await agents.key_used(tx.session, found.key_id, clock.now())
        return host

    async def _confirm(self, host: HostIdentity, key: Key) -> None:
        async with self._db.uow(host.actor) as tx:
            if await agents.confirm_key(tx.session, host.id, key.key_id, GRACE.total_seconds(), clock.now()):
                tx.audit("host.key.rotated", resource=("host", host.id), name=host.name, keyPrefix=key.key_prefix)

    async def next_key(self, host: HostIdentity) -> str | None:
        """A successor for the host's key, while one is asked for; the one before, never used, is forgotten."""
        key, prefix = new_agent_key()
        async with self._db.uow(host.actor) as tx:
            if not await agents.rotation_pending(tx.session, host.id):
                return None
            await agents.drop_next_key(tx.session, host.id)
            await agents.new_key(
                tx.session,
                org_id=host.org_id,
                host_id=host.id,
                name=host.name,
                prefix=prefix,
                digest=self._secrets.digest(key),
                confirmed=False,
                by=None,
                now=clock.now(),
            )
        return key

    async def servers(self, host: HostIdentity) -> wire.ServerList:
        """The servers that a host has to look after, with the revision of this list."""
        async with self._db.read() as session:
            revision, rows = await servers_wanted.of_host(session, host.id)
        return wire.ServerList(revision=revision, servers=[wire.ServerSpec(**row) for row in rows])
