"""`gamekeeper demo` and `gamekeeper tour`, as the command line calls them."""

import asyncio
import contextlib
import logging
import signal
import time
from pathlib import Path
from typing import Final

from bot.config import Settings
from bot.demo import simcord_private as private
from bot.demo.playground import Playground, Stage, Suggestion, local_timezone, stored_capability
from bot.demo.story import Story
from bot.demo.tour import tour as tell_tour
from bot.demo.transcript import Transcript
from bot.demo.world import DemoWorld, demo_world

CAPABILITY: Final = "demo.capability"
LOG: Final = "demo.log"


def demo(settings: Settings, port: int) -> None:
    """Serve the playground until Ctrl-C or SIGTERM, then end everything that it started."""
    private.guard()
    _log_to(settings.data_dir / LOG)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_demo(settings.data_dir, port))


def tour(settings: Settings) -> int:
    """Print the tour; the exit code."""
    private.guard()
    _log_to(settings.data_dir / LOG)
    return asyncio.run(tell_tour(settings.data_dir, _print))


async def _demo(data_dir: Path, port: int) -> None:
    started = time.monotonic()
    _end_on_sigterm()
    _print("Starting database, bot, host agent and two game servers …")
    async with demo_world(data_dir) as world, contextlib.AsyncExitStack() as stack:
        await _open_scene(world)
        stage = _stage(world)
        playground = Playground(
            world.env,
            stage,
            world.lock,
            capability=stored_capability(data_dir / CAPABILITY),
            timezone=local_timezone(),
        )
        address = await playground.serve(stack, port=port)
        _print(_welcome(address, port, stage, time.monotonic() - started, data_dir / LOG))
        try:
            await asyncio.Event().wait()
        finally:
            _print("Ending game servers, agent, bot and database …")


def _end_on_sigterm() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _open_scene(world: DemoWorld) -> None:
    """Play the story up to where it gets interesting: two servers up, players coming and going."""
    story = Story(world, Transcript(lambda _line: None))
    await story.player.says("anyone on Navezgane tonight? blood moon!")
    await story.set_up()
    await story.pair()
    for game in world.host.games:
        await story.adds(game)
    for game in world.host.games:
        await story.starts(game)
    for game in world.host.games:
        await story.until(game, "up")
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
        hint="Choose Navezgane, confirm, and watch the card.",
    ),
    Suggestion(
        title="Who is online?",
        command="/players",
        channel="general",
        viewer="Player",
        hint="Players come and go by themselves.",
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
        title="Who did that?",
        command="/audit search",
        channel="audit",
        viewer="Owner",
        hint="Everything, refusals included.",
    ),
    Suggestion(
        title="What may I do?",
        command="/help",
        channel="general",
        viewer="Player",
        hint="Each sees only what they may run.",
    ),
)


def _log_to(path: Path) -> None:
    """The terminal is for what people should read; everything else goes into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    logging.basicConfig(filename=path, filemode="w", level=logging.INFO, format=form, force=True)
    logging.captureWarnings(capture=True)


def _print(text: str) -> None:
    print(text, flush=True)
