"""Who is on a server: kinds of identity, and the list of players."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from games.patterns import Regex
from games.sections.base import Section

Kind = Literal["steam", "eos", "xuid", "minecraft", "ip", "name", "slot"]
"""One vocabulary for all games: bans and histories are shared between them."""


class IdentityKind(Section):
    """One way in which a game tells people apart."""

    pattern: Literal["ip"] | Regex
    """`ip`: an IPv4 or IPv6 address."""
    format: str = "{value}"
    """How the game writes it."""
    format_v6: str | None = None
    """The same of an IPv6 address, where that is another way."""
    durable: bool
    """Still means the same person tomorrow."""

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if any(form.count("{value}") != 1 for form in self._formats):
            raise ValueError("`format` has {value} once")
        return self

    @property
    def _formats(self) -> tuple[str, ...]:
        return (self.format,) if self.format_v6 is None else (self.format, self.format_v6)

    def fits(self, value: str) -> bool:
        """Whether the value can be of this kind."""
        return self.canonical(value) is not None

    def canonical(self, value: str) -> str | None:
        """The one way in which we write it; None when it is not of this kind."""
        if self.pattern != "ip":
            return value if self.pattern.matches(value) else None
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return None
        if not isinstance(address, ipaddress.IPv6Address):
            return str(address)
        if address.scope_id is not None:
            return None  # it may be any text, a second command for the console included
        return str(address.ipv4_mapped or address)

    def written(self, value: str) -> str:
        """As the game writes it. A value that does not fit: ValueError, because it would not stay one word."""
        own = self.canonical(value)
        if own is None:
            raise ValueError(f"`{value[:60]}` is not an identity that this game knows.")
        form = self.format_v6 if self.format_v6 is not None and ":" in own else self.format
        return form.replace("{value}", own)

    def read(self, written: str) -> str | None:
        """The value of what the game wrote; None when it is of another kind."""
        for form in self._formats:
            before, _, after = form.partition("{value}")
            if written.startswith(before) and written.endswith(after):
                value = self.canonical(written[len(before) : len(written) - len(after)])
                if value is not None:
                    return value
        return None


class Identity(Section):
    """The kinds that a game has, and by which a ban holds."""

    kinds: dict[Kind, IdentityKind]
    ban_by: tuple[Kind, ...] = ()
    """By which a ban holds. Somebody who is on is banned by the first of these that the game knows of him."""
    protect: tuple[Literal["own_address"], ...] = ()
    """Never banned: it would cut the host off from its own game."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if unknown := set(self.ban_by) - set(self.kinds):
            raise ValueError(f"`ban_by` names kinds that are not described: {', '.join(sorted(unknown))}")
        return self


class Listing(Section):
    """A command that answers with rows. It is complete when `count` agrees, or when no line is left unexplained."""

    send: Annotated[str, Field(pattern=r"^[^{}\r\n\x00]+$")]
    each: Regex
    count: Regex | None = None
    """With the group `n`; must equal the number of rows."""
    other: tuple[Regex, ...] = ()
    """Lines that are no rows and yet expected."""

    @model_validator(mode="after")
    def _count_group(self) -> Self:
        if self.count is not None and "n" not in self.count.names:
            raise ValueError("`count` needs the group `n`")
        return self


class Players(Listing):
    """The list of players. Groups: `name`, kinds of identity, and `id_…` for one that its own format tells."""

    unknown_values: tuple[str, ...] = ()
    """What the game writes when it does not know."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if "name" not in self.each.names:
            raise ValueError("`each` of players needs the group `name`")
        return self
