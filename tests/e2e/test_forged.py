"""What no client of ours sends: custom_ids, values and forms that were never shown, for every route there is.

Each gets three clear lines, does nothing, and leaves one row that says that it failed.
"""

import json
import typing
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
from discord import AppCommandOptionType as Kind
from discord.app_commands import Parameter
from simcord.interactions import resolve_handle
from simcord.results import ResponseMessage
from sqlalchemy import text

from bot.app import App
from bot.gate import routes
from bot.ui import texts
from db.models import PendingConfirmation
from tests.db.state import state_of
from tests.e2e import forging
from tests.e2e.community import said
from tests.e2e.filling import Slot, slot
from tests.e2e.forging import STRINGS, Act
from tests.e2e.pressing import ENTITIES, arguments, entries, picked, used
from tests.e2e.street import Command, Street, living_on

NUMBERS: Final = ("", "-1", "9" * 60, "007", "\uff11", "1 or 1=1", "\0")
"""What is neither an id nor a number."""
WORDS: Final = ("no-thing", "'; drop table orgs -- \0\ud800")
"""What nothing is called, and no id or number either."""


@pytest.fixture
async def street(app: App) -> AsyncIterator[Street]:
    async with living_on(app) as made:
        yield made


class Judge:
    """Our own guild before and after: only its audit log may grow, by one row."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.state: dict[str, str] = {}
        self.newest = 0
        self.wrong: list[str] = []

    async def look(self) -> "Judge":
        self.state = await self._state()
        (row,) = await self.street.us.rows("select coalesce(max(id), 0) as id from audit_logs")
        self.newest = row.id
        return self

    async def _state(self) -> dict[str, str]:
        state = await state_of(self.street.app.db.engine, self.street.us.org_id)
        return {table: found for table, found in state.items() if table != "audit_logs"}

    async def forged(self, what: str, act: Act, *, words: str = "", may_find_nothing: bool = False) -> None:
        """Sends it. `may_find_nothing`: a list that is empty is an answer, too."""
        answer = said(await forging.send(self.street.env, act))
        rows = await self.street.us.rows("select * from audit_logs where id > :newest order by id", newest=self.newest)
        before, outcomes = self.state, [row.outcome for row in rows]
        await self.look()
        found = [f"changed {table}" for table, state in self.state.items() if state != before[table]]
        if outcomes not in (["failed"], ["denied"]) and not (may_find_nothing and outcomes == ["success"]):
            found.append(f"left {outcomes}")
        if texts.BUG in answer:
            found.append("met a bug")
        if outcomes == ["failed"] and (len(answer.splitlines()) != 3 or "Reference: `" not in answer):
            found.append(f"said {answer!r}")
        if words and words not in answer:
            found.append(f"said {answer!r}, not {words!r}")
        self.wrong += [f"{what}: {json.dumps(act.data)[:300]} {one}" for one in found]

    def done(self) -> None:
        if self.wrong:
            pytest.fail("\n".join(self.wrong), pytrace=False)


def _custom_id(route: str, args: list[str]) -> str:
    return ":".join(["gk", route, *args]) if args else f"gk:{route}"


def _own(street: Street, slots: list[Slot]) -> list[str]:
    return [str(one.own(street.us)) if one.needed else "" for one in slots]


def _forged_arguments(route: str, own: list[str]) -> Iterator[tuple[str, list[str], bool]]:
    """What is wrong about them, the arguments, and whether nothing may be found."""
    hints = list(typing.get_type_hints(routes[route][1]).values())[1:-1]
    yield "one argument more", [*own, "1"], False
    if own:
        yield "one argument less", own[:-1], False
    for position, kind in enumerate(hints):
        for value in WORDS:
            yield f"argument {position}", [*own[:position], value, *own[position + 1 :]], kind is str


async def test_arguments_that_no_card_of_ours_carries(street: Street) -> None:
    card = await street.card()
    judge = await Judge(street).look()
    for route in sorted(routes):
        own = _own(street, arguments(route)[0])
        for what, args, may_find_nothing in _forged_arguments(route, own):
            act = used(street, card, route, _custom_id(route, args))
            await judge.forged(what, act, may_find_nothing=may_find_nothing)
    for value in NUMBERS:
        for route in ("host.page", "incident.ack", "audit.mine"):
            await judge.forged("no number", used(street, card, route, f"gk:{route}:{value}"))
    for custom_id in ("gk:server.show:" + "1" * 5000, "1" * 5000, "", "gk:", "GK:server.show:1", "gk:server.show\n:1"):
        await judge.forged("no custom_id", forging.component(street.us.owner, card, street.us.channel, custom_id))
    judge.done()


async def test_components_that_the_message_does_not_carry(street: Street) -> None:
    card = await street.card()
    judge = await Judge(street).look()
    me, here = street.us.owner, street.us.channel
    words = " is not one of ours."
    for route in sorted(routes):
        custom_id, fields = _custom_id(route, _own(street, arguments(route)[0])), entries(route)
        if fields is not None:
            missing = [{name: value for name, value in fields.items() if name != left_out} for left_out in fields]
            for values in [*missing, fields | {"extra": "1"}, {}]:
                await judge.forged("a form", forging.form(me, here, custom_id, values), words=words)
            await judge.forged("no form", forging.component(me, card, here, custom_id), words=words)
            continue
        await judge.forged("not on the message", _not_carried(street, card, route, custom_id), words=words)
        await judge.forged("a form", forging.form(me, here, custom_id, {"name": "x"}), words=words)
        for what, act in _not_offered(street, card, route, custom_id):
            await judge.forged(what, act, words=words)
    judge.done()


def _not_carried(street: Street, card: ResponseMessage, route: str, custom_id: str) -> Act:
    choice, me, here = picked(route), street.us.owner, street.us.channel
    if choice is None:
        return forging.component(me, card, here, custom_id, carried=False)
    values, kind = [choice.own(street.us)], ENTITIES.get(route, STRINGS)
    return forging.component(me, card, here, custom_id, kind=kind, values=values, resolved=_ours(street), carried=False)


def _ours(street: Street) -> dict[str, Any]:
    return {"channels": {str(street.us.channel.id): {}}, "roles": {str(street.us.role.id): {}}}


def _not_offered(street: Street, card: ResponseMessage, route: str, custom_id: str) -> Iterator[tuple[str, Act]]:
    """Another kind of component than the message has, values that it does not offer, too many of them."""
    choice, me, here = picked(route), street.us.owner, street.us.channel
    if choice is None:
        act = forging.component(me, card, here, custom_id)
        yield "a button as a select", _as_kind(act, STRINGS, ["1"])
        return
    value, kind = choice.own(street.us), ENTITIES.get(route, STRINGS)
    act = forging.component(me, card, here, custom_id, kind=kind, values=[value], resolved=_ours(street))
    yield "a select as a button", _as_kind(act, forging.BUTTON, [])
    yield "twice", _as_kind(act, kind, [value, value])
    if kind == STRINGS:
        yield "another value", forging.component(me, card, here, custom_id, kind=kind, values=[value], offers=["other"])
    else:
        yield "not looked up", forging.component(me, card, here, custom_id, kind=kind, values=[value])
        users: dict[str, Any] = {"users": {value: {}}}
        yield "as a user", forging.component(me, card, here, custom_id, kind=kind, values=[value], resolved=users)


def _as_kind(act: Act, kind: int, values: list[str]) -> Act:
    data = {"custom_id": act.data["custom_id"], "component_type": kind, "values": values}
    return Act(act.member, act.channel, act.kind, data, act.source, act.shown)


SPOILED: Final = {
    "somebody else's": "user_id = (select id from users where id <> user_id limit 1)",
    "expired": "expires_at = now() - interval '1 second'",
    "taken back": "consumed_at = now()",
    "another org's": "org_id = (select id from orgs where id <> org_id limit 1)",
}
"""What became of a question before its button was pressed."""
AS_IT_WAS: Final = """
    update pending_confirmations set user_id = :user, org_id = :org, consumed_at = null,
           expires_at = now() + interval '1 minute'
     where id = :id"""


async def test_questions_that_cannot_be_answered(street: Street) -> None:
    bob = street.us.guild.add_member(street.env.create_user("bob"))
    await bob.slash(street.us.channel, "help")
    card, question = await street.card(), street.us.one(PendingConfirmation)
    values = {"id": question.id, "user": question.user_id, "org": question.org_id}
    judge = Judge(street)
    for what, spoiled in SPOILED.items():
        async with street.app.db.engine.begin() as connection:
            await connection.execute(text(AS_IT_WAS), values)
            await connection.execute(
                text(f"update pending_confirmations as p set {spoiled} where p.id = :id"), {"id": question.id}
            )
        await judge.look()
        for route in sorted(route for route in routes if route.startswith("confirm.")):
            act = used(street, card, route, _custom_id(route, [question.id.hex]))
            await judge.forged(f"{what}: {route}", act)
    judge.done()


async def test_commands_with_options_that_are_not_offered(street: Street) -> None:
    judge = await Judge(street).look()
    for command in street.commands:
        for what, options, resolved in _forged_options(street, command):
            path, me, here = command.qualified_name, street.us.owner, street.us.channel
            await judge.forged(f"/{path}: {what}", forging.command(street.env, me, here, path, options, resolved))
    judge.done()


def _forged_options(street: Street, command: Command) -> Iterator[tuple[str, list[dict[str, Any]], dict[str, Any]]]:
    resolved: dict[str, Any] = {}
    given = [_wire(street, command, option, resolved) for option in command.parameters if option.required]
    yield "an unknown option", [*given, {"name": "nothing", "type": 3, "value": "1"}], resolved
    if given:
        yield "without an option", given[1:], resolved
    for option in command.parameters:
        others = [one for one in given if one["name"] != option.display_name]
        this = {"name": option.display_name, "type": option.type.value}
        if option.choices:
            yield "no choice", [*others, this | {"value": "no-thing"}], resolved
        if option.type in (Kind.channel, Kind.role, Kind.user, Kind.attachment):
            yield "not looked up", [*others, this | {"value": "123456789012345678"}], resolved
        if option.type is Kind.integer:
            yield "no such number", [*others, this | {"value": -(2**53)}], resolved


def _wire(street: Street, command: Command, option: Parameter, resolved: dict[str, Any]) -> dict[str, Any]:
    value = slot(command.qualified_name, option, street.us).own(street.us)
    if option.type in (Kind.channel, Kind.role, Kind.user):
        resolve_handle(street.us.owner, value, resolved, channel_id=street.us.channel.id)
        value = str(value.id)
    return {"name": option.display_name, "type": option.type.value, "value": value}
