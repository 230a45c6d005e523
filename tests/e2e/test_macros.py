"""/fleet tag and /macro as their users meet them, with a host that speaks the protocol."""

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, filled, said, shown_to
from tests.e2e.servers import add_server

TEXT = "broadcast {{who}} wins {{item:choice wood|stone}}"


async def add(community: Community, **options: str) -> str:
    """Adds a macro as the owner; what the answer to Save says."""
    asked = await community.owner.slash(community.general, "macro add", **options)
    assert shown_to(asked).ephemeral
    return said(asked) + said(await community.owner.click(shown_to(asked), label="Save"))


async def test_a_moderator_runs_what_the_owner_put_together(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    shown = await add(community, name="Prize", action="console", text=TEXT, description="@everyone **who** won")
    assert "**Item**: one of wood, stone" in shown and "prize is saved" in shown and "@everyone" not in shown
    denied = await community.mod.slash(community.general, "macro add", name="x", action="announce", text="hi")
    assert "You need the permission `macros.manage`" in said(denied)
    (choice,) = await community.mod.autocomplete(community.general, "macro run", "macro", "pri")
    form = await community.mod.slash(community.general, "macro run", macro=choice["value"], server=server)
    assert form.modal is not None and form.modal["title"] == "prize on EU #1"
    assert list(filled(form)) == ["param.who", "param.item"]
    values = {"param.who": '@here "bob" <@&1>', "param.item": "Stone"}
    ran = said(await community.mod.submit_modal(form, values))
    assert "J-2" in ran and 'broadcast @here "bob" <@&1> wins stone' in ran, "in a code block, which mentions nobody"
    (job,) = await host.claim()
    assert job["params"] == {
        "type": "CONSOLE_COMMAND",
        "command": "broadcast {{who}} wins stone",
        "values": {"who": '@here "bob" <@&1>'},
    }
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, output="done")
    message = await community.message_with("Console · EU #1")
    assert 'broadcast @here "bob" <@&1> wins stone' in reading.text(message)
    assert "by mia · macro prize" in reading.text(message)
    listed = said(await community.mod.slash(community.general, "macro list"))
    assert "**prize** · console · all servers" in listed and "asks for Who, Item · by olga" in listed
    wrong = await community.mod.slash(community.general, "macro run", macro="prize", server=server)
    refused = said(await community.mod.submit_modal(wrong, {"param.who": "bob", "param.item": "gold"}))
    assert "Item is one of wood, stone" in refused and await host.claim(wait=0) == []


async def test_a_macro_without_parameters_and_its_end(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await add(community, name="hello", action="announce", text="Hello!", server=server)
    asked = await community.mod.slash(community.general, "macro run", macro="hello", server="EU #1")
    assert "Run hello on EU #1?" in said(asked) and "Announces: Hello!" in said(asked)
    assert "Sent to EU #1" in said(await community.mod.click(shown_to(asked), label="Run hello"))
    (job,) = await host.claim()
    assert job["params"] == {"type": "ANNOUNCE", "text": "Hello!"}
    asked = await community.owner.slash(community.general, "macro remove", macro="hello")
    assert "hello is removed" in said(await community.owner.click(shown_to(asked), label="Remove the macro"))
    gone = await community.mod.slash(community.general, "macro run", macro="hello", server=server)
    assert "There is no such macro here" in said(gone)


async def test_a_tag_brings_its_role_to_a_server(community: Community, host: Host) -> None:
    await community.set_up()
    server, general = await add_server(community, host), community.general
    tagged = said(await community.owner.slash(general, "fleet tag", server=server, add="EU, night"))
    assert "Tags now: `eu`, `night`" in tagged
    assert "**Tags** `eu`, `night`" in said(await community.owner.slash(general, "server show", server=server))
    keepers = community.guild.create_role("Keepers")
    bound = await community.owner.slash(general, "access bind", role=keepers, preset="operator", tag="late")
    assert "No server has the tag late" in said(bound)
    await community.owner.slash(general, "access bind", role=keepers, preset="operator", tag="night")
    gone = said(await community.owner.slash(general, "fleet tag", server=server, remove="night"))
    assert "Counts there no more" in gone and f"<@&{keepers.id}> is operator, by the tag `night`" in gone
    suggested = await community.owner.autocomplete(general, "fleet tag", "remove", "e", server=server)
    assert [choice["value"] for choice in suggested] == ["eu"]
