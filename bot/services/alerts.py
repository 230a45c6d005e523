"""Alert rules as people keep them: listed, added, switched on and off, tried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import Actor
from bot.domain.alert_conditions import NAME_MAX, SEVERITIES, TYPES, Condition, JobRunFailed, LogKeyword, read, stored
from bot.domain.alerts_past import Past
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import alert_endings, alerts_past, log_matching, outbox
from bot.services.hosts import resolve_host
from bot.services.servers import PAGE, VIEW, Page, resolve, seen
from db.engine import Database
from db.failures import constraint_of
from db.queries import alert_rules, incidents
from db.queries.alert_rules import RuleCard
from db.uow import Tx

_VIEW: Final = "alerts.view"
_MANAGE: Final = "alerts.manage"
MOST: Final = 100
"""Rules of an org: each log rule looks at every line."""
_ON_HOSTS: Final = "host_offline"


@dataclass(frozen=True)
class Scope:
    """What a rule is about; neither: everything in the guild."""

    host_id: UUID | None = None
    server_id: UUID | None = None
    name: str = ""


@dataclass(frozen=True)
class Kept:
    """A rule after a change, and where its messages go. No channels: `/incident list` is the only place."""

    rule: RuleCard
    channels: tuple[int, ...]
    past: Past | None = None


class Alerts:
    """What people do with rules."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, actor: Actor, *, state: str = "", page: int = 0) -> Page[RuleCard]:
        """By name. `state`: `on` or `off`."""
        async with self._db.read() as session:
            enabled = {"on": True, "off": False}.get(state)
            rows = await alert_rules.cards(
                session, actor.org, scope=actor.sight(_VIEW), enabled=enabled, limit=PAGE + 1, offset=page * PAGE
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str) -> list[RuleCard]:
        """For autocompletes."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            return await alert_rules.cards(session, actor.org, scope=actor.sight(_VIEW), words=words, limit=25)

    async def scope(self, actor: Actor, kind: str, host: str, server: str) -> Scope:
        """What the form of `/alert add` is about.

        Raises:
            Invalid, NotFound, NotPermitted: no such type, host or server, or one that the type does not watch.
        """
        _must_be_type(kind)
        if host and server:
            raise Invalid("A rule is about a host or about a server.", "Give one of the two, or neither for all.")
        if server and kind == _ON_HOSTS:
            raise Invalid("This type of rule watches hosts.", "Give a host instead, or nothing for all hosts.")
        async with self._db.read() as session:
            if server:
                await seen(session, actor, server, _MANAGE)
            return await _scope(session, actor, host, server)

    async def add(
        self, actor: Actor, kind: str, name: str, severity: str, condition: Mapping[str, Any], scope: Scope
    ) -> Kept:
        """`/alert add`: a rule that watches from now on.

        Raises:
            Invalid, Conflict, NotFound: what was entered cannot be, the name is taken, the host or server was removed.
        """
        clean = _clean_name(name)
        if severity not in SEVERITIES:
            raise Invalid("There is no such severity.", f"Severities: {', '.join(SEVERITIES.values())}.")
        checked = _checked(kind, condition)
        async with self._db.read() as session:
            past = await _past(session, actor.org, checked, scope)
        async with self._db.uow(actor) as tx:
            await tx.require(_MANAGE, server_id=scope.server_id)
            found = await _scope(tx.session, actor, _text(scope.host_id), _text(scope.server_id))
            if await alert_rules.count(tx.session, actor.org) >= MOST:
                raise Conflict(f"There are {MOST} rules already.", "One rule can be about all hosts or servers.")
            rule_id = await self._insert(tx, kind, clean, severity, checked, found)
            tx.audit("alert.add", resource=("alert_rule", rule_id), name=clean, type=kind, condition=stored(checked))
            kept = await self._kept(tx, rule_id)
            return Kept(kept.rule, kept.channels, past)

    async def _insert(self, tx: Tx, kind: str, name: str, severity: str, condition: Condition, scope: Scope) -> UUID:
        try:
            return await alert_rules.add(
                tx.session,
                org_id=tx.actor.org,
                name=name,
                kind=kind,
                condition=stored(condition),
                host_id=scope.host_id,
                server_id=scope.server_id,
                severity=severity,
                by=tx.actor.user_id,
                now=clock.now(),
            )
        except IntegrityError as error:
            if constraint_of(error) != "uq_alert_rules_org_name":
                raise
            raise Conflict(
                f"There is a rule called {safe(name)} already.", "Choose another name; nothing was changed."
            ) from error

    async def toggle(self, actor: Actor, ref: str) -> Kept:
        """Switches a rule on or off. What it has opened ends with it."""
        async with self._db.uow(actor) as tx:
            rule = await _rule(tx.session, actor.org, ref)
            await tx.require(_MANAGE, server_id=rule.server_id)
            on = await alert_rules.toggle(tx.session, actor.org, rule.id, clock.now())
            ended = [] if on else await alert_endings.rule_ends(tx, rule.id, "its rule was switched off")
            tx.audit("alert.toggle", resource=("alert_rule", rule.id), name=rule.name, enabled=on, ended=ended)
            return await self._kept(tx, rule.id)

    async def test(self, actor: Actor, ref: str) -> Kept:
        """Posts a card that says that it is a test where the rule's messages go.

        Raises:
            Conflict: they go nowhere yet.
        """
        async with self._db.uow(actor) as tx:
            rule = await _rule(tx.session, actor.org, ref)
            await tx.require(_MANAGE, server_id=rule.server_id)
            channels = await incidents.channels(tx.session, actor.org, rule.id, rule.severity)
            if not channels:
                raise Conflict(
                    "No channel takes this rule's messages: there would be only `/incident list`.",
                    "Choose a channel for alerts in `/setup start`.",
                )
            await _owe_test(tx, rule, channels)
            tx.audit("alert.test", resource=("alert_rule", rule.id), name=rule.name)
            return Kept(rule, tuple(channels))

    async def _kept(self, tx: Tx, rule_id: UUID) -> Kept:
        rule = await _rule(tx.session, tx.actor.org, str(rule_id))
        return Kept(rule, tuple(await incidents.channels(tx.session, tx.actor.org, rule.id, rule.severity)))


async def _owe_test(tx: Tx, rule: RuleCard, channels: list[int]) -> None:
    reference = tx.actor.invocation.reference if tx.actor.invocation else clock.now().isoformat()
    for channel in channels:
        await outbox.post(
            tx.session,
            org_id=tx.actor.org,
            channel_id=channel,
            event_type="alert.test",
            payload={"rule": rule.name, "severity": rule.severity, "by": tx.actor.name},
            dedupe_key=f"alert.test:{rule.id}:{channel}:{reference}",
        )
    await tx.notify(outbox.NOTIFY)


async def _scope(session: AsyncSession, actor: Actor, host: str, server: str) -> Scope:
    if server:
        found = await resolve(session, actor.org, server, actor.scope(VIEW))
        return Scope(None, found.id, found.name)
    if host:
        machine = await resolve_host(session, actor.org, host)
        return Scope(machine.id, None, machine.name)
    return Scope()


async def _past(session: AsyncSession, org_id: UUID, condition: Condition, scope: Scope) -> Past:
    try:
        return await alerts_past.count(session, org_id, condition, host_id=scope.host_id, server_id=scope.server_id)
    except log_matching.TooSlow as error:
        raise Invalid(str(error), "Give a simpler expression; nothing was changed.") from error


async def _rule(session: AsyncSession, org_id: UUID, ref: str) -> RuleCard:
    text = ref.strip()
    try:
        found = await alert_rules.card(session, org_id, rule_id=UUID(text))
    except ValueError:
        found = await alert_rules.card(session, org_id, name=text)
    if found is None:
        raise NotFound("There is no such rule here.", "Pick one of the suggestions; `/alert list` shows them.")
    return found


def _must_be_type(kind: str) -> None:
    if kind not in TYPES:
        raise Invalid("There is no such type of rule.", f"Types: {', '.join(TYPES)}.")


def _checked(kind: str, values: Mapping[str, Any]) -> Condition:
    _must_be_type(kind)
    try:
        condition = read(kind, values)
        if isinstance(condition, LogKeyword):
            log_matching.check(condition)
    except ValueError as error:
        raise Invalid(str(error), "Nothing was changed. Give the command again.") from error
    if isinstance(condition, JobRunFailed) and (unknown := sorted(set(condition.job_types) - set(JobType))):
        raise Invalid(f"There is no job type {safe(unknown[0], 40)}.", f"Types: {', '.join(JobType)}.")
    return condition


def _clean_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_MAX or not clean.isprintable():
        raise Invalid(f"A rule's name has 1 to {NAME_MAX} printable characters.", "Choose another name.")
    return clean


def _text(value: UUID | None) -> str:
    return str(value) if value else ""
