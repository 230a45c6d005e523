"""Figures as ratios: a table for people, JSON for comparing runs."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Goal:
    """What a ratio should reach: at most, or at least. `text` is empty where a figure only informs."""

    limit: float
    kind: Literal["most", "least", "none"] = "most"

    @property
    def text(self) -> str:
        return {"most": f"≤ {self.limit:g}", "least": f"≥ {self.limit:g}", "none": ""}[self.kind]

    def reached(self, ratio: float) -> bool | None:
        """None: there is nothing to reach."""
        return {"most": ratio <= self.limit, "least": ratio >= self.limit, "none": None}[self.kind]


NO_GOAL: Final = Goal(0, "none")


@dataclass(frozen=True)
class Figure:
    """One line of the table: medians of both in `unit`, and the median of the rounds' ratios."""

    row: int
    case: str
    baseline_is: str
    unit: str
    baseline: float
    ours: float
    ratio: float
    goal: Goal

    @property
    def cells(self) -> tuple[str, ...]:
        verdict = {True: "yes", False: "NO", None: ""}[self.goal.reached(self.ratio)]
        return (
            str(self.row),
            self.case,
            self.baseline_is,
            f"{_short(self.baseline)} {self.unit}",
            f"{_short(self.ours)} {self.unit}",
            f"{self.ratio:.2f}",
            self.goal.text,
            verdict,
        )


def compared(
    row: int,
    case: str,
    baseline_is: str,
    unit: str,
    baseline: Sequence[float],
    ours: Sequence[float],
    goal: Goal = NO_GOAL,
) -> Figure:
    """The figure of two variants that were measured in turn, one value a round each."""
    ratios = [mine / other if other else 0.0 for mine, other in zip(ours, baseline, strict=True)]
    return Figure(row, case, baseline_is, unit, median(baseline), median(ours), median(ratios), goal)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def show(figures: Sequence[Figure]) -> None:
    """Prints the table."""
    head = ("row", "what", "baseline", "baseline", "ours", "ratio", "target", "reached")
    lines = [head, *(figure.cells for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def write(name: str, figures: Sequence[Figure], **more: Any) -> Path:
    """Writes the figures to `results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    found = [{**asdict(figure), "reached": figure.goal.reached(figure.ratio)} for figure in figures]
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"figures": found, "machine": machine, **more}, indent=2, ensure_ascii=False) + "\n")
    return path


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
