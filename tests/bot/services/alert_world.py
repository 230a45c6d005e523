"""A guild whose alerts are evaluated when a test says so, at a time that it sets."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from agent import wire
from bot import clock
from bot.domain.actors import Actor, system
from bot.services.agents import HostIdentity
from bot.services.alert_evaluation import AlertEvaluation
from bot.services.alerts import Alerts
from bot.services.incidents import Incidents
from bot.services.setup import Setup
from tests.bot.world import World

ALERTS = 888
"""The channel."""


class Watchtower:
    """Rules, a host, its servers, and what is seen of them."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.now = datetime.now(UTC)
        monkeypatch.setattr(clock, "now", lambda: self.now)
        self.evaluation = AlertEvaluation(world.db)
        self.alerts, self.incidents = Alerts(world.db), Incidents(world.db)
        self.host: HostIdentity
        self.server: UUID

    async def built(self, *, channel: bool = True) -> "Watchtower":
        """With a channel for alerts, which switches the first rules on, and a server that runs and is to run."""
        if channel:
            await Setup(self.world.db).set_channel(self.world.admin(), "alerts", ALERTS)
        self.host, _ = await self.world.pair()
        self.server = await self.add_server("EU1")
        self.later(1)
        return self

    async def add_server(self, name: str, host: HostIdentity | None = None) -> UUID:
        server = await self.world.server(host or self.host, name)
        await self.world.rows("update server_instances set desired_state = 'running' where id = :id", id=server)
        await self.report(server, host=host)
        return server

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def report(self, server: UUID | None = None, host: HostIdentity | None = None, **values: Any) -> None:
        """A heartbeat that says how a server is: up, unless the test says otherwise."""
        report: dict[str, Any] = {"id": server or self.server, "state": "running", "reachable": True, **values}
        await self.world.beat(host or self.host, wire.ServerReport(**report))

    async def beat(self) -> None:
        """A heartbeat without servers."""
        await self.world.beat(self.host)

    async def look(self, **values: Any) -> dict[str, int]:
        """A look at everything, the hosts included; with values, after a report of the server."""
        if values:
            await self.report(**values)
        states = await self.evaluation.states()
        silence = await self.evaluation.silence()
        return {step: states.get(step, 0) + silence.get(step, 0) for step in states | silence}

    async def clear(self) -> None:
        """It is up, and stays so long enough."""
        await self.look(state="running")
        self.later(16)
        await self.look(state="running")

    async def rule(self, kind: str, condition: dict[str, Any] | None = None, **values: Any) -> UUID:
        """An enabled rule, as somebody would have added it."""
        given: dict[str, Any] = {"severity": "med", "cooldown": 300, "host": None, "server": None, "enabled": True}
        given |= values
        return await self.world.value(
            """insert into alert_rules (org_id, name, type, condition, severity, cooldown_seconds, host_id,
                                        server_instance_id, enabled, created_at, updated_at)
               values (:org, :name, :kind, cast(:condition as jsonb), :severity, :cooldown, :host, :server, :enabled,
                       :now, :now) returning id""",
            org=self.world.org_id,
            kind=kind,
            now=self.now,
            condition=json.dumps(condition or {}),
            **{"name": f"{kind} {values}"[:200], **given},
        )

    async def status(self) -> list[tuple[int, str]]:
        """Number and status of every incident."""
        rows = await self.world.rows(
            "select number, status from incidents where org_id = :org order by number", org=self.world.org_id
        )
        return [(row[0], row[1]) for row in rows]

    async def lines(self, number: int = 1) -> list[str]:
        """The types of the lines in an incident's timeline."""
        rows = await self.world.rows(
            """select e.type from incident_events e join incidents i on i.id = e.incident_id
                where i.org_id = :org and i.number = :number order by e.id""",
            org=self.world.org_id,
            number=number,
        )
        return [row[0] for row in rows]

    async def firings(self) -> set[tuple[UUID, str]]:
        """(rule, fingerprint) of all that fires."""
        rows = await self.world.rows("select rule_id, fingerprint from alert_firings where status = 'firing'")
        return {(row[0], row[1]) for row in rows}

    async def owed(self, op: str = "post") -> int:
        """How many posts or edits of incidents' cards the outbox has had."""
        return await self.world.value(
            """select count(*) from notification_jobs n join bot_messages m on m.id = n.bot_message_id
                where m.kind = 'incident' and n.op = :op""",
            op=op,
        )

    async def sent(self) -> None:
        """What was owed is in Discord."""
        await self.world.rows("update notification_jobs set status = 'sent', sent_at = now() where status = 'pending'")

    async def counted(self, n: int) -> None:
        """So many lines that log rules look for, just now."""
        await self.world.rows(
            """insert into alert_counts (rule_id, entity_id, bucket, n)
               select id, :server, date_bin('10 seconds', cast(:now as timestamptz), 'epoch'), :n
                 from alert_rules where type = 'log_keyword'""",
            server=str(self.server),
            now=self.now,
            n=n,
        )

    def system(self) -> Actor:
        return system("test", self.world.org_id)
