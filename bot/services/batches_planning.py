"""What a batch is to do: the wish that was typed, and the servers of its tag on which it can be done now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from bot import clock
from bot.domain.actions import Action
from bot.domain.batches import BATCHED, DEPLOY, DISTURBING, MOST_PARALLEL, MOST_SERVERS, Kind, LeftOut, Target, unable
from bot.domain.jobs import JOBS
from bot.domain.words import joined, safe
from bot.errors import Conflict, Invalid
from bot.services.actions import dedupe_key, text_of
from bot.services.mods import named
from bot.services.mods_games import moddable
from bot.services.servers import tagged, where_allowed
from db.queries import batches, mods_deployments
from db.queries.cards import ServerCard
from db.queries.mods import Artifact
from db.queries.mods_deployments import OnServer
from db.queries.rest import left_alone
from db.uow import Tx

RUN: Final = "batches.run"


@dataclass(frozen=True)
class Wish:
    """What `/batch start` was given. `parallel` 0: one after the other, announcements all at once."""

    action: str
    tag: str
    parallel: int = 0
    stop_on_failure: bool = False
    text: str = ""
    mod: str = ""
    version: str = ""


@dataclass(frozen=True)
class Shown:
    """The servers that a question was about."""

    servers: Collection[UUID]
    """Those on which it was to be done."""
    others: Collection[UUID]
    """Those that were left out."""

    @classmethod
    def load(cls, payload: Mapping[str, Any]) -> "Shown":
        return cls({UUID(one) for one in payload["servers"]}, {UUID(one) for one in payload["others"]})


@dataclass(frozen=True)
class Plan:
    """A wish that was understood, and the servers as they are now."""

    wish: Wish
    """With the tag, the text and the version that are meant."""
    action: Action
    servers: Sequence[ServerCard]
    """In the order of their turns."""
    left: Sequence[LeftOut]
    denied: Sequence[ServerCard]
    """Those on which the author may not do it."""
    artifact: Artifact | None = None

    def shown(self) -> dict[str, list[str]]:
        """What `Shown.load` reads."""
        others = [*(one.server for one in self.left), *(str(server.id) for server in self.denied)]
        return {"servers": [str(server.id) for server in self.servers], "others": others}

    @property
    def at_once(self) -> bool:
        """Nobody waits for a turn."""
        return self.action.name == "announce" and not self.wish.parallel

    @property
    def parallel(self) -> int:
        """How many are under way at a time."""
        return MOST_PARALLEL if self.at_once else self.wish.parallel or 1


async def understood(tx: Tx, wish: Wish, shown: Shown | None = None) -> Plan:
    """The plan of a wish; `shown`: for nothing but what was shown.

    Raises:
        Invalid, NotFound, NotPermitted, Conflict: it means nothing, or there is nothing to do.
    """
    action, wish = _meant(wish)
    artifact = await named(tx.session, tx.actor.org, wish.mod, wish.version) if action is DEPLOY else None
    found = await _tagged(tx, wish.tag)
    if shown:
        found = [server for server in found if server.id in shown.servers or server.id in shown.others]
        if not any(server.id in shown.servers for server in found):
            raise Conflict("None of these servers has the tag any more.", "Give the command again.")
    needed = (RUN, JOBS[action.job_type].permission)
    allowed = await where_allowed(tx, needed, [server.id for server in found])
    mine = sorted((one for one in found if one.id in allowed), key=lambda one: not one.host_online)
    left = await _left_out(tx, action, mine, artifact)
    for server in mine:
        if shown and server.id in shown.others:
            left.setdefault(server.id, out(server, "unable", "it was left out when this was asked"))
    servers = [server for server in mine if server.id not in left]
    if not servers:
        raise nothing(action, wish.tag, list(left.values()))
    denied = [server for server in found if server.id not in allowed]
    version = artifact.version if artifact else ""
    return Plan(replace(wish, version=version), action, servers, list(left.values()), denied, artifact)


def _meant(wish: Wish) -> tuple[Action, Wish]:
    action = BATCHED.get(wish.action)
    if action is None:
        raise Invalid(f"{safe(wish.action, 40)} is nothing that a batch can do.", f"It can {', '.join(BATCHED)}.")
    if not 0 <= wish.parallel <= MOST_PARALLEL:
        raise Invalid(f"At most {MOST_PARALLEL} servers are under way at a time.", "Give a smaller `parallel`.")
    if action is DEPLOY and not wish.mod.strip():
        raise Invalid("To deploy needs a `mod`.", "Pick one of the suggestions of `mod`; nothing was done.")
    if action is not DEPLOY and (wish.mod.strip() or wish.version.strip()):
        raise Invalid(f"The action {action.name} takes no `mod`.", "Leave `mod` and `version` out; nothing was done.")
    return action, replace(wish, tag=wish.tag.strip().lower(), text=text_of(action, wish.text), mod=wish.mod.strip())


async def _tagged(tx: Tx, tag: str) -> list[ServerCard]:
    found = await tagged(tx, tag)
    if len(found) > MOST_SERVERS:
        raise Invalid(
            f"{len(found)} servers have the tag {safe(tag, 40)}; a batch takes {MOST_SERVERS}.",
            "Give smaller tags with `/fleet tag`; nothing was done.",
        )
    return found


async def _left_out(
    tx: Tx, action: Action, servers: Sequence[ServerCard], artifact: Artifact | None
) -> dict[UUID, LeftOut]:
    session, org, now, ids = tx.session, tx.actor.org, clock.now(), [server.id for server in servers]
    resting = await left_alone(session, org, ids, now) if action.name in DISTURBING else {}
    busy = await batches.busy(session, org, ids) if dedupe_key(action, UUID(int=0)) else {}
    there: Mapping[UUID, OnServer] = {}
    if artifact:
        there = await mods_deployments.on(session, org, ids, artifact.name)
    left: dict[UUID, LeftOut] = {}
    for server in servers:
        target = Target(server.status, server.host_online, server.capabilities)
        if rest := resting.get(server.id):
            left[server.id] = out(server, "held" if rest.kind == "hold" else "maintenance", rest.words(now))
        elif words := unable(action, target) or _not_for(server, artifact, there.get(server.id)):
            left[server.id] = out(server, "unable", words)
        elif number := busy.get(server.id):
            left[server.id] = out(server, "busy", f"J-{number} is waiting or under way there")
    return left


def out(server: ServerCard, kind: Kind, reason: str) -> LeftOut:
    """A server that is left out."""
    return LeftOut(str(server.id), server.name, kind, reason)


def _not_for(server: ServerCard, artifact: Artifact | None, there: OnServer | None) -> str:
    """Why a version of a mod is not put on a server."""
    if artifact is None:
        return ""
    if artifact.game != server.game:
        return f"{artifact.name} is a mod of {artifact.game_name}, and it runs {server.game_name}"
    if server.game not in moddable():
        return "this version of the bot does not know its mods"
    if there and there.under_way:
        return "a version of it is on its way there" + (f" (J-{there.number})" if there.number else "")
    return f"it has {artifact.version} already" if there and there.artifact_id == artifact.id else ""


def nothing(action: Action, tag: str, left: Sequence[LeftOut]) -> Conflict:
    """Every server is left out."""
    why = joined([f"{safe(one.name)}: {safe(one.reason, 240)}" for one in left], 900)
    return Conflict(f"There is nothing to {action.name} with the tag {safe(tag, 40)} now.", f"{why}. Nothing was done.")
