"""Players: who is online, suggestions from sightings, kicks, and which member a player is."""

from typing import Final
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.access import EVERYWHERE
from bot.domain.actors import Actor, Caller
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.confirmations import Done
from bot.services.consoles import one_line
from bot.services.jobs_enqueue import enqueue
from bot.services.servers import PAGE, VIEW, Page, must_be_able, permitted, seen
from db.engine import Database
from db.queries import cards, identity, players, sightings
from db.queries.sightings import Presence, Sighting
from db.uow import Tx

REASON_MAX = 200
_KICK: Final = "players.kick"


class Players:
    """Players of an org, whatever the server."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def suggest(self, actor: Actor, words: str) -> list[Sighting]:
        """For autocompletes: from what heartbeats have reported."""
        if not any(actor.may(one) for one in ("players.view", "players.kick", "bans.create")):
            return []
        async with self._db.read() as session:
            return await sightings.suggest(session, actor.org, words, scope=actor.scope(VIEW))

    async def online(self, actor: Actor, ref: str = "", page: int = 0) -> Page[Sighting]:
        """Who is online, on one server or on all."""
        async with self._db.read() as session:
            server = await seen(session, actor, ref) if ref else None
            rows = await sightings.online(
                session,
                actor.org,
                server.id if server else None,
                scope=actor.scope(VIEW),
                limit=PAGE + 1,
                offset=page * PAGE,
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def show(self, actor: Actor, player_id: UUID) -> Sighting:
        """One player with their ids, for staff."""
        sight = actor.sight("players.view")
        async with self._db.read() as session:
            found = await sightings.player(session, actor.org, player_id, scope=sight)
        if found is None or (found.server_id is None and not sight.everywhere):
            raise NotFound("There is no such player here.", "Pick one of the suggestions.")
        return found

    async def kick(self, actor: Actor, ref: str, reason: str, server_ref: str = "") -> Done:
        """Throws a player out of the server they are on; the host finds them in the game's own list by their ids."""
        words = one_line(reason, "The reason")
        if len(words) > REASON_MAX:
            raise Invalid(f"The reason has {len(words)} characters; {REASON_MAX} are possible.", "Shorten it.")
        async with self._db.uow(actor) as tx:
            player = await self._found(tx, ref)
            place = await self._whereabouts(tx, player, server_ref)
            server = await cards.server(tx.session, actor.org, server_id=place.server_id)
            if server is None:
                raise NotFound("There is no such server here.")
            must_be_able(server, "kick")
            job = await enqueue(
                tx,
                type=JobType.PLAYER_KICK,
                server_id=server.id,
                host_id=server.host_id,
                params=wire.PlayerKick(identities=_whom(player, place), name=player.name, reason=words),
                dedupe_key=f"kick:{server.id}:{player.player_id}",
            )
            tx.audit(
                "player.kick",
                resource=("player", player.player_id),
                jobId=str(job.id),
                number=job.number,
                server=str(server.id),
                reason=words,
            )
            return Done(f"Kicking {safe(player.name)} from {safe(server.name)}", job.where)

    async def link(self, actor: Actor, ref: str, member: Caller) -> Done:
        """Says which member of the guild a player is, so that they can read what concerns them with `/my`. The member
        a player was linked to before is not any more."""
        async with self._db.uow(actor) as tx:
            await tx.require("players.kick")
            player = await self._found(tx, ref)
            user_id = await identity.upsert_user(tx.session, member, clock.now())
            await players.link(tx.session, actor.org, player.player_id, user_id)
            tx.audit("player.link", resource=("player", player.player_id), member=str(member.user_id))
        return Done(f"{safe(player.name)} is <@{member.user_id}>", "`/my bans` shows them their bans.")

    async def _found(self, tx: Tx, ref: str) -> Sighting:
        try:
            found = await sightings.player(tx.session, tx.actor.org, UUID(ref.strip()), scope=EVERYWHERE)
        except ValueError:
            hits = await sightings.suggest(tx.session, tx.actor.org, ref.strip(), scope=EVERYWHERE, limit=10)
            same = [hit for hit in hits if hit.name.lower() == ref.strip().lower()]
            if len(same) > 1:
                raise Conflict(f"{len(same)} players are called that.", "Pick one of the suggestions.") from None
            found = same[0] if same else None
        if found is None:
            raise NotFound("There is no such player here.", "Pick one of the suggestions.")
        return found

    async def _whereabouts(self, tx: Tx, player: Sighting, server_ref: str) -> Presence:
        """Where they are and may be kicked; the newest session, where there are several."""
        server = await permitted(tx, server_ref, _KICK) if server_ref else None
        places = await sightings.presence(tx.session, tx.actor.org, player.player_id, server.id if server else None)
        if not places:
            where = f"on {safe(server.name)}" if server else "on any server"
            raise Conflict(f"{safe(player.name)} is not {where} now.", "`/players` shows who is online.")
        allowed = await tx.allowed_on(_KICK, [place.server_id for place in places])
        if not allowed:
            await tx.require(_KICK, server_id=places[0].server_id)
        return next(place for place in places if place.server_id in allowed)


def _whom(player: Sighting, place: Presence) -> dict[str, str]:
    """The ids that the host finds the player by. A name alone may be somebody else's by now, so where the game knows
    nothing that lasts, the address of the session goes with it."""
    if place.ip and player.identities.keys() <= {"name"}:
        return {**player.identities, "name": player.name, "ip": place.ip}
    return player.identities
