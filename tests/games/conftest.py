"""Games as templates, and the two servers that the consoles are tried on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.demo.sevendays.control import AsyncControl
from games.catalog import GameTemplate, load_catalog
from games.consoles import Console
from games.resolved import ResolvedTemplate
from games.sections.console import Pace
from tests.games import sevendays_server, teeworlds_server


@dataclass
class Teeworlds:
    """A running server, its console, and where players join."""

    resolved: ResolvedTemplate
    console: Console
    port: int


@dataclass
class SevenDays:
    """A running server, its console, and what drives it."""

    resolved: ResolvedTemplate
    console: Console
    control: AsyncControl


@pytest.fixture(scope="session")
def catalog() -> dict[str, GameTemplate]:
    return load_catalog()


@pytest.fixture
async def teeworlds(catalog: dict[str, GameTemplate], tmp_path: Path) -> AsyncIterator[Teeworlds]:
    if not teeworlds_server.installed():
        pytest.skip(teeworlds_server.MISSING)
    resolved = teeworlds_server.resolve(catalog["teeworlds"], tmp_path, {"map": "dm1"})
    async with teeworlds_server.running(resolved):
        console = Console(unpaced(resolved))
        yield Teeworlds(resolved, console, resolved.ports[0].port)
        await console.close()


@pytest.fixture
async def sevendays(catalog: dict[str, GameTemplate], tmp_path: Path) -> AsyncIterator[SevenDays]:
    resolved = sevendays_server.resolve(catalog["7dtd"], tmp_path)
    async with sevendays_server.running(resolved) as control:
        console = Console(unpaced(resolved))
        yield SevenDays(resolved, console, control)
        await console.close()


def unpaced(resolved: ResolvedTemplate) -> ResolvedTemplate:
    """A test asks more in a second than a game should be asked."""
    assert resolved.console is not None
    spec = resolved.console.spec.model_copy(update={"pace": Pace(burst=1000, per_second=1000)})
    return replace(resolved, console=replace(resolved.console, spec=spec))
