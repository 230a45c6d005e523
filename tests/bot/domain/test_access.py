"""Who may do what: every step, what it is stronger than, and what has ended."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import ABOVE_ALL, Decision, Grants, HeldRole, Override, Scope, ServerRole, Step
from tests.bot.domain.access_worlds import NOW, PERMISSIONS, SERVERS, decided, grants, guild

VIEW, RESTART = PERMISSIONS
EU, US, TEST = SERVERS
UNKNOWN = UUID(int=99)
EVERYONE, STAFF = 1001, 501


def role(*permissions: str, on: set[UUID] | None = None, priority: int = 40, discord: int | None = STAFF) -> HeldRole:
    servers = None if on is None else frozenset(on)
    return HeldRole(
        role="moderator",
        priority=priority,
        permissions=frozenset(permissions),
        discord_role_id=discord,
        servers=servers,
        tag="pvp" if on else None,
    )


def here(*permissions: str, until: datetime | None = None, server: UUID = EU) -> ServerRole:
    return ServerRole(server_id=server, role="guest", priority=0, permissions=frozenset(permissions), expires_at=until)


def exception(granted: bool, server: UUID | None = None, until: datetime | None = None) -> Override:
    return Override(permission=RESTART, granted=granted, server_id=server, expires_at=until)


ALLOW, DENY = exception(True), exception(False)
ALLOW_EU, DENY_EU = exception(True, EU), exception(False, EU)
MOD, PLAYER = role(VIEW, RESTART), role(VIEW, discord=EVERYONE, priority=0)
ON_EU = role(RESTART, on={EU})


@pytest.mark.parametrize(
    ("held", "server", "allowed", "step"),
    [
        ({}, EU, False, Step.NOTHING),
        ({}, None, False, Step.NOTHING),
        ({"roles": [PLAYER]}, EU, False, Step.NOTHING),
        # 5: roles, of the org, of the server, of its tags, of @everyone
        ({"roles": [PLAYER, MOD]}, EU, True, Step.ROLE),
        ({"roles": [MOD]}, None, True, Step.ROLE),
        ({"roles": [role(RESTART, discord=None)]}, EU, True, Step.ROLE),
        ({"roles": [role(RESTART, discord=EVERYONE)]}, US, True, Step.ROLE),
        ({"roles": [role(RESTART, discord=EVERYONE, on={EU})]}, EU, True, Step.ROLE),
        ({"roles": [ON_EU]}, EU, True, Step.ROLE),
        ({"roles": [ON_EU]}, US, False, Step.NOTHING),
        ({"roles": [ON_EU]}, None, False, Step.NOTHING),
        ({"roles": [role(RESTART, on={EU, US})]}, US, True, Step.ROLE),
        ({"roles": [role(RESTART, on=set())]}, EU, False, Step.NOTHING),
        # 4: the role of a server, in place of every other one there
        ({"roles": [MOD], "server_roles": [here(VIEW)]}, EU, False, Step.SERVER_ROLE),
        ({"roles": [ON_EU], "server_roles": [here(VIEW)]}, EU, False, Step.SERVER_ROLE),
        ({"roles": [PLAYER], "server_roles": [here(RESTART)]}, EU, True, Step.SERVER_ROLE),
        ({"roles": [MOD], "server_roles": [here(VIEW)]}, US, True, Step.ROLE),
        ({"roles": [PLAYER], "server_roles": [here(RESTART)]}, US, False, Step.NOTHING),
        ({"roles": [PLAYER], "server_roles": [here(RESTART)]}, None, False, Step.NOTHING),
        # 3: an exception everywhere
        ({"overrides": [ALLOW]}, EU, True, Step.ORG_OVERRIDE),
        ({"overrides": [ALLOW]}, None, True, Step.ORG_OVERRIDE),
        ({"roles": [MOD], "overrides": [DENY]}, EU, False, Step.ORG_OVERRIDE),
        ({"roles": [MOD], "overrides": [DENY]}, None, False, Step.ORG_OVERRIDE),
        ({"overrides": [DENY], "server_roles": [here(RESTART)]}, EU, False, Step.ORG_OVERRIDE),
        ({"overrides": [ALLOW], "server_roles": [here(VIEW)]}, EU, True, Step.ORG_OVERRIDE),
        # 2: an exception on one server
        ({"overrides": [ALLOW_EU]}, EU, True, Step.SERVER_OVERRIDE),
        ({"overrides": [ALLOW_EU]}, US, False, Step.NOTHING),
        ({"overrides": [ALLOW_EU]}, None, False, Step.NOTHING),
        ({"overrides": [DENY, ALLOW_EU]}, EU, True, Step.SERVER_OVERRIDE),
        ({"overrides": [DENY, ALLOW_EU]}, US, False, Step.ORG_OVERRIDE),
        ({"overrides": [ALLOW, DENY_EU]}, EU, False, Step.SERVER_OVERRIDE),
        ({"roles": [MOD], "overrides": [DENY_EU]}, EU, False, Step.SERVER_OVERRIDE),
        ({"roles": [MOD], "overrides": [DENY_EU]}, US, True, Step.ROLE),
        ({"roles": [MOD], "overrides": [DENY_EU]}, None, True, Step.ROLE),
        ({"overrides": [DENY_EU], "server_roles": [here(RESTART)]}, EU, False, Step.SERVER_OVERRIDE),
        # 1: break-glass is stronger than everything
        ({"break_glass": True, "overrides": [DENY, DENY_EU], "server_roles": [here()]}, EU, True, Step.BREAK_GLASS),
        ({"break_glass": True, "overrides": [DENY]}, None, True, Step.BREAK_GLASS),
        # what has ended lets the next step decide, at the very moment
        ({"overrides": [exception(True, EU, NOW)]}, EU, False, Step.NOTHING),
        ({"overrides": [exception(True, EU, NOW + timedelta(microseconds=1))]}, EU, True, Step.SERVER_OVERRIDE),
        ({"roles": [MOD], "overrides": [exception(False, None, NOW)]}, EU, True, Step.ROLE),
        ({"roles": [MOD], "overrides": [exception(False, EU, NOW), DENY]}, EU, False, Step.ORG_OVERRIDE),
        ({"roles": [MOD], "server_roles": [here(VIEW, until=NOW)]}, EU, True, Step.ROLE),
        ({"server_roles": [here(RESTART, until=NOW)]}, EU, False, Step.NOTHING),
        # another permission's exception says nothing
        ({"overrides": [Override(permission=VIEW, granted=True)]}, EU, False, Step.NOTHING),
    ],
)  # fmt: skip
def test_the_first_step_that_has_an_answer_decides(
    held: dict[str, Any], server: UUID | None, allowed: bool, step: Step
) -> None:
    rows: dict[str, Any] = {name: value if value is True else tuple(value) for name, value in held.items()}
    decision = Grants(**rows).decide(RESTART, server, NOW)
    assert (decision.allowed, decision.step) == (allowed, step)


def test_the_decision_shows_what_it_went_by() -> None:
    other = role(RESTART, discord=None)
    assert Grants(roles=(MOD, PLAYER, other, ON_EU)).decide(RESTART, US, NOW).because == (MOD, other)
    guest = here(VIEW)
    assert Grants(roles=(MOD,), server_roles=(guest,)).decide(RESTART, EU, NOW).because is guest
    assert Grants(overrides=(DENY, ALLOW_EU)).decide(RESTART, EU, NOW).because is ALLOW_EU
    assert Grants().decide(RESTART, EU, NOW) == Decision(False, Step.NOTHING, None)


def test_the_servers_on_which_somebody_may() -> None:
    everywhere_but_eu = Grants(roles=(MOD,), overrides=(DENY_EU,)).scope(RESTART, NOW)
    assert everywhere_but_eu == Scope(True, frozenset({EU}))
    assert [everywhere_but_eu.covers(one) for one in (EU, US, UNKNOWN, None)] == [False, True, True, True]
    only_eu = Grants(roles=(PLAYER, ON_EU)).scope(RESTART, NOW)
    assert only_eu == Scope(False, frozenset({EU})) and not only_eu.nowhere
    assert Grants(break_glass=True, overrides=(DENY_EU,)).scope(RESTART, NOW) == Scope(True)
    assert Grants(roles=(PLAYER,)).scope(RESTART, NOW).nowhere
    assert Grants(roles=(ON_EU,), overrides=(DENY_EU,)).scope(RESTART, NOW).nowhere


@pytest.mark.parametrize(
    "one", [Scope(True), Scope(True, frozenset({EU})), Scope(False), Scope(False, frozenset({EU, US}))]
)
@pytest.mark.parametrize(
    "other", [Scope(True), Scope(True, frozenset({EU, TEST})), Scope(False, frozenset({US, TEST}))]
)
def test_two_scopes_together(one: Scope, other: Scope) -> None:
    for server in (EU, US, TEST, UNKNOWN, None):
        both = one.covers(server) and other.covers(server)
        assert (one & other).covers(server) == (other & one).covers(server) == both


def test_rank_is_that_of_roles_in_the_whole_org() -> None:
    assert Grants().rank() is None
    assert Grants(roles=(PLAYER,)).rank() == 0
    assert Grants(roles=(PLAYER, MOD, role(VIEW, on={EU}, priority=100))).rank() == 40
    assert Grants(server_roles=(here(VIEW),)).rank() is None
    assert Grants(break_glass=True).rank() == ABOVE_ALL


def test_it_says_when_the_first_of_it_ends() -> None:
    soon, later = NOW + timedelta(minutes=1), NOW + timedelta(days=1)
    assert Grants(roles=(MOD,), overrides=(ALLOW,)).ends() is None
    assert Grants(overrides=(exception(True, EU, later),), server_roles=(here(until=soon),)).ends() == soon


@given(st.binary(min_size=48, max_size=48))
@settings(max_examples=10_000)
def test_it_decides_as_the_six_steps_say(data: bytes) -> None:
    rows = guild(data)
    held = grants(rows)
    for permission in PERMISSIONS:
        scope = held.scope(permission, NOW)
        allowed: list[bool] = []
        for server in (None, *SERVERS, UNKNOWN):
            decision = held.decide(permission, server, NOW)
            assert (decision.allowed, decision.step) == decided(rows, permission, server), (permission, server)
            assert scope.covers(server) == decision.allowed, (permission, server)
            allowed.append(decision.allowed)
        assert held.somewhere(permission, NOW) == any(allowed)
