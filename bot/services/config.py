"""`/config`: the settings of an org, shown and changed one at a time."""

from dataclasses import dataclass
from typing import Final

from bot import clock
from bot.domain import settings
from bot.domain.actors import Actor
from bot.domain.settings import SETTINGS, Setting, Value
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.servers import must_see
from db.engine import Database
from db.queries import config
from db.uow import Tx

REPORTS_MISSED: Final = 2
"""Reports that a host may leave out before it may count as offline: one can be late."""


@dataclass(frozen=True)
class Change:
    """A setting before and after."""

    setting: Setting
    before: Value
    after: Value


class Config:
    """The settings of an org."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def show(self, actor: Actor) -> dict[str, Value]:
        """Every setting with its value.

        Raises:
            NotPermitted: they may look only on single servers.
        """
        async with self._db.read() as session:
            await must_see(session, actor, "settings.view", None)
            return await config.values(session, actor.org)

    async def suggest(self, actor: Actor) -> dict[str, Value]:
        """For autocompletes: the same, for who may change them."""
        if not actor.may_on("settings.edit", None):
            return {}
        async with self._db.read() as session:
            return await config.values(session, actor.org)

    async def change(self, actor: Actor, key: str, typed: str) -> Change:
        """Sets one of them.

        Raises:
            NotFound, Invalid, Conflict: no such key, no such value, or it does not go with another one.
        """
        async with self._db.uow(actor) as tx:
            change = await change_in(tx, key, typed)
            tx.audit(
                "config.set",
                resource=("org", actor.org),
                setting=change.setting.key,
                before=change.before,
                after=change.after,
            )
        return change


async def change_in(tx: Tx, key: str, typed: str) -> Change:
    """Sets one within a unit of work of the caller, who names it in the audit row."""
    setting = SETTINGS.get(key.strip().lower())
    if setting is None:
        raise NotFound(f"There is no setting {safe(key, 40)}.", f"Settings: {', '.join(SETTINGS)}.")
    await tx.require("settings.edit")
    await tx.require(setting.permission)
    try:
        value = settings.read(setting, typed)
    except ValueError as error:
        raise Invalid(str(error), f"It may be {settings.allowed(setting)}.") from error
    values = await config.values(tx.session, tx.actor.org, lock=True)
    _must_go_together({**values, setting.key: value})
    if values[setting.key] != value:
        await config.change(tx.session, tx.actor.org, setting.key, value, clock.now())
    return Change(setting, values[setting.key], value)


def _must_go_together(values: dict[str, Value]) -> None:
    interval, offline = int(values["health_interval_sec"]), int(values["host_offline_after_sec"])
    if offline < REPORTS_MISSED * interval:
        raise Conflict(
            f"Hosts that report every {interval} seconds cannot count as offline after {offline}.",
            f"Keep `host_offline_after_sec` at {REPORTS_MISSED * interval} or more; nothing was changed.",
        )
