"""Every touch of simcord's private API, in this one package and for exactly one version of it.

The playground needs more than the library offers in public: several live channels at once, a clock that starts now,
and pages that survive a closed tab. `guard()` refuses any other version, so that an upgrade is a decision.
"""

from simcord.backend.errors import SetupError

from bot.demo.simcord_private.channel import ChannelPage
from bot.demo.simcord_private.commands import all_command_permissions
from bot.demo.simcord_private.env import (
    EXPECTED,
    allow_command,
    faster_settle,
    guard,
    idle_seam,
    may_read,
    name_bot,
    newest,
    on_event,
    owner_of,
    to_now,
    touched,
    wear,
)
from bot.demo.simcord_private.files import StaticFiles

__all__ = [
    "EXPECTED",
    "ChannelPage",
    "SetupError",
    "StaticFiles",
    "all_command_permissions",
    "allow_command",
    "faster_settle",
    "guard",
    "idle_seam",
    "may_read",
    "name_bot",
    "newest",
    "on_event",
    "owner_of",
    "to_now",
    "touched",
    "wear",
]
