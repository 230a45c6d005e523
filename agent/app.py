"""The composition of the agent: what runs, in which order it starts, and how it ends."""

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from agent import __version__
from agent.config import AgentConfig
from agent.errors import ConfigError
from agent.heartbeat import Heartbeats
from agent.host import Meter, game_reports
from agent.http import Http, LinkError
from agent.identity import IdentityFile, StateLock
from agent.inventory import Inventories
from agent.link import Link
from agent.loops import repeat
from agent.records import Streams
from agent.results import Delivery
from agent.runner import Runner
from agent.runtime.server import GameServer
from agent.servers import Servers
from agent.spool import Spool
from games.catalog import TemplateError, load_catalog

log = logging.getLogger(__name__)

GRACE: Final = 20.0
"""Seconds that runs have to end when the agent is stopped; systemd kills after 90."""
LAST_DELIVERY: Final = 5.0
PRUNE_EVERY: Final = 3600.0
THREADS: Final = 64
"""asyncio has few on a small machine: backups and deployments hold one each for minutes, and a kill needs one, too."""


async def run(config: AgentConfig) -> None:
    """Be this host's agent until SIGTERM or SIGINT. Raises `ConfigError` when it cannot begin."""
    stopping = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stopping.set)
    await serve(config, stopping)


async def serve(config: AgentConfig, stopping: asyncio.Event) -> None:
    """Be this host's agent until `stopping` is set; set again, it ends without waiting for what runs."""
    identities = IdentityFile(config.state_dir)
    identities.load()
    with StateLock(config.state_dir):
        async with Http(*config.urls) as http:
            await _serve(config, Link(http, identities), _open_spool(config), stopping)


async def _serve(config: AgentConfig, link: Link, spool: Spool, stopping: asyncio.Event) -> None:
    try:
        catalog = load_catalog(*config.template_dirs)
    except TemplateError as error:
        raise ConfigError(str(error)) from None
    servers = Servers(config.state_dir, link, lambda spec: GameServer(spec, config, catalog, fetch=link.artifact))
    heartbeats = Heartbeats(link, servers, Meter(config.roots[0]), game_reports(config, catalog))
    delivery = Delivery(link, spool)
    inventories = Inventories(link, servers)

    def changed() -> None:
        heartbeats.hurry()
        delivery.hurry()
        inventories.hurry()

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "agent"))
    runner = Runner(link, spool, servers, changed)
    runner.recover()
    streams = Streams(config.state_dir, link, servers)
    streams.open()
    await servers.open()
    runner.resume()
    log.info("agent %s of host %s serves %s", __version__, link.identity.host_id, ", ".join(config.urls))
    claims = asyncio.create_task(repeat("claiming", runner.claim, link.recovered))
    others = [
        asyncio.create_task(repeat("heartbeat", heartbeats.beat, link.recovered)),
        asyncio.create_task(repeat("hearing of cancels", runner.cancel, link.recovered)),
        asyncio.create_task(repeat("delivering results", delivery.deliver, link.recovered)),
        asyncio.create_task(repeat("telling of mods", inventories.tell, link.recovered)),
        asyncio.create_task(repeat("reading logs", streams.look)),
        asyncio.create_task(repeat("sending records", streams.send, link.recovered)),
        asyncio.create_task(repeat("pruning", lambda: _prune(spool))),
    ]
    try:
        await stopping.wait()
        stopping.clear()
        await _end(claims)
        await runner.stop(GRACE, stopping)
    finally:
        await _end(claims, *others)
        await _last_delivery(delivery)
        await servers.close()
    log.info("stopped; the games run on")


def _open_spool(config: AgentConfig) -> Spool:
    spool = Spool(config.state_dir)
    try:
        spool.open()
    except OSError as error:
        raise ConfigError(f"{spool.directory} cannot be written: {error.strerror}.") from None
    return spool


async def _prune(spool: Spool) -> None:
    await asyncio.to_thread(spool.prune)
    await asyncio.sleep(PRUNE_EVERY)


async def _last_delivery(delivery: Delivery) -> None:
    try:
        async with asyncio.timeout(LAST_DELIVERY):
            await delivery.flush()
    except (LinkError, TimeoutError):
        log.warning("results that the bot has not acknowledged are sent at the next start")


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
