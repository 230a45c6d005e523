"""`/notify`: which messages go to which Discord channels. Several channels may serve one purpose."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy.exc import IntegrityError

from bot import clock
from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import alert_defaults, outbox
from bot.services.panels import Where, must_be_postable
from bot.services.servers import must_see
from bot.services.setup import PURPOSES, must_be_trusted_with
from db.engine import Database
from db.failures import constraint_of
from db.queries import channels
from db.queries.channels import Channel
from db.uow import Tx

MOST: Final = 25
"""Channels of one org."""
NAME_MAX: Final = 50
SEVERITIES: Final = ("low", "med", "high")
EVERYWHERE: Final = "alerts"
"""The purpose whose messages go to all its channels; of the others the first channel that works is used."""


@dataclass(frozen=True)
class Shown:
    """A channel, and whether messages go there as things are."""

    channel: Channel
    in_use: bool


@dataclass(frozen=True)
class Removed:
    """What was removed, and where its messages go from now on."""

    channel: Channel
    left: tuple[int, ...]
    """Discord channels."""


class Channels:
    """The channels of an org, by name."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, actor: Actor) -> Sequence[Shown]:
        """Every channel, those included that `/setup` made and those that are switched off."""
        async with self._db.read() as session:
            await must_see(session, actor, "notifications.manage", None)
            return _shown(await channels.listed(session, actor.org))

    async def suggest(self, actor: Actor, words: str) -> Sequence[Channel]:
        """For autocompletes."""
        if not actor.may_on("notifications.manage", None):
            return []
        async with self._db.read() as session:
            found = await channels.listed(session, actor.org)
        return [one for one in found if words.lower() in one.name.lower()][:25]

    async def add(self, actor: Actor, where: Where, *, name: str, purpose: str, severity: str = "") -> Channel:
        """Sends messages of a purpose to one more channel, and one there that says so.

        Raises:
            NotPermitted, Invalid, Conflict: the name is taken, or the channel has this purpose already.
        """
        name = _checked(name, purpose, severity)
        must_be_postable(where)
        try:
            async with self._db.uow(actor) as tx:
                await tx.require("notifications.manage")
                await must_be_trusted_with(tx, purpose)
                _must_be_new(await channels.listed(tx.session, actor.org), name, purpose, where.channel_id)
                made = await channels.add(
                    tx.session,
                    actor.org,
                    name=name,
                    purpose=purpose,
                    channel_id=where.channel_id,
                    severity=severity or SEVERITIES[0],
                    now=clock.now(),
                )
                channel = await _named(tx, str(made))
                await _say(tx, channel)
                if purpose == "alerts":
                    await alert_defaults.channel_set(tx)
                tx.audit("notify.add", resource=("channel", made), name=name, purpose=purpose, severity=severity)
        except IntegrityError as error:
            if constraint_of(error) != "uq_notification_channels_name":
                raise
            raise _taken(name) from error
        return channel

    async def test(self, actor: Actor, ref: str) -> Channel:
        """Posts a message that says that it is a test. One that was switched off is tried again.

        Raises:
            NotPermitted, NotFound.
        """
        async with self._db.uow(actor) as tx:
            await tx.require("notifications.manage")
            channel = await _named(tx, ref)
            await channels.enable(tx.session, actor.org, channel.id)
            await _say(tx, channel)
            if channel.purpose == "alerts" and not channel.enabled:
                await alert_defaults.channel_set(tx)
            tx.audit("notify.test", resource=("channel", channel.id), name=channel.name, off=not channel.enabled)
        return channel

    async def remove(self, actor: Actor, ref: str) -> Removed:
        """Takes a channel away, whatever uses it.

        Raises:
            NotPermitted, NotFound.
        """
        async with self._db.uow(actor) as tx:
            await tx.require("notifications.manage")
            channel = await _named(tx, ref)
            await must_be_trusted_with(tx, channel.purpose)
            await channels.remove(tx.session, actor.org, channel.id)
            shown = _shown(await channels.listed(tx.session, actor.org))
            left = [one.channel for one in shown if one.in_use and one.channel.purpose == channel.purpose]
            tx.audit("notify.remove", resource=("channel", channel.id), name=channel.name, purpose=channel.purpose)
        return Removed(channel, tuple(one.channel_id for one in left))


def _shown(found: Sequence[Channel]) -> list[Shown]:
    shown: list[Shown] = []
    for purpose, group in groupby(found, lambda channel: channel.purpose):
        one_is_used = False
        for channel in group:
            in_use = channel.enabled and (purpose == EVERYWHERE or not one_is_used)
            shown.append(Shown(channel, in_use))
            one_is_used = one_is_used or in_use
    return shown


def _checked(name: str, purpose: str, severity: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_MAX:
        raise Invalid(f"A name has 1 to {NAME_MAX} characters.", "It is for this list only.")
    if name.lower() in PURPOSES:
        raise Invalid(f"The name {safe(name)} belongs to `/setup`.", "Choose another one, such as `night shift`.")
    if purpose not in PURPOSES:
        raise Invalid("There is no such purpose.", f"Purposes: {', '.join(PURPOSES)}.")
    if severity and severity not in SEVERITIES:
        raise Invalid("There is no such severity.", f"Severities: {', '.join(SEVERITIES)}.")
    if severity and purpose != "alerts":
        raise Invalid("Only alerts have a severity.", "Leave it out.")
    return name


def _taken(name: str) -> Conflict:
    return Conflict(f"{safe(name)} is taken.", "Choose another name; `/notify list` shows them all.")


def _must_be_new(found: Sequence[Channel], name: str, purpose: str, channel_id: int) -> None:
    if any(one.name.lower() == name.lower() for one in found):
        raise _taken(name)  # names are looked for without regard to case
    same = next((one for one in found if one.purpose == purpose and one.channel_id == channel_id), None)
    if same is not None:
        raise Conflict(
            f"<#{channel_id}> is there for {purpose} already, as {safe(same.name)}.",
            "`/notify test` tries it; `/notify remove` takes it away.",
        )
    if len(found) >= MOST:
        raise Conflict(f"There are {MOST} channels already.", "Remove one first: `/notify list` shows them.")


async def _named(tx: Tx, ref: str) -> Channel:
    """By id or by name."""
    wanted = ref.strip().lower()
    found = await channels.listed(tx.session, tx.actor.org)
    for channel in found:
        if wanted in (str(channel.id), channel.name.lower()):
            return channel
    names = ", ".join(safe(channel.name) for channel in found[:5])
    raise NotFound(
        "There is no such channel here.", f"Pick one: {names}." if names else "`/notify add` makes the first."
    )


async def _say(tx: Tx, channel: Channel) -> None:
    reference = tx.actor.invocation.reference if tx.actor.invocation else clock.now().isoformat()
    await outbox.post(
        tx.session,
        org_id=tx.actor.org,
        channel_id=channel.channel_id,
        event_type="notify.test",
        payload={
            "name": channel.name,
            "purpose": channel.purpose,
            "severity": channel.min_severity,
            "by": tx.actor.name,
        },
        dedupe_key=f"notify.test:{channel.id}:{reference}",
    )
    await tx.notify(outbox.NOTIFY)
