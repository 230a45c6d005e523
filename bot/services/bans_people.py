"""Who is meant by a ban: a player who was seen, or somebody known by an id only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import ban_ids
from bot.domain.access import EVERYWHERE, Scope
from bot.domain.ban_ids import Identity
from bot.errors import Conflict, Invalid, NotFound
from db.queries import ban_people, sightings
from db.queries.ban_people import Known

_PICK: Final = f"Pick one of the suggestions, or give an id: {ban_ids.EXAMPLES}."
_LONGEST: Final = 200
#: Worth something only where a game bans by it.
_PASSING: Final = frozenset({"ip", "name", "slot"})


@dataclass(frozen=True)
class Somebody:
    """A person as a ban sees them. `name` is empty for one who was never seen."""

    player_id: UUID | None
    name: str
    former_names: tuple[str, ...]
    identities: frozenset[Identity]
    online_on: tuple[str, ...] = ()
    last_seen_at: datetime | None = None

    @property
    def sure_player(self) -> UUID | None:
        """The player, where something that lasts says who it is. Of those who are known by a name only, two may be
        different people."""
        return self.player_id if any(kind not in _PASSING for kind, _ in self.identities) else None


async def somebody(session: AsyncSession, org_id: UUID, ref: str, ban_by: Collection[str], shown: Scope) -> Somebody:
    """The person that somebody means: a player of autocomplete, a name, or a raw id. `ban_by`: the kinds by which games
    of the org ban; an address or a name counts only where it is one of them. `shown`: servers that may be named.

    Raises:
        NotFound, Conflict, Invalid: nobody, several, or nothing is known of them that a ban could hold on to.
    """
    text = ref.strip()[:_LONGEST]
    known, identity = await _known(session, org_id, text)
    if known is None and identity is None:
        raise NotFound("There is no such player here.", _PICK)
    person = _person(known, identity, ban_by, shown)
    if not person.identities:
        kinds = ", ".join(sorted(ban_by)) or "nothing yet: no host has reported a game that bans"
        raise Invalid("Nothing is known of this player that a ban could hold on to.", f"Games here ban by {kinds}.")
    return person


async def _known(session: AsyncSession, org_id: UUID, text: str) -> tuple[Known | None, Identity | None]:
    if (player_id := _uuid(text)) and (known := await ban_people.known(session, org_id, player_id=player_id)):
        return known, None
    try:
        identity = ban_ids.typed(text)
    except ValueError as error:
        raise Invalid(str(error), _PICK) from error
    if identity:
        return await ban_people.known(session, org_id, identity=identity), identity
    found = await sightings.suggest(session, org_id, text, scope=EVERYWHERE, limit=10)
    hits = [hit for hit in found if hit.name.lower() == text.lower()]
    if len(hits) > 1:
        raise Conflict(f"{len(hits)} players are called that.", _PICK)
    return (await ban_people.known(session, org_id, player_id=hits[0].player_id) if hits else None), None


def _uuid(text: str) -> UUID | None:
    """What autocomplete gives. An EOS id has 32 hexadecimal digits, too."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _person(known: Known | None, identity: Identity | None, ban_by: Collection[str], shown: Scope) -> Somebody:
    found = {(kind, value) for kind, value in known.identities} if known else set[Identity]()
    if known and known.address:
        found.add(("ip", known.address))
    if identity:
        found.add(identity)
    lasting = frozenset(one for one in found if one[0] in ban_by or one[0] not in _PASSING)
    if known is None:
        return Somebody(None, "", (), lasting)
    online_on = tuple(name for name, server in known.online_on if shown.covers(UUID(server)))
    return Somebody(known.player_id, known.name, tuple(known.former_names), lasting, online_on, known.last_seen_at)
