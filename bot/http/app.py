"""The web application of a process."""

from collections.abc import AsyncIterator

from aiohttp import web

from bot.http.agents import AgentApi
from bot.http.bodies import LARGE
from bot.http.errors import problems
from bot.http.health import Health
from bot.http.polls import Polls


def build_web(api: AgentApi, polls: Polls, health: Health) -> web.Application:
    """The application; the polls listen while it runs, and end at once when it shuts down."""
    app = web.Application(middlewares=[problems], client_max_size=LARGE)
    app.add_routes([*api.routes(), *health.routes()])

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
