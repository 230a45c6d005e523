"""Players are banned, try to come back, and read why; a lifted ban lets them in again."""

from typing import Final

from simcord.results import InteractionResult

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import Choice, NotSeen, eventually, shown
from bot.demo.story import Story
from bot.demo.teeworlds_player import JoinRefused, TeeworldsBot

REASON: Final = "griefing the river bridge"
SPAMMER: Final = "Rex"
_HOME: Final = "127.0.0.9"
"""Teeworlds bans by address: everybody else comes from another one."""


async def banned(story: Story, game: Game, name: str) -> None:
    """A ban by id: dropped at once, and refused at the door, as the game's own log says."""
    with story.tell.step(f"{name} is banned: dropped at once, refused at the door"):
        preview = await _preview(story, name, reason=REASON, duration="7d")
        text = reading.text(shown(preview))
        assert REASON in text and game.name in text, f"the preview says too little: {text!r}"
        await story.press(story.moderator, preview, "Ban on")
        await story.logged(game, "Player disconnected: ", f"PlayerName='{name}'")
        await story.read("bans", f"{name} is banned")
        await refused(story, game, name)


async def refused(story: Story, game: Game, name: str) -> None:
    """Somebody banned tries to come in; the game says no, in our words."""
    answer = await story.world.host.control(game).join(name)
    assert isinstance(answer, str) and REASON in answer, f"{name} was let in, or reads {answer!r}"
    story.tell.player(name, f"tries to join {game.name}, and reads: {answer}")
    await story.logged(game, "[Auth] BansAndWhitelist authorization failed")


async def own(story: Story, name: str) -> None:
    """The account is linked to a Discord member, who reads what is known of it."""
    with story.tell.step("The banned player reads why, and until when"):
        account = await story.moderator.picks("player link", "player", name)
        await story.run(story.moderator, "player link", player=account, member=story.player.member)
        text = reading.text(shown(await story.run(story.player, "my bans")))
        assert REASON in text, f"the reason is missing in {text!r}"


async def comes(story: Story, game: Game) -> TeeworldsBot:
    """Somebody joins Teeworlds who will not stay long."""
    player = await TeeworldsBot.join("127.0.0.1", story.world.host.port(game), SPAMMER, _HOME)
    story.tell.player(SPAMMER, f"joins {game.name}")
    return player


async def by_address(story: Story, game: Game, player: TeeworldsBot) -> None:
    """A ban in a game that knows nobody's account."""
    with story.tell.step("A spammer is banned from Teeworlds, by address: that is all this game knows"):
        preview = await _preview(story, SPAMMER, reason="spam", duration="permanent")
        await story.press(story.moderator, preview, "Ban on")
        story.tell.player(SPAMMER, f"is dropped: {await player.disconnected()}")
        await player.leave()
        await story.logged(game, "[net_ban]: banned", _HOME)
        await _kept_out(story, game)


async def forgotten(story: Story, game: Game) -> None:
    """Teeworlds keeps bans in memory: after a restart it has none, until they are applied again."""
    with story.tell.step("Its ban list is lost in a restart, and applied again as soon as the game is back"):
        server = await story.moderator.picks("server restart", "server", game.name)
        asked = await story.run(story.moderator, "server restart", server=server)
        await story.follow(await story.press(story.moderator, asked, "Restart"), game)
        await story.logged(game, "[net_ban]: banned", _HOME)
        await _kept_out(story, game)


async def lifted(story: Story, game: Game, name: str) -> None:
    """The ban ends before its time; the notice says so, and the door is open."""
    with story.tell.step("The ban is lifted, and the door is open again"):
        case = await story.moderator.picks("ban lift", "case", name)
        asked = await story.run(story.moderator, "ban lift", case=case, reason="apologised")
        await story.press(story.moderator, asked, "Lift")
        await story.read("bans", f"{name} may play again")
        entered = await eventually(lambda: _entered(story, game, name), f"{name} in {game.name} again")
        story.tell.player(name, f"joins {game.name} as entity {entered}")


async def _preview(story: Story, name: str, **options: str) -> InteractionResult:
    """The card that `/ban add` answers with; a heartbeat has to bring the player first."""

    async def offered() -> Choice | None:
        try:
            return await story.moderator.picks("ban add", "player", name)
        except NotSeen:
            return None

    player = await eventually(offered, f"{name} among the players")
    return await story.run(story.moderator, "ban add", player=player, **options)


async def _kept_out(story: Story, game: Game) -> None:
    """From his own address he does not come in; from another one somebody else does."""
    port = story.world.host.port(game)
    words = await eventually(lambda: _refused(port), f"{SPAMMER} refused", 40)
    story.tell.player(SPAMMER, f"tries to come back: {words}")
    neighbour = await TeeworldsBot.join("127.0.0.1", port, "Ida", "127.0.0.8")
    story.tell.player("Ida", "joins from another address")
    await neighbour.leave()


async def _refused(port: int) -> str | None:
    try:
        player = await TeeworldsBot.join("127.0.0.1", port, SPAMMER, _HOME, timeout=2)
    except JoinRefused as refusal:
        return str(refusal)
    await player.leave()
    return None


async def _entered(story: Story, game: Game, name: str) -> int | None:
    entity = await story.world.host.control(game).join(name)
    return entity if isinstance(entity, int) else None
