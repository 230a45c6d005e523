"""Servers for tests: added through Discord, set up by a host that speaks the protocol."""

from typing import Any
from uuid import UUID

from agent import wire
from tests.e2e.community import Community, Host, filled


async def add_server(community: Community, host: Host, name: str = "EU #1", game: str = "teeworlds") -> str:
    """A running server of the owner's; its id."""
    form = await community.owner.slash(community.general, "fleet add", host=host.id, game=game, name=name)
    await community.owner.submit_modal(form, filled(form))
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job)
    await up(host, job["serverId"])
    return job["serverId"]


async def up(host: Host, server: str, *players: wire.OnlinePlayer, **values: Any) -> None:
    """A heartbeat that says that a server is up, with these players."""
    report = wire.ServerReport(
        id=UUID(server), state="running", reachable=True, players=list(players), max_players=8, **values
    )
    await host.beat(report)


def online(name: str, ip: str, slot: str = "0") -> wire.OnlinePlayer:
    """A player as Teeworlds lists them."""
    return wire.OnlinePlayer(identities={"ip": ip, "name": name}, name=name, slot=slot)
