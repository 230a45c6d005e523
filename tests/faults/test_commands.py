"""kill -9 at every await of a command that changes something: effect and audit row are there together, or neither is.

A run of the command that nobody disturbs says which awaits it has, and what the database holds after it. Then a life
of the bot ends at each of them. What it leaves behind has to be, row for row, what was there before or what is there
after; and once the interaction was delivered again to the next life, what is there after.

Those around the commit are always tried, of the others one of each command; `make soak` tries them all.
"""

import os
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.database import TestServer
from tests.faults.likeness import Likeness, difference
from tests.faults.lives import Copy, Lives, copied
from tests.faults.stage import CHANGES, Change, Stage
from tests.wire.discord_server import DiscordServer
from tests.wire.interactions import Interaction

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY_AWAIT: Final = bool(os.environ.get("EVERY_AWAIT"))
_CALLBACK: Final = r"POST /interactions/\d+/[^/]+/callback"
_ROWS: Final = "select action, outcome from audit_logs where interaction_id = :id"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Discord, and the process that every life is forked from."""
    async with DiscordServer() as discord:
        lives = Lives(discord, tmp_path_factory.mktemp("lives"))
        await lives.start()
        yield Stage(discord, lives)
        await lives.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prepared(stage: Stage, postgres: TestServer) -> AsyncIterator[str]:
    """The database that every life gets a copy of."""
    url = await postgres.create()
    await stage.prepare(url)
    yield url
    await postgres.drop(url)


def chosen(awaits: Sequence[str], name: str) -> list[int]:
    """The numbers of those at which a life ends: around the commit, and one more, somewhere else for each command."""
    if EVERY_AWAIT:
        return list(range(1, len(awaits) + 1))
    commit = max(number for number, place in enumerate(awaits, 1) if place.endswith("session.transaction"))
    somewhere = 1 + (len(awaits) - 1) * list(CHANGES).index(name) // (len(CHANGES) - 1)
    return sorted({somewhere, commit - 1, commit, min(commit + 1, len(awaits))})


async def audited(copy: Copy, interaction: Interaction) -> list[tuple[Any, ...]]:
    return await copy.rows(_ROWS, id=interaction.id)


async def undisturbed(stage: Stage, server: TestServer, source: str, change: Change) -> tuple[list[str], Likeness]:
    """The awaits of a change, and what the database holds after it."""
    async with copied(server, source) as copy:
        before = await copy.rows(change.effect)
        life = await stage.lives.begin(copy.url)
        interaction = await change.act(stage)
        awaits = (await life.end())["awaits"]
        said = (await interaction.answer()).text
        assert "Reference" not in said and len(await copy.rows(change.effect)) == len(before) + 1, said
        assert await audited(copy, interaction) == [(change.action, "success")]
        return awaits, await copy.likeness()


@pytest.mark.parametrize("name", CHANGES)
async def test_effect_and_row_are_there_together_or_neither(
    name: str, stage: Stage, postgres: TestServer, prepared: str
) -> None:
    change = CHANGES[name]
    async with copied(postgres, prepared) as copy:
        before = await copy.likeness()
    awaits, after = await undisturbed(stage, postgres, prepared, change)
    ends: dict[int, bool] = {}
    for number in chosen(awaits, name):
        for _ in range(3):  # on a machine that is too busy an answer is deferred, and later awaits come later
            place, ends[number] = await _ended_at(number, stage, postgres, prepared, change, (before, after))
            if place == awaits[number - 1]:
                break
    shown = [f"{number} {awaits[number - 1]}: {'done' if done else 'not done'}" for number, done in ends.items()]
    assert set(ends.values()) == {True, False}, f"the commit is not among {shown}"
    assert list(ends.values()) == sorted(ends.values()), f"undone again: {shown}"


async def _ended_at(
    number: int, stage: Stage, server: TestServer, source: str, change: Change, sides: tuple[Likeness, Likeness]
) -> tuple[str | None, bool]:
    """A life that ends at this await, and the next one, to which the interaction is delivered again. Where the first
    one died, and whether it was done by then."""
    before, after = sides
    async with copied(server, source) as copy:
        life = await stage.lives.begin(copy.url, kill_at=number)
        interaction = await change.act(stage)
        end = await life.end()
        left = await copy.likeness()
        rows = await audited(copy, interaction)
        assert rows in ([], [(change.action, "success")]), f"{number}: {rows}"
        expected = after if rows else before | {table: left[table] for table in change.before}
        assert left == expected, f"half done at {number}, {end}:\n{difference(expected, left)}"
        await _delivered_again(copy, stage, interaction, change)
        assert await copy.likeness() == after, f"{number}: {difference(after, await copy.likeness())}"
        return end.get("died_at"), bool(rows)


async def _delivered_again(copy: Copy, stage: Stage, interaction: Interaction, change: Change) -> None:
    answered, done = bool(interaction.callbacks), bool(await audited(copy, interaction))
    life = await stage.lives.begin(copy.url)
    await stage.discord.deliver(interaction)
    await life.end()
    assert await audited(copy, interaction) == [(change.action, "success")]
    if not done and not answered:
        assert "Reference" not in (await interaction.answer()).text


@pytest.mark.parametrize("name", CHANGES)
async def test_what_was_done_and_not_answered_is_told_to_who_asks_again(
    name: str, stage: Stage, postgres: TestServer, prepared: str
) -> None:
    """kill -9 between the commit and the answer."""
    change = CHANGES[name]
    answer = stage.discord.trouble.hold(_CALLBACK)
    async with copied(postgres, prepared) as copy:
        life = await stage.lives.begin(copy.url)
        interaction = await change.act(stage)
        await answer.until_arrived()
        await life.kill()
        answer.lose()
        assert await audited(copy, interaction) == [(change.action, "success")] and not interaction.callbacks
        effect = await copy.rows(change.effect)
        life = await stage.lives.begin(copy.url)
        second = await change.act(stage)
        await life.end()
        assert change.again in (await second.answer()).text, (await second.answer()).text
        assert len(await audited(copy, second)) == 1 and await copy.rows(change.effect) == effect
