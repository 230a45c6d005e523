"""The steps of a schedule as they are kept, and as the domain reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent import wire
from bot.domain.actions import OF_JOB_TYPE
from bot.domain.schedules_steps import Step, lead
from bot.services.actions import params
from bot.services.jobs import params_of


def rows_of(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What is written of the steps; their offsets count from the begin of a run."""
    begin = lead(steps)
    return [
        {
            "sequence": n,
            "job_type": step.does.job_type.value,
            "payload": params(step.does, step.text).dump(),
            "time_offset_sec": step.offset + begin,
            "continue_on_failure": step.goes_on,
        }
        for n, step in enumerate(steps, 1)
    ]


def steps_of(rows: Sequence[Mapping[str, Any]], lead_sec: int) -> list[Step]:
    """The steps that were written, in their order.

    Raises:
        ValueError: another version of the bot wrote them, and this one cannot do them.
    """
    if not rows:
        raise ValueError("this version cannot do nothing by itself")
    return [_step(row, lead_sec) for row in rows]


def _step(row: Mapping[str, Any], lead_sec: int) -> Step:
    action = OF_JOB_TYPE.get(row["job_type"])
    if action is None:
        raise ValueError(f"this version cannot do {row['job_type']} by itself")
    try:
        text = _text(params_of(action.job_type, row["payload"]))
    except ValueError as error:  # pydantic's is several lines about the program
        raise ValueError(f"this version cannot read what {action.name} needs") from error
    return Step(action.name, text, row["time_offset_sec"] - lead_sec, row["continue_on_failure"])


def _text(of: wire.Params) -> str:
    match of:
        case wire.Announce():
            return of.text
        case wire.ConsoleCommand():
            return of.command
        case _:
            return ""
