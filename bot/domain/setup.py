"""The steps of `/setup start`: their order, which are done, and where to go on."""

from collections.abc import Collection
from enum import Enum
from typing import Final


class Step(Enum):
    """In the order in which they are asked."""

    ZONE = "zone"
    ROLES = "roles"
    CHANNELS = "channels"
    HOST = "host"
    SERVER = "server"
    FINISH = "finish"

    @property
    def number(self) -> int:
        return STEPS.index(self) + 1

    @property
    def before(self) -> "Step":
        """The step before this one; the first one has none but itself."""
        return STEPS[max(self.number - 2, 0)]

    @property
    def after(self) -> "Step":
        """The step after this one; the last one has none but itself."""
        return STEPS[min(self.number, len(STEPS) - 1)]


STEPS: Final = tuple(Step)


def first_open(done: Collection[Step]) -> Step:
    """Where somebody goes on who comes back: the first step that is not done, or the end."""
    return next((step for step in STEPS if step not in done), Step.FINISH)
