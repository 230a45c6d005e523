"""No host reaches what is another org's: every call of the web side, with ids that are another's, by a key of ours."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

import pytest
from aiohttp import web

from agent import wire
from bot.app import App
from db.models import JobRun, Server
from tests.bot.world import Answer, Site, World, heartbeat, pair_request, serving
from tests.e2e.neighbours import Neighbour
from tests.e2e.street import Street, living_on


def _run(of: Neighbour) -> tuple[UUID, UUID]:
    """With the claim token, as if it had leaked: the host's key is what counts."""
    run = of.one(JobRun)
    return run.id, run.claim_token


def _records(of: Neighbour) -> wire.Wire:
    line = wire.LogRecord(ts=datetime(2026, 11, 21, tzinfo=UTC), level="info", message="not ours")
    return wire.Records(server_id=of.one(Server).id, stream="log", generation=1, seq=1, records=[line])


def _mods(_: Neighbour) -> wire.Wire:
    return wire.ModList(revision=1, mods=[wire.ModFound(folder="NotOurs", state="active")])


def _up(of: Neighbour) -> wire.Wire:
    return heartbeat(wire.ServerReport(id=of.one(Server).id, state="crashed", reachable=False))


#: call -> what is sent, and whether it may succeed: what it names of others is passed over then.
CALLS: Final[Mapping[str, tuple[Callable[[Neighbour], wire.Wire] | None, bool]]] = {
    "GET /healthz": (None, True),
    "GET /readyz": (None, True),
    "POST /agent/v1/pair": (lambda of: pair_request(of.word), False),
    "POST /agent/v1/heartbeat": (_up, True),
    "GET /agent/v1/servers": (None, True),
    "POST /agent/v1/jobs/claim": (lambda _: wire.ClaimRequest(slots=10), True),
    "POST /agent/v1/jobs/cancels": (lambda _: wire.CancelsRequest(), True),
    "POST /agent/v1/runs/{run}/progress": (
        lambda of: wire.Progress(claim_token=_run(of)[1], phase=wire.Step.STARTED, message="mine now"),
        False,
    ),
    "POST /agent/v1/runs/{run}/result": (lambda of: wire.Result(claim_token=_run(of)[1], outcome="success"), False),
    "POST /agent/v1/records": (_records, False),
    "GET /agent/v1/artifacts/{id}": (None, False),
    "PUT /agent/v1/servers/{id}/mods": (_mods, False),
}


@pytest.fixture
async def street(app: App) -> AsyncIterator[Street]:
    async with living_on(app) as made:
        yield made


async def test_no_call_of_a_host_reaches_what_is_anothers(street: Street) -> None:
    world = World(street.app.db, street.app.keys, org_id=street.us.org_id)
    async with serving(world) as site:
        _, site.key = await world.pair("ours-1")
        wrong = [found async for found in _walked(street, site)]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


async def _walked(street: Street, site: Site) -> AsyncIterator[str]:
    before, unknown = await street.look(), uuid4()
    for call in _calls(site.app):
        if call not in CALLS:
            yield f"{call}: nobody says what is sent there. Add it to CALLS in {__file__}."
            continue
        message, may_succeed = CALLS[call]
        method, _, path = call.partition(" ")
        sent = message(street.them) if message else None
        for one in sorted(street.them.ids) if "{" in path else [unknown.hex]:
            place = path.replace("{run}", one).replace("{id}", one)
            answer = await _sent(site, method, place, sent)
            if may_succeed != (answer.status < 400) or answer.status >= 500:
                yield f"{method} {place}: {answer.status} {answer.body}"
            for told in street.told(str(answer.body), [one]):
                yield f"{method} {place}: {told}"
            after = await street.look()
            if changed := [table for table, state in after.items() if state != before[table]]:
                yield f"{method} {place}: changed {changed}"
            before = after


def _calls(app: web.Application) -> Iterator[str]:
    for route in app.router.routes():
        if route.method != "HEAD":
            assert route.resource is not None
            yield f"{route.method} {route.resource.canonical}"


async def _sent(site: Site, method: str, path: str, message: wire.Wire | None) -> Answer:
    if method == "GET":
        return await site.get(path)
    assert message is not None, path
    return await (site.put(path, message) if method == "PUT" else site.post(path, message))
