"""A macro lends its author's permission for one text, and for nothing else."""

import asyncio
import json
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, Unsupported
from bot.services.confirmations import Confirmations, Question
from bot.services.macros import Draft, Macros, Ran
from bot.services.macros_adding import MacroAdding, Wish
from tests.bot.people import again
from tests.bot.services.access_world import ADMINS, DEPUTIES, MODERATORS, Court, person
from tests.bot.world import World

PRIZE = Wish("prize", "console", 'give {{who}} {{item:choice wood|stone}} {{n:number 1-9}} "for {{why:text 20}}"')
ENTERED = {"who": "bob; shutdown", "item": "WOOD", "n": "3", "why": 'a "good" game'}


class Stage:
    """A court whose two servers can say and take console lines, and its macros."""

    def __init__(self, court: Court) -> None:
        self.court, db = court, court.world.db
        self.macros, self.adding = Macros(db), MacroAdding(db)
        performers = {
            "macro.add": self.adding.saved,
            "macro.remove": self.macros.removed,
            "macro.run": self.macros.confirmed,
        }
        self.confirmations = Confirmations(db, performers)

    async def add(self, actor: Actor, wish: Wish = PRIZE) -> None:
        asked = await self.adding.ask(actor, wish)
        await self.confirmations.press(again(actor), asked.token)

    async def drafted(self, actor: Actor, name: str = "prize", server: str = "EU1") -> Draft:
        draft = await self.macros.begin(actor, name, server)
        assert isinstance(draft, Draft)
        return draft

    async def run(self, actor: Actor, typed: dict[str, str], name: str = "prize", server: str = "EU1") -> Ran:
        draft = await self.drafted(actor, name, server)
        return await self.macros.run(again(actor), draft.macro.id, draft.server.id, typed)

    async def jobs(self) -> list[Any]:
        statement = (
            "select type, payload, source, macro_id is not null from jobs where source = 'macro' order by number"
        )
        return list(await self.court.world.rows(statement))


@pytest.fixture
async def stage(world: World) -> Stage:
    court = await Court.opened(world)
    await able(court, "start", "stop", "say", "console")
    return Stage(court)


async def able(court: Court, *capabilities: str) -> None:
    """What the host reports that its game can do."""
    reported = "update hosts set games = jsonb_set(games, '{0,capabilities}', cast(:able as jsonb)), status = 'online'"
    await court.world.rows(reported, able=json.dumps(capabilities))


async def mia(stage: Stage) -> Actor:
    """A moderator who may run macros, and whose consoles were taken from her."""
    await stage.court.deny(await stage.court.owner(), person("mia", MODERATORS), "servers.console")
    return await stage.court.actor("mia", MODERATORS)


async def test_who_may_not_send_it_runs_what_its_author_could(stage: Stage) -> None:
    await stage.add(await stage.court.owner())
    actor = await mia(stage)
    ran = await stage.run(actor, ENTERED)
    assert ran.text == 'give bob; shutdown wood 3 "for a "good" game"' and "J-1" in ran.where
    ((job_type, payload, source, linked),) = await stage.jobs()
    assert (job_type, source, linked) == ("CONSOLE_COMMAND", "macro", True)
    assert payload["command"] == 'give {{who}} wood 3 "for {{why}}"'
    assert payload["values"] == {"who": "bob; shutdown", "why": 'a "good" game'}, "the host quotes them"
    assert (await stage.court.world.audited())[-1] == "macro.run"


async def test_an_announcement_is_filled_in_whole(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("event", "announce", "{{what}} in {{n:number 1-60}} min!"))
    await stage.run(await mia(stage), {"what": '{{n}}; "x" @everyone', "n": "5"}, "event")
    ((_, payload, _, _),) = await stage.jobs()
    assert payload == {"type": "ANNOUNCE", "text": '{{n}}; "x" @everyone in 5 min!'}


@pytest.mark.parametrize(
    "changed",
    [
        {"n": "10"},
        {"n": "3; shutdown"},
        {"item": "gold"},
        {"who": ""},
        {"who": "a\nb"},
        {"who": "x" * 101},
        {"why": "x" * 21},
    ],
)
async def test_what_is_entered_wrongly_sends_nothing(stage: Stage, changed: dict[str, str]) -> None:
    await stage.add(await stage.court.owner())
    with pytest.raises(Invalid, match=r"Who|Item|N |Why"):
        await stage.run(await stage.court.owner(), {**ENTERED, **changed})
    assert await stage.jobs() == []


async def test_a_form_without_its_fields_sends_nothing(stage: Stage) -> None:
    await stage.add(await stage.court.owner())
    with pytest.raises(Invalid, match="not one of ours"):
        await stage.run(await stage.court.owner(), {"who": "bob", "other": "1"})


async def test_what_gets_too_long_sends_nothing(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("long", "announce", "x" * 450 + " {{t:text 200}}"))
    with pytest.raises(Invalid, match="a console takes 512"):
        await stage.run(await stage.court.owner(), {"t": "y" * 100}, "long")


async def test_what_is_too_long_before_it_is_filled_in_sends_nothing(stage: Stage) -> None:
    """The host is sent the places of texts, whose names may be longer than what is entered."""
    name = "b" * 32
    text = f"say {{{{a:choice {'a' * 40}|x}}}}{'{{a}}' * 11}{{{{{name}}}}}"
    await stage.add(await stage.court.owner(), Wish("prize", "console", text))
    with pytest.raises(Invalid, match="a console takes 512"):
        await stage.run(await stage.court.owner(), {"a": "a" * 40, name: "1"})
    assert await stage.jobs() == []


async def test_without_parameters_it_asks_and_runs_once(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("Hello", "announce", "Hello!"))
    actor = await mia(stage)
    asked = await stage.macros.begin(actor, "hello", "EU2")
    assert isinstance(asked, Question) and "Announces: Hello!" in asked.effect
    presses = [stage.confirmations.press(again(actor), asked.token) for _ in range(2)]
    first, second = await asyncio.gather(*presses)
    assert first == second and len(await stage.jobs()) == 1


REFUSED: dict[str, tuple[type[AppError], str, Wish]] = {
    "an action without words": (Invalid, "nothing that a macro can do", Wish("x", "restart", "now")),
    "no such action": (Invalid, "nothing that a macro can do", Wish("x", "rm", "now")),
    "a name": (Invalid, "A macro's name", Wish("a b", "announce", "hi")),
    "no text": (Invalid, "is empty", Wish("x", "announce", "  ")),
    "two lines": (Invalid, "line break", Wish("x", "console", "say a\nshutdown")),
    "a long text": (Invalid, "a console takes 512", Wish("x", "announce", "x" * 600)),
    "a parameter": (Invalid, "is no parameter", Wish("x", "announce", "{{who:robot}}")),
    "a text as the command": (Invalid, "any command", Wish("x", "console", "{{cmd}} now")),
    "no such server": (NotFound, "no such server", Wish("x", "announce", "hi", "EU9")),
    "a long description": (Invalid, "at most 100", Wish("x", "announce", "hi", "", "y" * 101)),
}


@pytest.mark.parametrize(("kind", "why", "wish"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_a_macro(stage: Stage, kind: type[AppError], why: str, wish: Wish) -> None:
    with pytest.raises(kind, match=why):
        await stage.adding.ask(await stage.court.owner(), wish)


async def test_a_name_is_taken_once(stage: Stage) -> None:
    owner = await stage.court.owner()
    both = [await stage.adding.ask(again(owner), PRIZE) for _ in range(2)]
    done = await asyncio.gather(
        *(stage.confirmations.press(again(owner), asked.token) for asked in both), return_exceptions=True
    )
    assert [type(one) for one in done if isinstance(one, BaseException)] == [Conflict]
    with pytest.raises(Conflict, match="called prize already"):
        await stage.adding.ask(again(owner), Wish("PRIZE", "announce", "hi"))


async def test_only_who_could_send_it_everywhere_makes_it_for_all(stage: Stage) -> None:
    court, ada = stage.court, person("ada", ADMINS)
    await court.deny(await court.owner(), ada, "servers.console", "EU2")
    with pytest.raises(NotPermitted, match=r"servers\.console"):
        await stage.adding.ask(await court.actor("ada", ADMINS), PRIZE)
    await stage.add(await court.actor("ada", ADMINS), Wish("local", "console", "status", "EU1"))
    with pytest.raises(NotPermitted, match=r"servers\.console"):
        await stage.adding.ask(await court.actor("ada", ADMINS), Wish("there", "console", "status", "EU2"))
    with pytest.raises(NotPermitted, match=r"macros\.manage"):
        await stage.adding.ask(await court.actor("dora", DEPUTIES), PRIZE)


async def test_rights_that_are_lost_before_the_click_save_nothing(stage: Stage) -> None:
    ada = await stage.court.actor("ada", ADMINS)
    asked = await stage.adding.ask(ada, PRIZE)
    await stage.court.deny(await stage.court.owner(), person("ada", ADMINS), "servers.console")
    with pytest.raises(NotPermitted):
        await stage.confirmations.press(again(ada), asked.token)
    assert await stage.court.world.value("select count(*) from command_macros") == 0


async def test_a_macro_for_one_server_runs_nowhere_else(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("prize", "console", "give {{who}} 1", "EU1"))
    actor = await mia(stage)
    draft = await stage.drafted(actor)
    with pytest.raises(Conflict, match="is for EU1 only"):
        await stage.macros.begin(again(actor), "prize", "EU2")
    with pytest.raises(Conflict, match="is for EU1 only"):
        await stage.macros.run(again(actor), draft.macro.id, stage.court.eu2, {"who": "bob"})


async def test_a_macro_of_a_server_that_one_does_not_see_is_none(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("prize", "console", "give {{who}} 1", "EU2"))
    macro_id = (await stage.drafted(await stage.court.owner(), server="EU2")).macro.id
    await stage.court.deny(await stage.court.owner(), person("mia", MODERATORS), "servers.view", "EU2")
    actor = await mia(stage)
    for ref in ("prize", str(macro_id)):
        with pytest.raises(NotFound, match="no such macro"):
            await stage.macros.begin(again(actor), ref, "EU1")
    with pytest.raises(NotFound, match="no such macro"):
        await stage.macros.run(again(actor), macro_id, stage.court.eu1, {"who": "bob"})


async def test_who_may_not_run_it_there_does_not(stage: Stage) -> None:
    await stage.add(await stage.court.owner())
    actor = await mia(stage)
    draft = await stage.drafted(actor)
    await stage.court.deny(await stage.court.owner(), person("mia", MODERATORS), "macros.run", "EU1")
    with pytest.raises(NotPermitted, match=r"macros\.run"):
        await stage.macros.run(again(actor), draft.macro.id, draft.server.id, ENTERED)
    fresh = await stage.court.actor("mia", MODERATORS)
    with pytest.raises(NotPermitted):
        await stage.macros.begin(fresh, "prize", "EU1")
    assert await stage.jobs() == []


async def test_what_the_game_cannot_do_or_is_down_is_said(stage: Stage) -> None:
    await stage.add(await stage.court.owner())
    await stage.court.world.rows("update server_instances set status = 'stopped' where name = 'EU1'")
    with pytest.raises(Conflict, match="is stopped, so nothing was sent"):
        await stage.macros.begin(await stage.court.owner(), "prize", "EU1")
    await able(stage.court, "start")
    with pytest.raises(Unsupported):
        await stage.macros.begin(await stage.court.owner(), "prize", "EU2")


async def test_removed_between_form_and_click_it_sends_nothing(stage: Stage) -> None:
    owner = await stage.court.owner()
    await stage.add(owner)
    draft = await stage.drafted(again(owner))
    asked = await stage.macros.ask_remove(again(owner), "prize")
    await stage.confirmations.press(again(owner), asked.token)
    with pytest.raises(NotFound, match="removed meanwhile"):
        await stage.macros.run(again(owner), draft.macro.id, draft.server.id, ENTERED)
    with pytest.raises(NotFound, match="no such macro"):
        await stage.macros.begin(again(owner), "prize", "EU1")
    assert (await stage.macros.list(again(owner))).rows == []


async def test_a_removal_keeps_the_jobs_and_only_managers_remove(stage: Stage) -> None:
    owner = await stage.court.owner()
    await stage.add(owner)
    await stage.run(again(owner), ENTERED)
    with pytest.raises(NotPermitted, match=r"macros\.manage"):
        await stage.macros.ask_remove(await mia(stage), "prize")
    asked = await stage.macros.ask_remove(again(owner), "prize")
    await stage.confirmations.press(again(owner), asked.token)
    ((_, _, source, linked),) = await stage.jobs()
    assert (source, linked) == ("macro", False)


async def test_lists_show_what_one_may_run(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("here", "announce", "hi", "EU1"))
    await stage.add(await stage.court.owner(), Wish("there", "announce", "hi", "EU2", "Says hi"))
    await stage.add(await stage.court.owner(), Wish("all", "announce", "hi"))
    await stage.court.deny(await stage.court.owner(), person("mia", MODERATORS), "servers.view", "EU2")
    actor = await mia(stage)
    assert [one.name for one in (await stage.macros.list(actor)).rows] == ["all", "here"]
    assert [one.name for one in await stage.macros.suggest(actor, "he")] == ["here"]
    assert await stage.macros.suggest(await stage.court.actor("nobody"), "") == []
    assert [one.name for one in await stage.macros.suggest(await stage.court.owner(), "says")] == ["there"]


async def test_of_a_removed_server_only_the_macro_is_left_to_be_removed(stage: Stage) -> None:
    await stage.add(await stage.court.owner(), Wish("here", "announce", "hi", "EU1"))
    await stage.court.world.rows("update server_instances set deleted_at = now() where name = 'EU1'")
    (shown,) = (await stage.macros.list(await stage.court.owner())).rows
    assert shown.server_gone
    with pytest.raises(Conflict, match="a server that was removed"):
        await stage.macros.begin(await stage.court.owner(), "here", "EU2")
    asked = await stage.macros.ask_remove(await stage.court.owner(), "here")
    await stage.confirmations.press(await stage.court.owner(), asked.token)
