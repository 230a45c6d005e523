"""A Discord on loopback, as far as our bot needs it, over real HTTP and a real WebSocket.

Its state is here, in the process of the test: the bot may die and come back. Members act with `slash`, `press`,
`select` and `submit`; what is in a channel is in `messages`. What goes wrong on request is in `trouble`.
"""

import itertools
import json
import time
from typing import Self

from aiohttp import web

from tests.wire.gateway import Gateway
from tests.wire.guild import Channel, Guild, Json, Person
from tests.wire.interactions import (
    COMMAND,
    COMPONENT,
    FORM,
    Interaction,
    command_data,
    form_data,
    press_data,
    resolved,
    select_data,
)
from tests.wire.messages import NONCE_SECONDS, Message, Refusal
from tests.wire.trouble import API, Trouble, reply
from tests.wire.waiting import eventually

TOKEN = "wire.token"
BOT_ID = 900


class DiscordServer:
    """One guild with one bot, which may be connected any number of times."""

    def __init__(self, guild: Guild | None = None) -> None:
        self.guild = guild or Guild()
        self.url = ""
        self.trouble = Trouble()
        self.commands: list[Json] = []
        self.command_settings: dict[str, list[Json]] = {}
        """What the guild has set in its settings, by the id of a command or of the bot."""
        self.syncs = 0
        self.user = {"id": str(BOT_ID), "username": "gamekeeper", "discriminator": "0", "avatar": None, "bot": True}
        self.gateway = Gateway(self.user, lambda: [("GUILD_CREATE", self.guild.payload)])
        self.interactions: dict[int, Interaction] = {}
        self.deduplicated = 0
        """Posts that were answered with the earlier message of the same nonce."""
        self.attachments: dict[str, bytes] = {}
        """What members attached to commands, by id."""
        self._channels: dict[int, list[Message]] = {channel.id: [] for channel in self.guild.channels}
        self._ids = itertools.count(int((time.time() - 1_420_070_400) * 1000) << 22)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self.trouble.middleware])
        one = f"{API}/channels/{{channel}}/messages"
        hook = f"{API}/webhooks/{{application}}/{{token}}"
        app.add_routes(
            [
                web.get("/gateway/", self.gateway.serve),
                web.get(f"{API}/gateway/bot", self._gateway_bot),
                web.get(f"{API}/users/@me", self._me),
                web.get(f"{API}/oauth2/applications/@me", self._application),
                web.put(f"{API}/applications/{{id}}/commands", self._sync),
                web.get(f"{API}/applications/{{id}}/commands", self._registered),
                web.get(f"{API}/applications/{{id}}/guilds/{{guild}}/commands/permissions", self._set_for_commands),
                web.post(f"{API}/interactions/{{id}}/{{token}}/callback", self._callback),
                web.get(f"{hook}/messages/@original", self._original),
                web.patch(f"{hook}/messages/@original", self._edit_original),
                web.post(hook, self._follow_up),
                web.get("/attachments/{id}", self._attachment),
                web.get(one, self._history),
                web.post(one, self._post),
                web.patch(f"{one}/{{message}}", self._edit),
                web.delete(f"{one}/{{message}}", self._delete),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.gateway.url = self.url.replace("http", "ws", 1) + "/gateway/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.trouble.release()
        await self.gateway.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------------------------------ what members do

    async def slash(self, person: Person, channel: Channel, path: str, /, **options: str | int | bool) -> Interaction:
        """Types `/path`. The answer may come later: `await interaction.answer()`."""
        data = command_data(self.commands, path, options)
        return await self._act(COMMAND, person, channel, {**data, "resolved": resolved(self.guild, data["options"])})

    async def attach(
        self, person: Person, channel: Channel, path: str, file: tuple[str, bytes], /, **options: str
    ) -> Interaction:
        """Types `/path` with a file (name, content) as its option `file`."""
        (name, content), number = file, str(next(self._ids))
        self.attachments[number] = content
        url = f"{self.url}/attachments/{number}"
        shown: Json = {"id": number, "filename": name, "size": len(content), "url": url, "proxy_url": url}
        data = command_data(self.commands, path, {"file": number, **options})
        return await self._act(COMMAND, person, channel, {**data, "resolved": {"attachments": {number: shown}}})

    async def press(self, person: Person, message: Message, label: str) -> Interaction:
        """Presses the button whose label begins with `label`."""
        return await self._act(COMPONENT, person, self._channel(message), press_data(message, label), message)

    async def select(self, person: Person, message: Message, custom_id: str, *values: int | str) -> Interaction:
        """Chooses in a select menu."""
        data = select_data(message, custom_id, values)
        return await self._act(COMPONENT, person, self._channel(message), data, message)

    async def submit(self, person: Person, opened: Interaction, **values: str) -> Interaction:
        """Sends the form that answered an interaction; fields that are not named keep what it proposes."""
        assert opened.form is not None
        return await self._act(FORM, person, opened.channel, form_data(opened.form, values))

    async def _act(
        self, kind: int, person: Person, channel: Channel, data: Json, source: Message | None = None
    ) -> Interaction:
        made = Interaction(next(self._ids), kind, person, channel, data, source)
        self.interactions[made.id] = made
        await self.deliver(made)
        return made

    async def deliver(self, interaction: Interaction) -> None:
        """Tells the bot of an interaction; of one that it was told of before, once more."""
        await self.gateway.dispatch("INTERACTION_CREATE", interaction.payload(self.guild, str(BOT_ID)))

    # ------------------------------------------------------------------------------------------ what can be seen

    def messages(self, channel: Channel) -> list[Message]:
        """The messages of a channel, oldest first. What only one member sees is in its interaction."""
        return self._channels[channel.id]

    def delete(self, message: Message) -> None:
        """A moderator deletes a message."""
        self._channels[message.channel_id].remove(message)

    async def message(self, channel: Channel, *words: str, seconds: float = 20.0) -> Message:
        """The newest message that shows all these words; waits for it. Raises `AssertionError`."""

        def found() -> Message | None:
            shown = reversed(self.messages(channel))
            return next((one for one in shown if all(word in one.text for word in words)), None)

        return await eventually(found, seconds, lambda: f"{words} in {[one.text for one in self.messages(channel)]}")

    def _channel(self, message: Message) -> Channel:
        return next(channel for channel in self.guild.channels if channel.id == message.channel_id)

    # ------------------------------------------------------------------------------------------------ who we are

    async def _gateway_bot(self, _: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return reply({"url": self.gateway.url, "shards": 1, "session_start_limit": limit})

    async def _me(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            raise Refusal(401, 0, "401: Unauthorized")
        return reply(self.user)

    async def _application(self, _: web.Request) -> web.Response:
        owner = {"id": "1", "username": "olga", "discriminator": "0", "avatar": None}
        shown = {"name": "gamekeeper", "icon": None, "description": "", "verify_key": "", "owner": owner, "team": None}
        return reply({"id": str(BOT_ID), "flags": 0, "bot_public": True, "bot_require_code_grant": False, **shown})

    async def _sync(self, request: web.Request) -> web.Response:
        self.syncs += 1
        fixed = {"application_id": str(BOT_ID), "version": "1"}
        self.commands = [{**command, "id": str(next(self._ids)), **fixed} for command in await request.json()]
        return reply(self.commands)

    async def _registered(self, _: web.Request) -> web.Response:
        return reply(self.commands)

    async def _set_for_commands(self, request: web.Request) -> web.Response:
        where = {"application_id": str(BOT_ID), "guild_id": request.match_info["guild"]}
        return reply([{"id": of, "permissions": given, **where} for of, given in self.command_settings.items()])

    # ---------------------------------------------------------------------------------------------- interactions

    async def _callback(self, request: web.Request) -> web.Response:
        interaction = self.interactions.get(int(request.match_info["id"]))
        if interaction is None or interaction.token != request.match_info["token"]:
            raise Refusal(404, 10062, "Unknown interaction")
        callback = await _body(request)
        fresh = self._new(interaction.channel.id)
        if interaction.take(callback, fresh) and not fresh.ephemeral:
            self._channels[fresh.channel_id].append(fresh)
        answer: Json = {"interaction": {"id": str(interaction.id), "type": interaction.kind}}
        if interaction.message is not None:
            answer["resource"] = {"type": callback["type"], "message": interaction.message.payload}
        return reply(answer)

    def _by_token(self, request: web.Request) -> Interaction:
        token = request.match_info["token"]
        found = next((one for one in self.interactions.values() if one.token == token), None)
        if found is None or not found.callbacks:
            raise Refusal(404, 10015, "Unknown Webhook")
        return found

    async def _original(self, request: web.Request) -> web.Response:
        interaction = self._by_token(request)
        if interaction.message is None:
            raise Refusal(404, 10008, "Unknown Message")
        return reply(interaction.message.payload)

    async def _edit_original(self, request: web.Request) -> web.Response:
        return reply(self._by_token(request).edit(await _body(request)).payload)

    async def _follow_up(self, request: web.Request) -> web.Response:
        interaction = self._by_token(request)
        message = interaction.follow_up(await _body(request), self._new(interaction.channel.id))
        if not message.ephemeral:
            self._channels[message.channel_id].append(message)
        return reply(message.payload)

    # -------------------------------------------------------------------------------------------------- messages

    def _new(self, channel_id: int) -> Message:
        return Message(next(self._ids), channel_id, self.user)

    def _place(self, request: web.Request) -> list[Message]:
        try:
            return self._channels[int(request.match_info["channel"])]
        except KeyError:
            raise Refusal(404, 10003, "Unknown Channel") from None

    def _known(self, request: web.Request) -> Message:
        number = int(request.match_info["message"])
        found = next((one for one in self._place(request) if one.id == number), None)
        if found is None:
            raise Refusal(404, 10008, "Unknown Message")
        return found

    async def _attachment(self, request: web.Request) -> web.Response:
        return web.Response(body=self.attachments[request.match_info["id"]])

    async def _history(self, request: web.Request) -> web.Response:
        limit, before = int(request.query.get("limit", 50)), int(request.query.get("before", 1 << 63))
        shown = [one for one in reversed(self._place(request)) if one.id < before]
        return reply([one.payload for one in shown[:limit]])

    async def _post(self, request: web.Request) -> web.Response:
        given, place = await _body(request), self._place(request)
        nonce = given.get("nonce")
        if nonce and given.get("enforce_nonce"):
            young = time.monotonic() - NONCE_SECONDS
            earlier = next((one for one in place if one.nonce == str(nonce) and one.posted > young), None)
            if earlier is not None:
                self.deduplicated += 1
                return reply(earlier.payload)
        message = self._new(int(request.match_info["channel"]))
        message.nonce = str(nonce) if nonce else None
        message.write(given)
        place.append(message)
        return reply(message.payload)

    async def _edit(self, request: web.Request) -> web.Response:
        message = self._known(request)
        message.write(await _body(request))
        return reply(message.payload)

    async def _delete(self, request: web.Request) -> web.Response:
        self._place(request).remove(self._known(request))
        return web.Response(status=204)


async def _body(request: web.Request) -> Json:
    """JSON, or the JSON part of a form with files."""
    if request.content_type == "application/json":
        return await request.json()
    form = await request.post()
    return json.loads(str(form["payload_json"]))
