"""Time zones that a community is likely to live in, guessed from the language that it set in Discord."""

from typing import Final

from bot.domain import zones

_AMERICA: Final = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto",
)  # fmt: skip
_WORLD: Final = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Bangkok",
    "Asia/Shanghai", "Asia/Tokyo", "Asia/Seoul", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip
"""One for each part of the world: offered after the likely ones."""

#: Discord's locale, or its language -> zones, the likeliest first.
_OF: Final = {
    "bg": ("Europe/Sofia",), "cs": ("Europe/Prague",), "da": ("Europe/Copenhagen",),
    "de": ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich"), "el": ("Europe/Athens",),
    "en-GB": ("Europe/London", "Europe/Dublin"), "en-US": _AMERICA,
    "es-419": ("America/Mexico_City", "America/Bogota", "America/Lima", "America/Santiago"),
    "es-ES": ("Europe/Madrid",),
    "fi": ("Europe/Helsinki",), "fr": ("Europe/Paris", "Europe/Brussels", "America/Toronto"), "hi": ("Asia/Kolkata",),
    "hr": ("Europe/Zagreb",), "hu": ("Europe/Budapest",), "id": ("Asia/Jakarta", "Asia/Makassar"),
    "it": ("Europe/Rome",), "ja": ("Asia/Tokyo",), "ko": ("Asia/Seoul",), "lt": ("Europe/Vilnius",),
    "nl": ("Europe/Amsterdam", "Europe/Brussels"), "no": ("Europe/Oslo",), "pl": ("Europe/Warsaw",),
    "pt-BR": ("America/Sao_Paulo", "America/Manaus"), "ro": ("Europe/Bucharest",),
    "ru": ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Novosibirsk"), "sv-SE": ("Europe/Stockholm",),
    "th": ("Asia/Bangkok",), "tr": ("Europe/Istanbul",), "uk": ("Europe/Kyiv",), "vi": ("Asia/Ho_Chi_Minh",),
    "zh-CN": ("Asia/Shanghai",), "zh-TW": ("Asia/Taipei",),
}  # fmt: skip
_MOST: Final = 25
"""Options that one select menu of Discord can hold."""


def likely(locale: str, present: str) -> list[str]:
    """Zones to choose from: the present one, those of the locale, then one for each part of the world."""
    wanted = [present, *_OF.get(locale, ()), *_WORLD]
    return [name for name in dict.fromkeys(wanted) if name == present or _known(name)][:_MOST]


def _known(name: str) -> bool:
    try:
        zones.zone(name)
    except ValueError:  # an older list of zones on this machine
        return False
    return True
