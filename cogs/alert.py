"""/alert: list, add, toggle, test."""

from discord import app_commands
from discord.ext import commands

from bot.domain import alert_entry
from bot.domain.alert_conditions import SEVERITIES
from bot.errors import Invalid
from bot.gate import Call, Reply, Show, action, gate, suggest
from bot.ui import alerts
from bot.ui.cards import listing
from cogs import choices

_TYPES = [app_commands.Choice(name=name, value=value) for value, name in alerts.TYPES.items()]
_SEVERITIES = [app_commands.Choice(name=name, value=value) for value, name in SEVERITIES.items()]
_MATCHES = [app_commands.Choice(name=name, value=value) for value, name in alert_entry.MATCHES.items()]
_STATES = [app_commands.Choice(name=name, value=name) for name in ("on", "off")]


@suggest
async def _rule(call: Call, current: str) -> list[app_commands.Choice[str]]:
    found = await call.services.alerts.suggest(call.actor, current)
    return [app_commands.Choice(name=alerts.short(rule), value=str(rule.id)) for rule in found]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class AlertCog(commands.GroupCog, group_name="alert", group_description="What is watched, and worth a message"):
    """Handlers of /alert."""

    @app_commands.command(name="list", description="The rules, and which of them fire")
    @app_commands.describe(state="Only those that are on, or off")
    @app_commands.choices(state=_STATES)
    @gate("alerts.view")
    async def list(self, call: Call, state: str = "") -> Reply:
        return await _page(call, state, 0)

    @app_commands.command(name="add", description="Watch something more; a form asks for the rest")
    @app_commands.describe(
        type="What to watch",
        severity="How bad it is; high unless you say",
        server="Only this server",
        host="Only this host, or the servers on it",
        match="How a log is searched",
    )
    @app_commands.choices(type=_TYPES, severity=_SEVERITIES, match=_MATCHES)
    @app_commands.autocomplete(server=choices.server, host=choices.host)
    @gate("alerts.manage", Show.FORM)
    async def add(
        self, call: Call, type: str, severity: str = "high", server: str = "", host: str = "", match: str = "text"
    ) -> Reply:
        scope = await call.services.alerts.scope(call.actor, type, host, server)
        args = (type, severity, match, scope.host_id or "", scope.server_id or "")
        return Reply(form=alerts.form(type, scope.name, "alert.added", *args))

    @app_commands.command(name="toggle", description="Switch a rule on or off; what it has opened ends with it")
    @app_commands.describe(rule="Which rule")
    @app_commands.autocomplete(rule=_rule)
    @gate("alerts.manage")
    async def toggle(self, call: Call, rule: str) -> Reply:
        kept = await call.services.alerts.toggle(call.actor, rule)
        return Reply(alerts.kept_card(kept, f"The rule is {'on' if kept.rule.enabled else 'off'}"))

    @app_commands.command(name="test", description="Post a test where a rule's messages go")
    @app_commands.describe(rule="Which rule")
    @app_commands.autocomplete(rule=_rule)
    @gate("alerts.manage")
    async def test(self, call: Call, rule: str) -> Reply:
        return Reply(alerts.kept_card(await call.services.alerts.test(call.actor, rule), "A test is on its way"))


@action("alert.added", "alerts.manage", Show.PRIVATE, fields=("name", "*"))
async def _added(call: Call, kind: str, severity: str, match: str, host: str, server: str) -> Reply:
    """The form of /alert add."""
    typed = {name: call.value(name) for name in call.values}
    if typed.keys() != alerts.entries(kind) or match not in alert_entry.MATCHES:
        raise Invalid("This form is not one of ours.", "Give the command again.")
    try:
        condition = alert_entry.values(kind, typed, match)
    except ValueError as error:
        raise Invalid(str(error), "Nothing was changed. Give the command again.") from error
    scope = await call.services.alerts.scope(call.actor, kind, host, server)
    kept = await call.services.alerts.add(call.actor, kind, typed.get("name", ""), severity, condition, scope)
    return Reply(alerts.kept_card(kept, "A new rule watches"))


@action("alert.page", "alerts.view")
async def _page(call: Call, state: str, page: int) -> Reply:
    found = await call.services.alerts.list(call.actor, state=state, page=page)
    lines = [alerts.line(rule) for rule in found.rows]
    empty = "No rule is like that." if state else "No rules yet. `/alert add` makes the first one."
    return Reply(
        listing(
            "Alert rules", lines, empty=empty, page=found.number, more=found.more, route="alert.page", args=(state,)
        )
    )


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(AlertCog())
