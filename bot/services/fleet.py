"""Servers come, change and go: `/fleet add|edit|remove`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from agent import wire
from bot import clock
from bot.domain import fleet as rules
from bot.domain.access import Scope
from bot.domain.actors import Actor
from bot.domain.fleet import Variable
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import alert_endings
from bot.services.confirmations import Done, Question, ask
from bot.services.hosts import locked_host, resolve_host
from bot.services.jobs_enqueue import enqueue
from bot.services.servers import VIEW, must_see, permitted, seen
from db.engine import Database
from db.failures import constraint_of
from db.queries import fleet, hosts
from db.queries.fleet import Taken
from db.queries.hosts import HostCard
from db.uow import Tx

FORM_FIELDS: Final = 4
"""A form has five fields; one is the name."""


@dataclass(frozen=True)
class Draft:
    """What the form of `/fleet add` or `/fleet edit` asks."""

    name: str
    game: str
    variables: tuple[Variable, ...]
    values: dict[str, str]


def _game(host: HostCard, game: str) -> tuple[dict[str, Any], tuple[Variable, ...]]:
    for report in host.games:
        if report["id"] == game:
            reported = wire.GameReport.model_validate(report)
            return report, tuple(
                Variable(
                    var.name, var.type, var.default or "", var.label or var.name.replace("_", " "), tuple(var.choices)
                )
                for var in reported.vars
            )
    able = ", ".join(report["id"] for report in host.games) or "none yet"
    raise NotFound(f"{safe(host.name)} cannot run {safe(game, 40)}.", f"Games that its agent allows: {able}.")


class Fleet:
    """Adds, edits and removes servers. What the agent must know raises its host's `servers_revision`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def games(self, actor: Actor, words: str) -> list[tuple[str, str]]:
        """For autocompletes: (id, name) of the games that some host of the org can run."""
        if not actor.may("servers.create"):
            return []
        async with self._db.read() as session:
            known = await hosts.cards(session, actor.org, limit=100)
        found = {report["id"]: report["name"] for host in known for report in host.games}
        wanted = words.casefold()
        return sorted((slug, name) for slug, name in found.items() if wanted in f"{slug} {name}".casefold())

    async def draft(self, actor: Actor, host_ref: str, game: str, name: str) -> tuple[HostCard, Draft]:
        """What the form of a new server starts with."""
        async with self._db.read() as session:
            await must_see(session, actor, "servers.create", None)
            host = await resolve_host(session, actor.org, host_ref)
            _, variables = _game(host, game)
            ports = [port for server in await fleet.taken(session, actor.org, host.id) for port in _ports(server)]
        return host, Draft(name, game, rules.asked(variables, FORM_FIELDS), rules.proposed(variables, ports))

    async def add(self, actor: Actor, host_ref: str, game: str, name: str, typed: Mapping[str, str]) -> Done:
        """Adds a server and lets its host set it up."""
        clean = _clean_name(name)
        async with self._db.uow(actor) as tx:
            await tx.require("servers.create")
            host = await locked_host(tx.session, actor.org, host_ref)
            report, variables = _game(host, game)
            others = await fleet.taken(tx.session, actor.org, host.id)
            start = rules.proposed(variables, [port for server in others for port in _ports(server)])
            values = _checked(variables, {**start, **typed, "name": clean}, others, actor.scope(VIEW))
            server_id = await self._insert(tx, host, report, clean, values, others)
            await fleet.raise_revision(tx.session, actor.org, host.id, clock.now())
            job = await enqueue(
                tx,
                type=JobType.SERVER_CREATE,
                server_id=server_id,
                host_id=host.id,
                params=wire.ServerCreate(),
                dedupe_key=f"power:{server_id}",
            )
            tx.audit(
                "fleet.add", resource=("server", server_id), jobId=str(job.id), number=job.number, name=clean, game=game
            )
            return Done(f"Setting up {safe(clean)} on {safe(host.name)}", job.where)

    async def _insert(
        self,
        tx: Tx,
        host: HostCard,
        report: dict[str, Any],
        name: str,
        values: dict[str, str],
        others: list[Taken],
    ) -> UUID:
        _, variables = _game(host, report["id"])
        try:
            return await fleet.add(
                tx.session,
                org_id=tx.actor.org,
                host_id=host.id,
                game=report["id"],
                name=name,
                slug=rules.slug(name, {server.slug for server in others}),
                sha256=bytes.fromhex(report["sha256"]),
                variables=values,
                port=_main_port(variables, values),
                now=clock.now(),
            )
        except IntegrityError as error:
            raise _refused(error, name) from error

    async def draft_of(self, actor: Actor, ref: str) -> tuple[UUID, Draft]:
        """What the form of `/fleet edit` starts with."""
        async with self._db.read() as session:
            server = await seen(session, actor, ref, "servers.edit")
            host = await resolve_host(session, actor.org, str(server.host_id))
            _, variables = _game(host, server.game)
        values = {**{var.name: var.default for var in variables}, **server.vars}
        return server.id, Draft(server.name, server.game, rules.asked(variables, FORM_FIELDS), values)

    async def edit(self, actor: Actor, ref: str, name: str, typed: Mapping[str, str]) -> Done:
        """Changes name and variables; the game reads them at its next start."""
        clean = _clean_name(name)
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, "servers.edit")
            if not await fleet.lock(tx.session, actor.org, server.id):  # before its host, as heartbeats do
                raise NotFound(f"{safe(server.name)} was removed meanwhile.", "`/server list` shows what there is.")
            await hosts.lock_servers_of(tx.session, actor.org, server.host_id)
            host = await resolve_host(tx.session, actor.org, str(server.host_id))
            _, variables = _game(host, server.game)
            others = [other for other in await fleet.taken(tx.session, actor.org, host.id) if other.id != server.id]
            values = _checked(variables, {**server.vars, **typed, "name": clean}, others, actor.scope(VIEW))
            try:
                await fleet.edit(
                    tx.session,
                    org_id=actor.org,
                    server_id=server.id,
                    name=clean,
                    variables=values,
                    port=_main_port(variables, values),
                    now=clock.now(),
                )
            except IntegrityError as error:
                raise _refused(error, clean) from error
            await fleet.raise_revision(tx.session, actor.org, host.id, clock.now())
            changed = {key: value for key, value in values.items() if server.vars.get(key) != value}
            tx.audit("fleet.edit", resource=("server", server.id), name=clean, changed=changed)
            return Done(f"{safe(clean)} was changed", "The game reads it at its next start." if changed else "")

    async def ask_remove(self, actor: Actor, ref: str) -> Question:
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, "servers.delete")
            tx.audit("fleet.remove.ask", resource=("server", server.id))
            return await ask(
                tx,
                "fleet.remove",
                {"server": str(server.id)},
                title=f"Remove {safe(server.name)}?",
                effect=[
                    f"The game is stopped. Its files stay on {safe(server.host_name)}, under a name that says so.",
                    "History, jobs and audit rows stay. It cannot be undone from Discord.",
                ],
                verb=f"Remove {server.name}",
                typed=server.name,
            )

    async def removed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Carries a confirmed removal out."""
        server = await permitted(tx, payload["server"], "servers.delete")
        job = await enqueue(
            tx,
            type=JobType.SERVER_REMOVE,
            server_id=server.id,
            host_id=server.host_id,
            params=wire.ServerRemove(),
            dedupe_key=f"power:{server.id}",
        )
        await fleet.remove(tx.session, tx.actor.org, server.id, clock.now())
        await alert_endings.entity_ends(tx, "server", server.id)
        await fleet.raise_revision(tx.session, tx.actor.org, server.host_id, clock.now())
        tx.audit("fleet.remove", resource=("server", server.id), jobId=str(job.id), number=job.number, name=server.name)
        return Done(f"Removing {safe(server.name)}", job.where)


def _clean_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 100 or not clean.isprintable():
        raise Invalid("A server's name has 1 to 100 printable characters.", "Choose another name.")
    return clean


def _checked(
    variables: tuple[Variable, ...], values: Mapping[str, str], others: list[Taken], shown: Scope
) -> dict[str, str]:
    """The values, as strings without spaces around them. `shown`: the others that a refusal may name."""
    known = {variable.name: values.get(variable.name, variable.default).strip() for variable in variables}
    for variable in variables:
        if wrong := rules.problem(variable, known[variable.name]):
            raise Invalid(wrong, "Nothing was changed. Give the command again.")
    names = {other.id: safe(other.name) if shown.covers(other.id) else "another server" for other in others}
    used = {port: names[other.id] for other in others for port in _ports(other)}
    if clash := rules.clashing_port(variables, known, used):
        raise Conflict(clash, "Choose another port; nothing was changed.")
    return known


def _ports(server: Taken) -> list[str]:
    return [value for key, value in server.vars.items() if key.endswith("port")]


def _main_port(variables: tuple[Variable, ...], values: Mapping[str, str]) -> int | None:
    return next((int(values[var.name]) for var in variables if var.type == "port"), None)


def _refused(error: IntegrityError, name: str) -> Exception:
    match constraint_of(error):
        case "uq_servers_org_name":
            return Conflict(
                f"There is a server called {safe(name)} already.", "Choose another name; nothing was changed."
            )
        case "uq_servers_host_port":
            return Conflict("Another server on that host has this port.", "Choose another port; nothing was changed.")
        case _:
            return error
