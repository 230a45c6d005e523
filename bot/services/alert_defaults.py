"""What an alerts channel does to the rules that every org starts with."""

from bot import clock
from bot.services import incident_flow
from db.queries import alert_rules, incidents
from db.uow import Tx


async def channel_set(tx: Tx) -> list[str]:
    """To be called in the transaction that sets an alerts channel: what waited for one is on from now on, and what is
    wrong already is shown there. The names of the rules."""
    await alert_rules.hold(tx.session, tx.actor.org)
    woken = await alert_rules.wake(tx.session, tx.actor.org, clock.now())
    for incident, rule, severity in await incidents.unshown(tx.session, tx.actor.org):
        for channel in await incidents.channels(tx.session, tx.actor.org, rule, severity):
            await incident_flow.show_in(tx, tx.actor.org, incident, channel)
    return woken
