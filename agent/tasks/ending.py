"""How a task ended."""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

from games.consoles.answer import Answer


@dataclass(frozen=True)
class Ending:
    """What the run's result will say."""

    outcome: Literal["success", "failed", "cancelled", "unknown"]
    output: str = ""
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the job's own result model says, dumped."""

    @classmethod
    def success(cls, output: str = "") -> Self:
        """It was done."""
        return cls("success", output=output)

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """What a console answered. A refusal is told in the game's own words."""
        output = "\n".join(answer.lines)
        match answer.outcome:
            case "answered":
                return cls("success", output=output)
            case "refused":
                words = answer.reason or (answer.lines[-1] if answer.lines else "The game refused it.")
                return cls("failed", output=output, error=words)
            case "unknown":
                words = answer.reason or "The console did not answer in time."
                return cls("unknown", output=output, error=f"{words.rstrip('.')}. It may have been done all the same.")
