"""Playing a recorded conversation through the same codec, conversation and meaning that a real one takes."""

from collections.abc import Iterator
from typing import Final, assert_never

from games.bans import ban_list
from games.catalog import GameTemplate
from games.consoles.codec import RecordSplitter
from games.consoles.conversation import Exchange, LoginTalk
from games.consoles.meaning import action_line, judge, player_rows, rows
from games.consoles.quoting import refusal
from games.golden.cases import (
    NONCE,
    ActionCase,
    BansCase,
    Case,
    CautionCase,
    CommandCase,
    LinesCase,
    LogCase,
    LoginCase,
    ModsCase,
    PlayersCase,
)
from games.sections.console import ConsoleSpec

_SPLITS: Final = (1 << 20, 7, 1)
"""Bytes per read: whole, dribbled, and one by one have to say the same."""


def problems(template: GameTemplate, case: Case) -> Iterator[str]:
    """Where the template understands the case differently than it says."""
    if isinstance(case, LogCase):
        yield from _log(template, case)
        return
    if template.console is None:
        yield "the game has no console to replay it on"
        return
    if isinstance(case, LinesCase):
        yield from _lines(template.console, case)
        return
    for size in _SPLITS:
        yield from _conversation(template, template.console, case, size)


def _conversation(
    template: GameTemplate,
    spec: ConsoleSpec,
    case: LoginCase | PlayersCase | BansCase | ModsCase | CautionCase | ActionCase | CommandCase,
    size: int,
) -> Iterator[str]:
    match case:
        case LoginCase():
            yield from _differ("state", case.state, _login(spec, case, size))
        case PlayersCase():
            yield from _players(template, spec, case, size)
        case BansCase():
            yield from _bans(template, spec, case, size)
        case ModsCase():
            yield from _mods(template, spec, case, size)
        case CautionCase():
            yield from _caution(template, spec, case, size)
        case ActionCase():
            yield from _action(template, spec, case, size)
        case CommandCase():
            yield from _differ("lines", case.lines, _ask(spec, case.line, case.received, size))
        case _:
            assert_never(case)


def _differ(what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{what}: expected {expected!r}, found {found!r}"


def _records(spec: ConsoleSpec, received: tuple[str, ...], size: int) -> Iterator[str]:
    data = "".join(record + spec.record_end for record in received).encode()
    splitter = RecordSplitter(spec.record_end, spec.strip)
    for start in range(0, len(data), size):
        yield from splitter.feed(data[start : start + size])


def _login(spec: ConsoleSpec, case: LoginCase, size: int) -> str:
    talk = LoginTalk(spec.login, case.password)
    for record in _records(spec, case.received, size):
        if talk.state == "waiting":
            talk.feed(record)
    return talk.state


def _ask(spec: ConsoleSpec, line: str, received: tuple[str, ...], size: int) -> tuple[str, ...]:
    exchange = Exchange(spec, line, NONCE)
    for record in _records(spec, received, size):
        exchange.feed(record)
    return exchange.lines if exchange.done else ("(the answer did not end)",)


def _players(template: GameTemplate, spec: ConsoleSpec, case: PlayersCase, size: int) -> Iterator[str]:
    if template.players is None:
        yield "the game has no list of players"
        return
    lines = _ask(spec, template.players.send, case.received, size)
    found, complete = player_rows(template.players, template.identity, lines)
    yield from _differ("rows", case.rows, tuple((p.slot, p.name, p.identities) for p in found))
    yield from _differ("complete", case.complete, complete)


def _bans(template: GameTemplate, spec: ConsoleSpec, case: BansCase, size: int) -> Iterator[str]:
    if template.bans is None:
        yield "the game has no list of bans"
        return
    lines = _ask(spec, template.bans.send, case.received, size)
    listed = ban_list(template.bans, template.identity, lines, case.asked.astimezone())
    ends = ((row.of, row.latest and row.latest.astimezone().replace(tzinfo=None)) for row in listed.rows)
    yield from _differ("rows", case.rows, tuple((*of, end) for of, end in ends))
    yield from _differ("complete", case.complete, listed.complete)


def _mods(template: GameTemplate, spec: ConsoleSpec, case: ModsCase, size: int) -> Iterator[str]:
    listing = next(iter(template.mods.listings), None) if template.mods else None
    if listing is None:
        yield "the game has no list of mods"
        return
    found, complete = rows(listing, _ask(spec, listing.send, case.received, size))
    yield from _differ("rows", case.rows, tuple(found))
    yield from _differ("complete", True, complete)


def _caution(template: GameTemplate, spec: ConsoleSpec, case: CautionCase, size: int) -> Iterator[str]:
    if template.caution is None:
        yield "the game has no time to mind"
        return
    caution = template.caution
    clock, _ = rows(caution.clock, _ask(spec, caution.clock.send, case.clock, size))
    every, _ = rows(caution.every, _ask(spec, caution.every.send, case.every, size))
    if len(clock) != 1:
        yield f"clock: found {clock!r}"
        return
    days = int(every[0]["days"]) if every else caution.every.usual
    yield from _differ("mood", case.mood, caution.mood(clock[0], days))


def _action(template: GameTemplate, spec: ConsoleSpec, case: ActionCase, size: int) -> Iterator[str]:
    action = template.actions.get(case.name)
    if action is None:
        yield f"the game has no action {case.name}"
        return
    try:
        line = action_line(spec, template.identity, action, case.values)
    except ValueError as error:
        yield str(error)
        return
    yield from _differ("sends", case.sends, line)
    lines = _ask(spec, line, case.received, size)
    yield from _differ("outcome", case.outcome, judge(spec, action, case.values, lines).outcome)


def _lines(spec: ConsoleSpec, case: LinesCase) -> Iterator[str]:
    yield from (f"`{line}` is sent and should be refused" for line in case.refused if not refusal(spec, line))
    yield from (f"`{line}` is refused: {refusal(spec, line)}" for line in case.sent if refusal(spec, line))


def _log(template: GameTemplate, case: LogCase) -> Iterator[str]:
    event = template.log.event(case.record)
    yield from _differ("event", case.event, event.kind if event else None)
    yield from _differ("values", case.values, event.values if event else {})
