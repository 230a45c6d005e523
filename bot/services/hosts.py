"""Hosts as people use them: let one in, look at it, change its key, send it away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import alert_endings
from bot.services.confirmations import Done, Question, ask
from bot.services.secrets import SecretKeys, new_pairing_token
from bot.services.servers import PAGE, VIEW, Page, must_see
from db.engine import Database
from db.failures import constraint_of
from db.queries import agents, hosts
from db.queries.hosts import HostCard
from db.uow import Tx

TOKEN_LIFE: Final = timedelta(minutes=15)
_NAME_MAX: Final = 128
_SEE: Final = "nodes.view"


@dataclass(frozen=True)
class Pairing:
    """A one-time token, shown once: it is stored as a hash only."""

    token: str
    host_name: str
    expires_at: datetime
    again: bool
    """The host exists already and gets a new key."""


class Hosts:
    """What people do with hosts."""

    def __init__(self, db: Database, secrets: SecretKeys) -> None:
        self._db = db
        self._secrets = secrets

    async def add(self, actor: Actor, name: str) -> Pairing:
        """`/host add`: a token for a new host, or for one that has lost its key.

        Raises:
            Invalid, Conflict: no name, or a host of that name is connected.
        """
        async with self._db.uow(actor) as tx:
            pairing, host_id = await self.add_in(tx, name)
            tx.audit("host.add", resource=("host", host_id), name=pairing.host_name, again=pairing.again)
        return pairing

    async def add_in(self, tx: Tx, name: str) -> tuple[Pairing, UUID | None]:
        """Writes a pairing token within a unit of work of the caller, who names it in the audit row."""
        await tx.require("nodes.create")
        wanted = _checked(name)
        known = await hosts.card(tx.session, tx.actor.org, name=wanted)
        if known and known.online and known.key_prefix:
            raise Conflict(
                f"{safe(known.name)} is connected already.",
                "Give another name, or `/host revoke` it first to pair it again.",
            )
        token, host_id = new_pairing_token(), known.id if known else None
        expires_at = await agents.new_token(
            tx.session,
            org_id=tx.actor.org,
            digest=self._secrets.digest(token),
            name=known.name if known else wanted,
            host_id=host_id,
            seconds=TOKEN_LIFE.total_seconds(),
            by=tx.actor.user_id,
            now=clock.now(),
        )
        return Pairing(token, known.name if known else wanted, expires_at, known is not None), host_id

    async def list(self, actor: Actor, page: int = 0) -> Page[HostCard]:
        async with self._db.read() as session:
            await must_see(session, actor, _SEE, None)
            rows = await hosts.cards(session, actor.org, limit=PAGE + 1, offset=page * PAGE)
        return Page([_shown(actor, row) for row in rows[:PAGE]], page, len(rows) > PAGE)

    async def show(self, actor: Actor, ref: str) -> HostCard:
        async with self._db.read() as session:
            await must_see(session, actor, _SEE, None)
            return _shown(actor, await resolve_host(session, actor.org, ref))

    async def suggest(self, actor: Actor, words: str) -> list[HostCard]:
        """For autocompletes."""
        if not actor.may_on(_SEE, None):
            return []
        async with self._db.read() as session:
            return await hosts.cards(session, actor.org, words=words, limit=25)

    async def rename(self, actor: Actor, ref: str, name: str) -> tuple[str, str]:
        """`/host rename`: how it was called, and how it is called now. Its agent need not know.

        Raises:
            NotPermitted, NotFound, Invalid, Conflict: no name, or one that another host has.
        """
        wanted = _checked(name)
        try:
            async with self._db.uow(actor) as tx:
                host = await self._locked(tx, ref, "nodes.edit")
                await hosts.rename(tx.session, actor.org, host.id, wanted, clock.now())
                tx.audit("host.rename", resource=("host", host.id), before=host.name, name=wanted)
        except IntegrityError as error:
            if constraint_of(error) != "uq_hosts_org_name":
                raise
            raise Conflict(f"There is a host {safe(wanted)} already.", "Give another name.") from error
        return host.name, wanted

    async def rotate_key(self, actor: Actor, ref: str) -> HostCard:
        """`/host rotate-key`: its next heartbeat brings a new key; the old one ends when that was used.

        Raises:
            Conflict: it has no key that could be rotated.
        """
        async with self._db.uow(actor) as tx:
            host = await self._locked(tx, ref, "security.sessions")
            if host.key_prefix is None:
                raise Conflict(f"{safe(host.name)} has no key.", "Pair it again with `/host add`.")
            await hosts.request_rotation(tx.session, actor.org, host.id, clock.now())
            tx.audit("host.key.rotate", resource=("host", host.id), name=host.name, keyPrefix=host.key_prefix)
        return host

    async def revoke(self, actor: Actor, ref: str) -> HostCard:
        """`/host revoke`: its agent is shut out at once. What runs there goes on running."""
        async with self._db.uow(actor) as tx:
            host = await self._locked(tx, ref, "security.sessions")
            keys = await self._shut_out(tx, host)
            tx.audit("host.revoke", resource=("host", host.id), name=host.name, keys=keys)
        return host

    async def ask_remove(self, actor: Actor, ref: str) -> Question:
        """The question that `/host remove` puts."""
        async with self._db.uow(actor) as tx:
            host = await self._locked(tx, ref, "nodes.delete")
            tx.audit("host.remove.ask", resource=("host", host.id), name=host.name)
            return await ask(
                tx,
                "host.remove",
                {"host": str(host.id)},
                title=f"Remove {safe(host.name)}?",
                effect=["Its key is revoked at once. Its history stays.", "`/host add` pairs the machine again."],
                verb=f"Remove {host.name}",
                typed=host.name,
            )

    async def removed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Carries a confirmed removal out."""
        host = await self.remove_in(tx, payload["host"])
        return Done(f"{safe(host.name)} is removed", "Its agent is shut out.")

    async def remove_in(self, tx: Tx, ref: str) -> HostCard:
        """Takes a host out, with its audit row; its history stays.

        Raises:
            Conflict: servers or jobs are still there.
        """
        host = await self._locked(tx, ref, "nodes.delete")
        if host.servers:
            there = _shown(tx.actor, host).servers or ["servers that you do not see"]
            raise Conflict(
                f"{safe(host.name)} still has {safe(', '.join(there[:5]), 300)}.",
                "`/fleet remove` its servers first.",
            )
        if numbers := await hosts.live_jobs(tx.session, tx.actor.org, host.id):
            raise Conflict(
                f"J-{numbers[0]} still waits or runs on {safe(host.name)}.",
                "Wait for it, or cancel it with `/job cancel`.",
            )
        keys = await self._shut_out(tx, host)
        await hosts.remove(tx.session, tx.actor.org, host.id, clock.now())
        await alert_endings.entity_ends(tx, "host", host.id)
        tx.audit("host.remove", resource=("host", host.id), name=host.name, keys=keys)
        return host

    async def _shut_out(self, tx: Tx, host: HostCard) -> list[str]:
        keys = await agents.revoke_keys(tx.session, tx.actor.org, host.id, tx.actor.user_id, clock.now())
        await hosts.revoked(tx.session, tx.actor.org, host.id, clock.now())
        await tx.notify("gk_jobs", str(host.id))
        return keys

    async def _locked(self, tx: Tx, ref: str, permission: str) -> HostCard:
        await tx.require(permission)
        return await locked_host(tx.session, tx.actor.org, ref)


def _checked(name: str) -> str:
    wanted = " ".join(name.split())
    if not 1 <= len(wanted) <= _NAME_MAX or not wanted.isprintable():
        raise Invalid("That cannot be a host's name.", f"Give 1 to {_NAME_MAX} characters.")
    return wanted


def _shown(actor: Actor, host: HostCard) -> HostCard:
    """With those of its servers that the reader sees."""
    scope = actor.scope(VIEW)
    names = [name for name, key in zip(host.servers, host.server_ids, strict=True) if scope.covers(key)]
    return replace(host, servers=names)


async def resolve_host(session: AsyncSession, org_id: UUID, ref: str) -> HostCard:
    """The host that somebody means: an id from autocomplete, or its name.

    Raises:
        NotFound: none of this org; an id of another org reads the same.
    """
    text = ref.strip()
    try:
        found = await hosts.card(session, org_id, host_id=UUID(text))
    except ValueError:
        found = await hosts.card(session, org_id, name=text)
    if found is None:
        known = await hosts.cards(session, org_id, limit=5)
        names = ", ".join(safe(host.name) for host in known)
        raise NotFound(
            "There is no such host here.",
            f"Pick one of the suggestions. Hosts here: {names}." if names else "Add one with `/host add`.",
        )
    return found


async def locked_host(session: AsyncSession, org_id: UUID, ref: str) -> HostCard:
    """The host, held by this transaction: as it is once whoever held it before has committed.

    Raises:
        NotFound: none of this org, or removed meanwhile.
    """
    found = await resolve_host(session, org_id, ref)
    await hosts.lock(session, org_id, found.id)
    return await resolve_host(session, org_id, str(found.id))
