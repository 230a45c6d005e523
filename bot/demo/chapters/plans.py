"""Restarts with manners: a countdown that is moved and called off; maintenance; a macro; one server after the other."""

from collections.abc import Sequence
from typing import Final

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import shown
from bot.demo.story import Story

TAG: Final = "evening"
WHY: Final = "update"


async def counted_down(story: Story, game: Game) -> None:
    """People who play are told when, that it comes later, and that it does not come."""
    with story.tell.step("A restart in 15 minutes: the game says so; it is moved, and called off"):
        server = await story.moderator.picks("server restart", "server", game.name)
        asked = await story.run(story.moderator, "server restart", server=server, when="in 15 min", reason=WHY)
        await story.press(story.moderator, asked, "Restart")
        await story.logged(game, f"Restart in 15 minutes: {WHY}")
        await story.run(story.moderator, "server postpone", server=server, duration="10 min")
        await story.logged(game, "Restart postponed. Restart in 25 minutes")
        card = await story.found("ops", "Restart", "planned")
        ops = story.world.person(story.world.cast.moderator, "ops")
        story.tell.says(ops, "presses [Cancel]")
        await ops.presses_on(card, "Cancel")
        await story.logged(game, "Restart cancelled")
        await story.read("ops", "cancelled · by Mika")


async def tagged(story: Story, games: Sequence[Game], tag: str) -> None:
    """Commands for several servers name a tag."""
    for game in games:
        server = await story.owner.picks("fleet tag", "server", game.name)
        await story.run(story.owner, "fleet tag", server=server, add=tag)


async def rested(story: Story, games: Sequence[Game]) -> None:
    """Nothing is done by itself in maintenance, and players are told."""
    with story.tell.step("Maintenance of everything with a tag: players are told, and it ends"):
        await tagged(story, games, TAG)
        target = await story.owner.picks("maintenance start", "target", TAG)
        await story.run(story.owner, "maintenance start", target=target, duration="1h", reason="new disks")
        for game in games:
            await story.logged(game, "Maintenance begins now and takes up to")
        card = await story.found("ops", "Maintenance of", "is under way")
        ops = story.world.person(story.world.cast.owner, "ops")
        story.tell.says(ops, "presses [End now]")
        await ops.presses_on(card, "End now")
        await story.read("ops", "is over")


async def rolled(story: Story, games: Sequence[Game]) -> None:
    """One restart after the other, on one card."""
    with story.tell.step("A restart of every server with a tag, one after the other, on one card"):
        tag = await story.owner.picks("batch start", "tag", TAG)
        asked = await story.run(story.owner, "batch start", action="restart", tag=tag)
        form = await story.owner.presses(asked, "Restart")
        story.tell.says(story.owner, f"types {TAG}")
        answer = await story.owner.submits(form, name=TAG)
        assert "W-1" in reading.text(shown(answer)), f"no batch: {reading.text(shown(answer))!r}"
        await story.read("ops", f"{len(games)} of {len(games)} done", seconds=60.0)


async def put_together(story: Story, game: Game) -> None:
    """A command with blanks, which a moderator fills in without being let at the console."""
    with story.tell.step("A macro: the owner writes it once, a moderator fills in its blanks"):
        text = "{{who}} wins {{dukes:number 1-500}} dukes"
        preview = await story.run(story.owner, "macro add", name="prize", action="announce", text=text)
        await story.press(story.owner, preview, "Save")
        macro = await story.moderator.picks("macro run", "macro", "prize")
        server = await story.moderator.picks("macro run", "server", game.name)
        form = await story.run(story.moderator, "macro run", macro=macro, server=server)
        story.tell.says(story.moderator, "fills in who: Marla, dukes: 250")
        answer = await story.moderator.submits(form, **{"param.who": "Marla", "param.dukes": "250"})
        story.tell.shows(reading.text(shown(answer)), private=True)
        await story.logged(game, "Marla wins 250 dukes")
