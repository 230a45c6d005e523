"""With CI=true a skipped test is a failed one: a machine that cannot run a test must not look as if it had passed.

A pytest plugin, loaded by `addopts` in pyproject.toml. The escape is `@pytest.mark.may_skip(reason="…")`.
"""

import os
from collections.abc import Generator

import pytest


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{reason}\nCI=true, and a skip is a failure there: install what is missing, or mark it may_skip."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the skip of a test into a failure. An expected failure is reported as skipped too, and stays one."""
    report = yield
    allowed = hasattr(report, "wasxfail") or item.get_closest_marker("may_skip")
    if os.environ.get("CI") == "true" and report.skipped and not allowed:
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for modules that skip themselves as a whole."""
    report = yield
    if os.environ.get("CI") == "true" and report.outcome == "skipped":
        _refuse(report)
    return report
