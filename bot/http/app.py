"""The web application of a process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiohttp import web

from bot.http.agents import AgentApi
from bot.http.bodies import LARGE
from bot.http.clients import Proxies
from bot.http.errors import problem, problems
from bot.http.health import Health
from bot.http.mods import ModsApi
from bot.http.polls import Polls
from bot.http.records import RecordsApi
from bot.services.agents import Agents
from bot.services.artifacts import Artifacts
from bot.services.heartbeats import Heartbeats
from bot.services.jobs_queue import JobQueue
from bot.services.mods_inventory import ModInventory
from bot.services.records import Records


def build_health(ready: Callable[[], Awaitable[str]]) -> web.Application:
    """Of a process that serves no agents. `ready`: see `build_web`."""
    health = Health(ready)
    app = web.Application(middlewares=[problems])
    app.add_routes([*health.routes(), web.route("*", "/agent/{call:.*}", _elsewhere)])

    async def stopping(_app: web.Application) -> None:
        health.stopping = True

    app.on_shutdown.append(stopping)
    return app


async def _elsewhere(_request: web.Request) -> web.Response:
    """Not 404, after which an agent would forget what it has to report: it goes on with its next address."""
    return problem(503, "This process serves no agents.", "Give agents the address of one that has the role http.")


def build_web(
    *,
    agents: Agents,
    heartbeats: Heartbeats,
    queue: JobQueue,
    records: Records,
    artifacts: Artifacts,
    inventory: ModInventory,
    trusted_proxies: Sequence[str] = (),
    ready: Callable[[], Awaitable[str]] | None = None,
) -> web.Application:
    """The application; long polls are served while it runs, and end at once when it shuts down.

    `ready` says in a sentence why this process cannot do its work; by default it asks whether the database answers."""
    polls = Polls(queue)
    proxies = Proxies(trusted_proxies)
    api = AgentApi(agents, heartbeats, queue, polls, proxies)
    streams = RecordsApi(agents, records, proxies)
    mods = ModsApi(agents, artifacts, inventory, proxies)
    health = Health(ready or queue.out_of_order)
    app = web.Application(middlewares=[problems], client_max_size=LARGE)
    app.add_routes([*api.routes(), *streams.routes(), *mods.routes(), *health.routes()])

    async def listening(_app: web.Application) -> AsyncIterator[None]:
        polls.start()
        yield
        await polls.stop()

    async def stopping(_app: web.Application) -> None:
        health.stopping = True
        await polls.stop()

    app.cleanup_ctx.append(listening)
    app.on_shutdown.append(stopping)
    return app
