"""What a refusal of Discord means: what may pass, what will not, and who else is concerned."""

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.messenger import refusal
from bot.services.outbox import Delayed, Refused


def answered(status: int, code: int = 0, **headers: str) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="x", headers=headers)
    return discord.HTTPException(response, {"code": code, "message": "so it is"})


@pytest.mark.parametrize(
    ("status", "code", "edit", "permanent", "target"),
    [
        (400, 50035, False, True, ""),
        (400, 50035, True, True, ""),
        (403, 50001, False, True, "channel"),
        (403, 50013, True, True, "channel"),
        (404, 10003, False, True, "channel"),
        (404, 10003, True, True, "channel"),
        (404, 10008, True, True, "message"),
        (409, 0, False, False, ""),
    ],
)
def test_refusals(status: int, code: int, edit: bool, permanent: bool, target: str) -> None:
    said = refusal(answered(status, code), edit=edit)
    assert isinstance(said, Refused)
    assert (said.permanent, said.target) == (permanent, target)
    assert said.reason.startswith(f"Discord said {status}: so it is")


@pytest.mark.parametrize(
    ("status", "code", "headers", "seconds"),
    [
        (429, 0, {"Retry-After": "7.5"}, 7.5),
        (429, 0, {"Retry-After": "0.01"}, 1.0),
        (429, 0, {"Retry-After": "99999"}, 600.0),
        (429, 0, {"Retry-After": "soon"}, 5.0),
        (429, 0, {}, 5.0),
        (500, 0, {}, 5.0),
        (503, 0, {}, 5.0),
        (400, 30046, {}, 60.0),
    ],
)
def test_what_passes(status: int, code: int, headers: dict[str, str], seconds: float) -> None:
    said = refusal(answered(status, code, **headers), edit=True)
    assert isinstance(said, Delayed) and said.seconds == seconds
