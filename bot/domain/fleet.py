"""Decisions about new servers: slugs, ports, and whether the variables that were typed fit their types."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_INT = re.compile(r"-?[0-9]{1,9}")
_PORT = re.compile(r"[1-9][0-9]{3,4}")
"""One spelling only: ports are compared as text."""
TRUE, FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class Variable:
    """A variable as a host's report of its template describes it."""

    name: str
    type: str
    default: str
    label: str
    choices: tuple[str, ...] = ()


def slug(name: str, taken: Collection[str]) -> str:
    """A directory name for a server: `EU #1` becomes `eu-1`, or `eu-1-2` where that is taken."""
    base = _NOT_SLUG.sub("-", name.lower()).strip("-")[:48] or "server"
    candidates = [base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)


def asked(variables: Sequence[Variable], fields: int) -> tuple[Variable, ...]:
    """Those that a form with so many fields asks for: ports, which clash, and the first of the others. `name` is never
    among them: it is the server's own."""
    ports = [variable for variable in variables if variable.type == "port"][: fields // 2]
    others = [variable for variable in variables if variable.type != "port" and variable.name != "name"]
    chosen = [*others[: fields - len(ports)], *ports]
    return tuple(variable for variable in variables if variable in chosen)


def proposed(variables: Sequence[Variable], used_ports: Collection[str]) -> dict[str, str]:
    """Values to start with: the defaults, with ports moved up to the next free ones."""
    values: dict[str, str] = {}
    used = set(used_ports)
    for variable in variables:
        value = variable.default
        if variable.type == "port" and value.isdigit():
            number = int(value)
            while str(number) in used and number < 65535:
                number += 1
            value = str(number)
            used.add(value)
        values[variable.name] = value
    return values


def problem(variable: Variable, value: str) -> str | None:
    """Why a value does not fit, as a sentence; None where it fits."""
    label = variable.label or variable.name
    if any(char in value for char in "\r\n\x00"):
        return f"{label} has a line break."
    if len(value) > 256:
        return f"{label} is longer than 256 characters."
    match variable.type:
        case "port":
            fits = _PORT.fullmatch(value) and 1024 <= int(value) <= 65535
            return None if fits else f"{label} is a port from 1024 to 65535, not `{value[:40]}`."
        case "int":
            return None if _INT.fullmatch(value) else f"{label} is a whole number, not `{value[:40]}`."
        case "bool":
            return None if value.lower() in TRUE | FALSE else f"{label} is yes or no, not `{value[:40]}`."
        case "choice":
            return None if value in variable.choices else f"{label} is one of {', '.join(variable.choices)}."
        case _:
            return None


def clashing_port(variables: Sequence[Variable], values: Mapping[str, str], used: Mapping[str, str]) -> str | None:
    """A sentence about the first port that another server (`used`: port -> server) has, or that is given twice."""
    seen: dict[str, str] = {}
    for variable in variables:
        port = values.get(variable.name, "")
        if variable.type != "port" or not port:
            continue
        if port in used:
            return f"Port {port} is used by {used[port]} on the same host."
        if port in seen:
            return f"Port {port} is given twice."
        seen[port] = variable.name
    return None
