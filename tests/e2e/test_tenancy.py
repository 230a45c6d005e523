"""No org reaches another's things, by whatever door: every command, button and suggestion, given what is another's.

The walks are generated from the loaded tree, from the routes and from one row of every table, so what is new is walked
as soon as it is there. Who walks owns the guild: no permission hides that a check of the org is missing.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest

from bot.app import App
from bot.gate import routes
from tests.e2e import forging
from tests.e2e.filling import Slot, Unfillable, slot
from tests.e2e.forging import Act
from tests.e2e.neighbours import Neighbour
from tests.e2e.pressing import acts as acts_of
from tests.e2e.street import Command, Street, living_on

FINDS_NOTHING: Final = {
    ("audit search", "target"): "a filter",
    ("audit verify", "seal"): "a verdict: this log has no such seal",
    ("audit.page", "packed"): "a filter",
    ("audit.result", "packed"): "a filter",
    ("schedule.step", "token"): "a form without anything in it; whose question it is about is asked when it is sent",
    ("server list", "tag"): "a filter",
    ("server.list", "tag"): "a filter",
}
"""(command or route, option or argument) -> why it is no error to give what is another's: nothing is found."""
OWN: Final = {"my forget": "goes through every community at once, and tells nobody but whom it is about"}
"""Command -> why it tells of other orgs."""
ENDINGS: Final = ("remove", "revoke", "delete", "unbind", "forget")
"""Commands after which a thing is gone, last words of their names, and options that do the same."""


@pytest.fixture
async def street(app: App) -> AsyncIterator[Street]:
    async with living_on(app) as made:
        yield made


def _options(slots: list[Slot], of: Neighbour, theirs: str = "", ref: str = "") -> dict[str, Any]:
    """All that has to be given, and the one option that is tried; `ref` empty: with what is ours."""
    chosen = [one for one in slots if one.needed or one.name == theirs]
    return {one.name: one.entered(ref) if ref and one.name == theirs else one.own(of) for one in chosen}


def _slots(street: Street) -> Iterator[tuple[Command, list[Slot] | Unfillable]]:
    for command in street.commands:
        try:
            yield command, [slot(command.qualified_name, option, street.us) for option in command.parameters]
        except Unfillable as error:
            yield command, error


async def test_no_command_reaches_what_is_anothers(street: Street) -> None:
    known = {command: slots for command, slots in _slots(street) if not isinstance(slots, Unfillable)}
    wrong = [str(error) for _, error in _slots(street) if isinstance(error, Unfillable)]
    asked = {command: [one for one in slots if one.refs] for command, slots in known.items()}
    for command in [command for command, tried in asked.items() if not tried]:
        wrong += (await _given(street, command, _options(known[command], street.us), fails=False))[1]
    refused: dict[tuple[Command, str], str] = {}
    tries = [
        (command, one.name, ref) for command in asked for one in asked[command] for ref in one.named_by(street.them)
    ]
    for command, name, ref in tries:
        options = _options(known[command], street.us, name, ref)
        fails = (command.qualified_name, name) not in FINDS_NOTHING
        refused[command, name], found = await _given(street, command, options, ref, fails=fails)
        wrong += found
    for command, name in sorted(refused, key=lambda one: one[0].name in ENDINGS or one[1] in ENDINGS):
        options = _options(known[command], street.us, name)
        said, found = await _given(street, command, options, fails=False)
        wrong += found
        if said and said.replace(str(options[name]), "") == refused[command, name]:
            wrong.append(f"/{command.qualified_name} {options} refuses our own with the same words: {said}")
    wrong += await street.kept()
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


async def _given(
    street: Street, command: Command, options: dict[str, Any], ref: str = "", *, fails: bool
) -> tuple[str, list[str]]:
    """Our owner gives a command: how it is refused, and what is wrong about that."""
    result = await street.us.owner.slash(street.us.channel, command.qualified_name, **options)
    said, found = await street.judged(result, [ref, ref.rpartition(":")[2]] if ref else [], fails=fails)
    found = [one for one in found if command.qualified_name not in OWN or not one.startswith("told ")]
    return said.replace(ref, "") if ref else said, [f"/{command.qualified_name} {options} {one}" for one in found]


async def test_no_suggestion_shows_what_is_anothers(street: Street) -> None:
    wrong: list[str] = []
    for command, slots in _slots(street):
        path = command.qualified_name
        if isinstance(slots, Unfillable):
            continue  # the walk above says so
        filled = {one.name: one.entered(one.refs(street.them)[0]) for one in slots if one.refs}
        for option in [one for one in command.parameters if one.autocomplete]:
            refs = next(one.refs for one in slots if one.name == option.name)
            for typed in ["", street.them.word, *(refs(street.them) if refs else ())]:
                others = {name: value for name, value in filled.items() if name != option.name}
                for given in ({}, others):
                    offered = await street.us.owner.autocomplete(street.us.channel, path, option.name, typed, **given)
                    found = street.told(json.dumps(offered, ensure_ascii=False), [typed] if typed else [])
                    wrong += [f"/{path} {option.name}:{typed} {given} {problem}" for problem in found]
    state = await street.look()
    wrong += [f"changed {table}" for table, hashed in state.items() if hashed != street.before[table]]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


async def test_no_button_or_form_reaches_what_is_anothers(street: Street) -> None:
    wrong: list[str] = []
    card = await street.card()
    acts: list[tuple[str, str, str, Act]] = []
    for route in sorted(routes):
        try:
            acts += [(route, name, ref, act) for name, ref, act in acts_of(street, card, route)]
        except Unfillable as error:
            wrong.append(str(error))
    own: dict[str, str] = {}
    # with what is ours first, while the log does not hold yet what was asked for, and nothing is confirmed
    acts.sort(key=lambda one: (bool(one[1]), one[0] != "confirm.type"))
    for route, name, ref, act in acts:
        result = await forging.send(street.env, act)
        fails = bool(name) and (route, name) not in FINDS_NOTHING
        said, found = await street.judged(result, [ref] if ref else [], fails=fails)
        if name and said and said == own[route]:
            found.append(f"refuses our own with the same words, so no other: {said}")
        own.setdefault(route, said)
        wrong += [f"{act.data} {problem}" for problem in found]
    wrong += await street.kept()
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
