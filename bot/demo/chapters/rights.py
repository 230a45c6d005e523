"""A moderator is denied one thing on one server, asks why, and gets it back; the log of it all is proven unchanged."""

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import shown
from bot.demo.story import Story

PERMISSION = "servers.restart"
REASON = "after last night"


async def checked(story: Story) -> None:
    """What the bot needs is looked at."""
    with story.tell.step("Is anything missing? /setup check says it, with the remedy"):
        seen = reading.text(shown(await story.run(story.owner, "setup check")))
        assert "Nothing is broken" in seen, f"something is: {seen!r}"


async def denied(story: Story, game: Game) -> None:
    """An exception wins over the role, on that server only, and everybody may ask why."""
    with story.tell.step(f"A moderator may not restart {game.name} for a while, and reads why"):
        mika = story.world.cast.moderator
        server = await story.owner.picks("access deny", "server", game.name)
        await story.run(
            story.owner, "access deny", member=mika, permission=PERMISSION, server=server, until="2d", reason=REASON
        )
        refused = reading.text(shown(await story.run(story.moderator, "server restart", server=server)))
        assert "An exception takes it from you on this server" in refused, f"no refusal: {refused!r}"
        why = await story.run(story.moderator, "my why", permission=PERMISSION, server=server)
        text = reading.text(shown(why))
        assert "Decided by step 2 of 6" in text and REASON in text, f"not decided by the exception: {text!r}"
        await story.run(story.owner, "access clear", member=mika, permission=PERMISSION, server=server)
        again = reading.text(shown(await story.run(story.moderator, "my why", permission=PERMISSION, server=server)))
        assert "Decided by step 5 of 6" in again, f"the role does not count again: {again!r}"


async def proven(story: Story) -> None:
    """The rows of the evening are under seals, which are in a channel too, and nobody has changed them."""
    with story.tell.step("Nobody has changed the audit log: its seals prove it"):
        await story.read("audit", "audit entries, up to", seconds=90.0)
        seen = reading.text(shown(await story.run(story.owner, "audit verify")))
        assert "The audit log is unchanged" in seen, f"it is not as it was sealed: {seen!r}"
