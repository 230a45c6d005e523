"""/incident: list, show, ack, resolve; and the buttons of an incident's card."""

from uuid import UUID

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate, suggest
from bot.ui import incidents
from bot.ui.cards import listing, notice

_STATES = [
    app_commands.Choice(name=name, value=value)
    for name, value in (
        ("not resolved", "live"),
        ("open", "open"),
        ("looked into", "investigating"),
        ("resolved", "resolved"),
    )
]


@suggest
async def _any(call: Call, current: str) -> list[app_commands.Choice[str]]:
    found = await call.services.incidents.suggest(call.actor, current)
    return [app_commands.Choice(name=incidents.short(card), value=str(card.number)) for card in found]


@suggest
async def _live(call: Call, current: str) -> list[app_commands.Choice[str]]:
    found = await call.services.incidents.suggest(call.actor, current, live=True)
    return [app_commands.Choice(name=incidents.short(card), value=str(card.number)) for card in found]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class IncidentCog(commands.GroupCog, group_name="incident", group_description="What is wrong, and who looks into it"):
    """Handlers of /incident."""

    @app_commands.command(name="list", description="Incidents, newest first")
    @app_commands.describe(state="Only in this state")
    @app_commands.choices(state=_STATES)
    @gate("incidents.view")
    async def list(self, call: Call, state: str = "") -> Reply:
        return await _page(call, state, 0)

    @app_commands.command(name="show", description="One incident and its timeline")
    @app_commands.describe(incident="Which incident")
    @app_commands.autocomplete(incident=_any)
    @gate("incidents.view")
    async def show(self, call: Call, incident: str) -> Reply:
        card = await call.services.incidents.show(call.actor, incident)
        return Reply(incidents.incident_card(card, may=call.actor.on(card.server_id)))

    @app_commands.command(name="ack", description="Say that you look into it")
    @app_commands.describe(incident="Which incident")
    @app_commands.autocomplete(incident=_live)
    @gate("incidents.manage")
    async def ack(self, call: Call, incident: str) -> Reply:
        card = await call.services.incidents.acknowledge(call.actor, incident)
        return Reply(notice(f"You look into {incidents.number(card)}", "Its message says so."))

    @app_commands.command(name="resolve", description="Say that it is over")
    @app_commands.describe(incident="Which incident", note="What it was, for the timeline")
    @app_commands.autocomplete(incident=_live)
    @gate("incidents.manage")
    async def resolve(self, call: Call, incident: str, note: app_commands.Range[str, 0, 500] = "") -> Reply:
        card = await call.services.incidents.resolve(call.actor, incident, note)
        return Reply(incidents.incident_card(card, may=call.actor.on(card.server_id)))


@action("incident.page", "incidents.view")
async def _page(call: Call, state: str, page: int) -> Reply:
    found = await call.services.incidents.list(call.actor, state=state, page=page)
    lines = [incidents.line(card) for card in found.rows]
    empty = "No incident is like that." if state else "Nothing has been wrong yet."
    return Reply(
        listing(
            "Incidents", lines, empty=empty, page=found.number, more=found.more, route="incident.page", args=(state,)
        )
    )


@action("incident.ack", "incidents.manage", Show.PRIVATE)
async def _ack(call: Call, incident: UUID) -> Reply:
    """Acknowledge, on the card; a second press shows how it stands."""
    done = await call.services.incidents.press(call.actor, incident, "acknowledge")
    if done.changed:
        return Reply(notice(f"You look into {incidents.number(done.card)}", "Its message says so."))
    return Reply(incidents.incident_card(done.card, may=call.actor.on(done.card.server_id)))


@action("incident.resolve", "incidents.manage", Show.PRIVATE)
async def _resolve(call: Call, incident: UUID) -> Reply:
    """Resolve, on the card; a second press shows how it stands."""
    done = await call.services.incidents.press(call.actor, incident, "resolve")
    return Reply(incidents.incident_card(done.card, may=call.actor.on(done.card.server_id)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(IncidentCog())
