"""`gamekeeper demo`: the world with its opening scene, and the page in front of it."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Final

from bot.demo.chapters import incidents, mods, plans
from bot.demo.host import PairingFailed
from bot.demo.people import NotSeen
from bot.demo.playground import Playground, Stage, Suggestion, local_timezone, stored_capability
from bot.demo.story import Story
from bot.demo.transcript import StepFailed, Transcript
from bot.demo.world import DemoWorld, demo_world
from bot.errors import Unavailable

CAPABILITY: Final = "demo.capability"


async def show(data_dir: Path, port: int, log: Path) -> None:
    """Serve the playground until this task is cancelled, by Ctrl-C or SIGTERM.

    Raises:
        Unavailable: the opening scene did not work out; `log` says more.
    """
    started = time.monotonic()
    _end_on_sigterm()
    _print("Starting database, bot, host agent and two game servers …")
    async with demo_world(data_dir) as world, contextlib.AsyncExitStack() as stack:
        await _open_scene(world, log)
        stage = _stage(world)
        playground = Playground(
            world.env,
            stage,
            world.lock,
            capability=stored_capability(data_dir / CAPABILITY),
            timezone=local_timezone(),
        )
        address = await playground.serve(stack, port=port)
        _print(_welcome(address, port, stage, time.monotonic() - started, log))
        try:
            await asyncio.Event().wait()
        finally:
            _print("Ending game servers, agent, bot and database …")


def _end_on_sigterm() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _open_scene(world: DemoWorld, log: Path) -> None:
    """Play the story up to where it gets interesting: two servers up, players coming and going."""
    story = Story(world, Transcript(lambda _line: None))
    try:
        await _play(story)
    except (NotSeen, PairingFailed, StepFailed, AssertionError) as error:
        raise Unavailable(f"The playground could not be set up: {error}", f"{log} says more.") from error


async def _play(story: Story) -> None:
    world = story.world
    await story.player.says("anyone on Navezgane tonight? blood moon!")
    await story.set_up()
    await story.pair()
    for game in world.host.games:
        await story.adds(game)
    for game in world.host.games:
        await story.starts(game)
    for game in world.host.games:
        await story.until(game, "up")
    await incidents.board(story, world.host.games[0])
    await mods.uploaded(story)
    await plans.tagged(story, world.host.games, "eu")
    await world.host.liven()
    await world.host.slow_down()


def _stage(world: DemoWorld) -> Stage:
    return Stage(
        guild=world.cast.guild,
        channels=list(world.cast.channels.values()),
        viewers=world.cast.viewers,
        suggestions=SUGGESTIONS,
        pictures=world.cast.pictures,
    )


def _welcome(address: str, port: int, stage: Stage, seconds: float, log: Path) -> str:
    taken = "" if f":{port}/" in address else f"Port {port} is taken, so this is another one. "
    tries = "\n".join(
        f"    {one.command:<18} as {one.viewer} in #{one.channel}: {one.hint}" for one in stage.suggestions
    )
    return f"""
Ready in {seconds:.1f} s. {taken}Open this in a browser:

    {address}

Try, for example:

{tries}

The log is in {log}. Ctrl-C ends everything.
"""


SUGGESTIONS: Final = (
    Suggestion(
        title="Restart a server",
        command="/server restart",
        channel="ops",
        viewer="Moderator",
        hint="Now, when it is empty, or after a countdown.",
    ),
    Suggestion(
        title="Who is online?",
        command="/players",
        channel="general",
        viewer="Player",
        hint="Players come and go by themselves.",
    ),
    Suggestion(
        title="Ban somebody",
        command="/ban add",
        channel="ops",
        viewer="Moderator",
        hint="Who is seen is suggested; #bans tells everybody.",
    ),
    Suggestion(
        title="Deploy a mod",
        command="/mod deploy",
        channel="ops",
        viewer="Owner",
        hint="BiggerBackpack 1.0 works; 2.0 goes back by itself.",
    ),
    Suggestion(
        title="Do it every day",
        command="/schedule add",
        channel="ops",
        viewer="Owner",
        hint="Plain words; the next five runs come first.",
    ),
    Suggestion(
        title="One after the other",
        command="/batch start",
        channel="ops",
        viewer="Owner",
        hint="Tag eu: both servers, on one card.",
    ),
    Suggestion(
        title="What is watched?",
        command="/alert list",
        channel="alerts",
        viewer="Owner",
        hint="/alert test shows where a message goes.",
    ),
    Suggestion(
        title="Ask the game",
        command="/console run",
        channel="ops",
        viewer="Moderator",
        hint="Try gettime, lp or version.",
    ),
    Suggestion(
        title="Tell everybody",
        command="/announce",
        channel="ops",
        viewer="Moderator",
        hint="It is said in every game that is up.",
    ),
    Suggestion(
        title="Kick somebody",
        command="/player kick",
        channel="ops",
        viewer="Moderator",
        hint="The suggestions are who was seen.",
    ),
    Suggestion(
        title="A control card",
        command="/server show",
        channel="ops",
        viewer="Moderator",
        hint="Its buttons survive a restart of the bot.",
    ),
    Suggestion(
        title="May they?",
        command="/access why",
        channel="ops",
        viewer="Owner",
        hint="Six steps, and the one that decides.",
    ),
    Suggestion(
        title="Is anything missing?",
        command="/setup check",
        channel="ops",
        viewer="Owner",
        hint="With the remedy; /setup start leads there.",
    ),
    Suggestion(
        title="Who did that?",
        command="/audit search",
        channel="audit",
        viewer="Owner",
        hint="Refusals included; /audit verify proves it.",
    ),
    Suggestion(
        title="What may I do?",
        command="/help",
        channel="general",
        viewer="Player",
        hint="Each sees only what they may run.",
    ),
)


def _print(text: str) -> None:
    print(text, flush=True)
