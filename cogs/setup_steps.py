"""What the buttons, menus and forms of `/setup start` do. Each answers with the step as it is then."""

from uuid import UUID

from bot import clock
from bot.domain.setup import Step
from bot.gate import Call, Reply, Show, action
from bot.services.setup_wizard import must_be_able
from bot.ui import fleet
from bot.ui import setup as cards
from bot.ui import setup_hosts as hosts
from bot.ui.ids import Switch

_EDIT = "settings.edit"


async def shown(call: Call, step: Step | None, said: str = "") -> Reply:
    """A step of the wizard; None: the first one that is not done."""
    page = await call.services.wizard.page(call.actor, step)
    return Reply(cards.step_card(page, clock.now(), call.services.state.mention, said))


@action("setup.go", _EDIT)
async def go(call: Call, step: Step) -> Reply:
    """Back, or on without a decision."""
    return await shown(call, step)


@action("setup.show", _EDIT)
async def show(call: Call, step: Step) -> Reply:
    """The same step, as it is now."""
    return await shown(call, step)


@action("setup.next", _EDIT)
async def onward(call: Call, step: Step) -> Reply:
    """Next or Skip: it is not asked for again."""
    await call.services.setup.settle(call.actor, step)
    return await shown(call, step.after)


@action("setup.zone", _EDIT)
async def zone(call: Call) -> Reply:
    """A zone was chosen from the menu."""
    return await _zone(call, call.value())


@action("setup.zone_form", _EDIT, Show.FORM)
async def zone_form(call: Call) -> Reply:
    """Another zone, typed."""
    return Reply(form=cards.zone_form())


@action("setup.zone_typed", _EDIT, fields=("zone",))
async def zone_typed(call: Call) -> Reply:
    """A zone was typed."""
    return await _zone(call, call.value("zone"))


async def _zone(call: Call, name: str) -> Reply:
    await call.services.setup.set_zone(call.actor, name)
    return await shown(call, Step.ZONE)


@action("setup.roles", _EDIT)
async def roles(call: Call, preset: str, shown_as: str) -> Reply:
    """Discord roles were chosen for a preset, from what was shown."""
    chosen = [int(role) for role in call.values.get("values", [])]
    return await shown(call, Step.ROLES, await call.services.wizard.bind(call.actor, preset, chosen, shown_as))


@action("setup.suggested", _EDIT)
async def suggested(call: Call, digest: str) -> Reply:
    """The suggested roles are right."""
    return await shown(call, Step.ROLES, await call.services.wizard.use_suggested(call.actor, digest))


@action("setup.everyone", _EDIT)
async def everyone(call: Call, sees: Switch) -> Reply:
    """Whether @everyone may see servers."""
    on = sees is Switch.ON
    return await shown(call, Step.ROLES, await call.services.setup.show_everyone(call.actor, sees=on))


@action("setup.channel", _EDIT)
async def channel(call: Call, purpose: str) -> Reply:
    """A channel was chosen for a purpose, or taken away."""
    if chosen := call.value():
        await call.services.wizard.choose_channel(call.actor, purpose, int(chosen))
    else:
        await call.services.setup.set_channel(call.actor, purpose, None)
    return await shown(call, Step.CHANNELS)


@action("setup.make", _EDIT)
async def make(call: Call, purpose: str) -> Reply:
    """A channel is wanted for a purpose."""
    await call.services.wizard.make_channel(call.actor, purpose)
    return await shown(call, Step.CHANNELS)


@action("setup.host_form", _EDIT, Show.FORM)
async def host_form(call: Call) -> Reply:
    """What a host is to be called."""
    must_be_able(call.actor, Step.HOST)
    return Reply(form=hosts.host_form())


@action("setup.host", _EDIT, fields=("name",))
async def host(call: Call) -> Reply:
    """The one-time command for a host, on this card only."""
    pairing = await call.services.hosts.add(call.actor, call.value("name"))
    return Reply(hosts.paired_card(pairing, call.services.public_url()))


@action("setup.paired", _EDIT)
async def paired(call: Call) -> Reply:
    """Has the host connected? Until then the card with the command stays as it is."""
    await call.services.wizard.must_be_paired(call.actor)
    return await shown(call, Step.HOST)


@action("setup.server", _EDIT, Show.FORM)
async def server(call: Call, host: UUID, game: str) -> Reply:
    """The form of `/fleet add` for a host and a game that are there."""
    must_be_able(call.actor, Step.SERVER)
    found, draft = await call.services.fleet.draft(call.actor, str(host), game, "")
    return Reply(form=fleet.form(draft, f"New server on {found.name}", "setup.server_added", found.id, game))


@action("setup.server_added", _EDIT, fields=("name", "var.*"))
async def server_added(call: Call, host: UUID, game: str) -> Reply:
    """The form of the first server."""
    typed = {name.removeprefix("var."): call.value(name) for name in call.values if name.startswith("var.")}
    done = await call.services.fleet.add(call.actor, str(host), game, call.value("name"), typed)
    return await shown(call, Step.SERVER, f"**{done.title}**\n{done.text}")


@action("setup.test", _EDIT)
async def test(call: Call) -> Reply:
    """A test message to every channel."""
    sent = await call.services.setup.send_tests(call.actor)
    return await shown(call, Step.FINISH, f"A test message is on its way for {', '.join(sent)}.")
