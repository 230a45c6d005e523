"""People of one house: an address says who somebody is only where nothing else is known of them."""

import asyncio
from typing import Any

import pytest

from bot.errors import Conflict
from bot.services.agents import HostIdentity
from bot.services.confirmations import Done
from tests.bot.people import People, again
from tests.bot.services.court import OTHER_STEAM, STEAM, Court, court, game, items, later
from tests.bot.world import World, player

HOUSE = "192.0.2.1"
ACTIVE = """select b.number, i.kind, i.value from ban_identifiers i join org_bans b on b.id = i.org_ban_id
             where is_active"""


class Street:
    """A game that bans by ids and one that bans by addresses, and two who live behind one address."""

    def __init__(self, court: Court) -> None:
        self.court = court
        self.hosts: dict[str, HostIdentity] = {}
        self.held: dict[str, dict[tuple[str, str], Any]] = {"byId": {}, "byIp": {}, "mixed": {}}
        """What each game holds: identity -> until when."""

    async def built(self) -> "Street":
        for name, ban_by in (("byId", ["steam"]), ("byIp", ["ip"]), ("mixed", ["steam", "ip"])):
            self.court.games = [game(ban_by=ban_by)]
            self.hosts[name] = await self.court.host(f"gs-{name}", name)
        self.court.games = [game(ban_by=["steam"])]
        people = player("ann", steam=STEAM, ip=HOUSE), player("bob", steam=OTHER_STEAM, ip=HOUSE)
        await self.court.up(self.hosts["byId"], "byId", *people)
        return self

    async def synced(self) -> None:
        """Every game is told what it has to be told, and does as the agent does: what lasts goes before an address."""
        for name, host in self.hosts.items():
            for job in await self.court.world.claim(host, 1):
                self._do(self.held[name], items(job), durable=name != "byIp")
                await self.court.answer(host, job)

    @staticmethod
    def _do(held: dict[tuple[str, str], Any], told: list[Any], *, durable: bool) -> None:
        for item in sorted(told, key=lambda item: item.want, reverse=True):
            by = [(one.kind, one.value) for one in item.identities]
            if item.want == "unbanned":
                for one in by:
                    held.pop(one, None)
                continue
            lasting = [one for one in by if one[0] != "ip"] if durable else []
            held.update(dict.fromkeys(lasting or by, item.until))

    def out(self) -> dict[str, set[str]]:
        """Whom each game keeps out."""
        return {name: {value for _, value in held} for name, held in self.held.items()}


@pytest.fixture(name="street")
async def made(world: World) -> Street:
    return await Street(await court(world)).built()


BOTH = {"byId": {STEAM, OTHER_STEAM}, "byIp": {HOUSE}, "mixed": {STEAM, OTHER_STEAM}}
NOBODY: dict[str, set[str]] = {"byId": set(), "byIp": set(), "mixed": set()}


@pytest.mark.parametrize(("first", "second"), [("ann", "bob"), ("bob", "ann")])
@pytest.mark.parametrize("lifted", [("B-1", "B-2"), ("B-2", "B-1")])
async def test_two_of_one_house_are_two_cases(street: Street, first: str, second: str, lifted: tuple[str, str]) -> None:
    court = street.court
    assert (await court.ban(first)).title == f"B-1: {first} is banned"
    asked = await court.ask(second)
    assert asked.question.title == "Ban this player?" and asked.existing is None and asked.past == ()
    assert (await court.press(asked)).title == f"B-2: {second} is banned"
    await street.synced()
    await street.synced()
    assert street.out() == BOTH
    stays = {"ann": STEAM, "bob": OTHER_STEAM}[second if lifted[0] == "B-1" else first]
    await court.lift(lifted[0])
    await street.synced()
    assert street.out() == {"byId": {stays}, "byIp": {HOUSE}, "mixed": {stays}}, "the other one's ban holds there"
    await court.lift(lifted[1])
    await street.synced()
    assert street.out() == NOBODY
    assert {status for *_, status, _ in await court.entries()} == {"synced"}


@pytest.mark.parametrize(("first", "second"), [("1h", "3h"), ("3h", "1h"), ("1h", ""), ("", "1h")])
async def test_the_games_ban_of_an_address_lasts_as_long_as_the_longer_case(
    street: Street, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    court = street.court
    await court.ban("ann", duration=first)
    await street.synced()
    await court.ban("bob", duration=second)
    await street.synced()
    ends = [row[0] for row in await court.world.rows("select expires_at from org_bans order by number")]
    assert street.held["byIp"] == {("ip", HOUSE): None if None in ends else max(ends)}
    assert street.held["byId"] == {("steam", STEAM): ends[0], ("steam", OTHER_STEAM): ends[1]}
    later(monkeypatch, hours=2)
    await court.sweep.expire()
    await street.synced()
    stays = OTHER_STEAM if first == "1h" else STEAM
    assert street.out() == {"byId": {stays}, "byIp": {HOUSE}, "mixed": {stays}}
    if "" not in (first, second):
        later(monkeypatch, hours=4)
        await court.sweep.expire()
        await street.synced()
        assert street.out() == NOBODY


async def test_an_address_and_somebody_who_has_it(street: Street) -> None:
    """A bare address is no person: neither is the other's case, and each ends for itself."""
    court = street.court
    await court.ban(HOUSE)
    await court.ban("ann")
    assert (await court.ask("ann", reason="again")).question.title == "Change ban B-2?"
    assert (await court.ask(HOUSE, reason="again")).question.title == "Change ban B-1?"
    await street.synced()
    await street.synced()
    assert street.out() == {"byId": {STEAM}, "byIp": {HOUSE}, "mixed": {HOUSE, STEAM}}
    await court.lift("B-1")
    await street.synced()
    assert street.out() == {"byId": {STEAM}, "byIp": {HOUSE}, "mixed": {STEAM}}, "there ann is kept out by her id"
    await court.lift("B-2")
    await street.synced()
    assert street.out() == NOBODY


async def test_what_was_left_to_a_case_that_was_never_told_is_taken_back(street: Street) -> None:
    """Its server was given the first case's end, and not yet the second case."""
    court = street.court
    await court.ban("ann")
    await street.synced()
    await court.ban("bob")
    await court.world.rows(
        """update ban_entries set last_sync_job_id = null, sync_status = 'pending',
                  next_attempt_at = now() + interval '1 h'
             from org_bans b where b.id = org_ban_id and b.number = 2"""
    )
    await court.world.rows("update jobs set status = 'cancelled', finished_at = now() where status = 'queued'")
    await court.lift("B-1")
    await street.synced()
    assert street.out()["byIp"] == {HOUSE}
    await court.lift("B-2")
    await street.synced()
    assert street.out() == NOBODY


async def test_two_addresses_at_once_are_one_case(street: Street, world: World) -> None:
    court = street.court
    ann, bea = await People(world.db).actor("ann", administrator=True), court.actor
    first, second = await court.ask("192.0.2.7", ann), await court.ask("192.0.2.7", bea)
    answers: tuple[Any, ...] = await asyncio.gather(
        court.press(first, ann), court.press(second, bea), return_exceptions=True
    )
    (done,) = [answer for answer in answers if isinstance(answer, Done)]
    (lost,) = [answer for answer in answers if isinstance(answer, Conflict)]
    assert "B-1" in done.title and "is banned already: B-1" in lost.what
    assert await world.rows(ACTIVE) == [(1, "ip", "192.0.2.7")]


async def test_two_of_one_house_at_once_are_two_cases(street: Street, world: World) -> None:
    court = street.court
    ann, bea = await People(world.db).actor("ann", administrator=True), court.actor
    first, second = await court.ask("ann", ann), await court.ask("bob", bea)
    await asyncio.gather(court.press(first, ann), court.press(second, bea))
    assert sorted(await world.rows(f"{ACTIVE} and kind = 'ip'")) == [(1, "ip", HOUSE), (2, "ip", HOUSE)]


@pytest.mark.parametrize("server", ["byId", "mixed"])
async def test_a_brother_does_not_evade(street: Street, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    court = street.court
    await court.ban("ann")
    await street.synced()
    later(monkeypatch, minutes=5)
    court.games = [game(ban_by=["steam"] if server == "byId" else ["steam", "ip"])]
    await court.up(street.hosts[server], server, player("bob", steam=OTHER_STEAM, ip=HOUSE))
    assert await court.history() == ["created"]


async def test_the_preview_names_who_shares_the_address(street: Street) -> None:
    court = street.court
    asked = await court.ask("ann")
    assert asked.sharing and (asked.sharing.cases, asked.sharing.players) == ((), ("bob",))
    assert {one.place.name: one.kinds for one in asked.targets} == {
        "byId": ("steam",),
        "byIp": ("ip",),
        "mixed": ("steam",),
    }
    await court.press(asked)
    later_one, bare = await court.ask("bob"), await court.ask(HOUSE)
    for shown, players in ((later_one, {"ann"}), (bare, {"ann", "bob"})):
        assert shown.sharing and [(one.number, one.name) for one in shown.sharing.cases] == [(1, "ann")]
        assert set(shown.sharing.players) == players
    assert (await court.ask("192.0.2.99")).sharing is None


async def test_who_lifts_is_told_whose_ban_goes_on(street: Street) -> None:
    court = street.court
    await court.ban("ann")
    asked = await court.lifting.ask(again(court.actor), "B-1", "sorry")
    assert not [line for line in asked.effect if "address" in line]
    await court.ban("bob")
    done = await court.lift("B-1")
    assert "Their address is banned in `B-2`, too: where a game bans by address, it stays." in done.text
    assert "address" not in (await court.lift("B-2")).text


@pytest.mark.parametrize("first", ["B-1", "B-2"])
async def test_an_address_is_held_server_by_server(street: Street, first: str) -> None:
    """One is banned there and one here: neither holds the address for the other."""
    court = street.court
    court.games = [game(ban_by=["ip"])]
    street.hosts["other"], street.held["other"] = await court.host("gs-other", "other"), {}
    await court.ban("ann", server="byIp")
    await court.ban("bob", server="other")
    await street.synced()
    assert street.out() == {**NOBODY, "byIp": {HOUSE}, "other": {HOUSE}}
    await court.lift(first)
    await street.synced()
    stays = "other" if first == "B-1" else "byIp"
    assert street.out() == {**NOBODY, "other": set(), stays: {HOUSE}}


async def test_a_server_that_is_removed_while_it_is_told(street: Street) -> None:
    court = street.court
    await court.ban("ann")
    job = await court.take(street.hosts["byIp"])
    await court.world.rows("update server_instances set deleted_at = now() where name = 'byIp'")
    await court.ban("bob")
    await court.answer(street.hosts["byIp"], job)
    assert await court.world.claim(street.hosts["byIp"], 1) == []
    shown = await court.bans.show(court.actor, "B-1")
    assert {one.server_name for one in shown.receipts} == {"byId", "mixed"} and shown.case.servers == 2
    await court.lift("B-1")
    await court.sweep.reconcile()
    for _ in range(2):  # what was under way, and what was wanted since
        await street.synced()
    assert street.out() == {"byId": {OTHER_STEAM}, "byIp": set(), "mixed": {OTHER_STEAM}}
