"""A server dies from outside; the incident opens, somebody takes it, and it ends by itself."""

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import shown
from bot.demo.story import Story


async def board(story: Story, game: Game) -> None:
    """A status board that keeps itself up to date."""
    with story.tell.step("A status board that everybody sees"):
        channel = story.world.cast.channels["status"]
        await story.run(story.owner, "panel create", channel=channel)
        await story.read("status", game.name)


async def opened(story: Story, game: Game) -> None:
    """The process is killed behind everybody's back; somebody takes the incident on its card."""
    with story.tell.step(f"Somebody kills {game.name}'s process, and an incident opens"):
        story.tell.shell(f"kill -9 {story.world.host.kill(game)}", "")
        await story.read("alerts", f"{game.name} is down")
        card = await story.found("alerts", f"{game.name} is down")
        moderator = story.world.person(story.world.cast.moderator, "alerts")
        story.tell.says(moderator, "presses [Acknowledge]")
        await moderator.presses_on(card, "Acknowledge")
        await story.found("alerts", f"{game.name} is down", f"{moderator.name} looks into it")


async def ended(story: Story, game: Game) -> None:
    """Its host has started the game again, and the same card tells that it is over."""
    with story.tell.step("The incident ends by itself: the game is up again"):
        await story.logged(game, "StartGame done")
        await story.found("alerts", f"{game.name} is down", "resolved · after", seconds=60)
        await story.read("alerts", f"{game.name} is down")
        seen = reading.text(shown(await story.run(story.moderator, "incident list")))
        assert "I-1" in seen and "resolved" in seen, f"the incident is not listed as over: {seen!r}"
