"""Interactions as a forging client would like them to be: any custom_id, any value, any form, several at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import discord
import simcord
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.builders import ChannelHandle
from simcord.interactions import base_payload, nest_options
from simcord.results import InteractionResult, ResponseMessage

BUTTON: Final = 2
STRINGS, USERS, ROLES, CHANNELS = 3, 5, 6, 8
"""Kinds of selects."""
_COMMAND, _COMPONENT, _FORM = 2, 3, 5
IDLE: Final = 0.005


@dataclass(frozen=True)
class Act:
    """Something that a member does in a channel."""

    member: MemberActor
    channel: ChannelHandle
    kind: int
    data: dict[str, Any]
    source: int | None = None
    """The message that carries the component."""
    shown: Sequence[dict[str, Any]] = field(default=())
    """The components that Discord says this message has."""


def command(
    env: simcord.Env,
    member: MemberActor,
    channel: ChannelHandle,
    path: str,
    options: list[dict[str, Any]],
    resolved: dict[str, Any],
) -> Act:
    """A command with exactly these options, whatever it declares; `resolved` is what Discord says it looked up."""
    name, *nested = path.split()
    root = env.backend.find_command(name, None)
    assert root is not None, path
    data = {"id": root["id"], "name": name, "type": 1, "options": nest_options(root, nested, options)}
    return Act(member, channel, _COMMAND, data | ({"resolved": resolved} if resolved else {}))


def component(
    member: MemberActor,
    source: ResponseMessage | discord.Message,
    channel: ChannelHandle,
    custom_id: str,
    *,
    kind: int = BUTTON,
    values: Sequence[str] = (),
    offers: Sequence[str] | None = None,
    resolved: dict[str, Any] | None = None,
    carried: bool = True,
) -> Act:
    """A button or a select. `offers`: what the select on the message really has; else just the values. Not `carried`:
    the message has no such component."""
    data: dict[str, Any] = {"custom_id": custom_id, "component_type": kind}
    if kind != BUTTON:
        data |= {"values": list(values)}
    if resolved is not None:
        data |= {"resolved": resolved}
    part: dict[str, Any] = {"type": kind, "custom_id": custom_id}
    if kind == BUTTON:
        part |= {"style": 2, "label": "Press"}
    elif kind == STRINGS:
        options = values if offers is None else offers
        part |= {"options": [{"label": value or "?", "value": value} for value in options]}
    row = {"type": 1, "components": [part]}
    return Act(member, channel, _COMPONENT, data, source.id, [row] if carried else [])


def form(member: MemberActor, channel: ChannelHandle, custom_id: str, values: dict[str, str]) -> Act:
    """A submitted form of text fields."""
    inputs = [{"type": 4, "custom_id": name, "value": value} for name, value in values.items()]
    rows = [{"type": 18, "component": part} for part in inputs]
    return Act(member, channel, _FORM, {"custom_id": custom_id, "components": rows})


async def send(env: simcord.Env, act: Act) -> InteractionResult:
    """One interaction; returns when the bot is at rest."""
    (result,) = await send_all(env, [act])
    return result


async def send_all(env: simcord.Env, acts: Iterable[Act]) -> list[InteractionResult]:
    """All of them at once: the bot works on each while it works on the others."""
    results: list[InteractionResult] = []
    for act in acts:
        record, payload = base_payload(
            env.backend,
            type=act.kind,
            channel_id=act.channel.id,
            guild_id=act.member.guild.id,
            user_id=act.member.id,
            data=act.data,
        )
        if act.source is not None:
            record.source_message_id = act.source
            message = env.backend.get_message(act.channel.id, act.source)
            payload["message"] = {**serializers.message_payload(env.backend, message), "components": list(act.shown)}
        env.backend.emit("INTERACTION_CREATE", payload)
        results.append(InteractionResult(env, record))
    await env.settle(idle=IDLE)
    return results
