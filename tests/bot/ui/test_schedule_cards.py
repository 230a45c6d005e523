"""Lists of schedules."""

from dataclasses import replace
from datetime import timedelta

from bot.ui import schedules
from bot.ui.cards import listing
from tests.bot.ui.limits import text_of
from tests.bot.ui.samples import NOW
from tests.bot.ui.schedule_samples import schedule


def test_ten_schedules_fit_on_a_page_whatever_they_are_called() -> None:
    paused = NOW + timedelta(days=1)
    often = "0 4 1,2,3,4,5,6,7,8,9 JAN,FEB,MAR,APR,MAY,JUN,JUL MON,TUE,WED,THU,FRI"
    row = schedule("Long name " * 10, expression=often, paused_until=paused, consecutive_failures=1000, last_job=123456)
    left_out = replace(row, last_run_status="skipped", last_run_reason="Long reason " * 30)
    for one in (row, left_out):
        lines = [schedules.line(one, unbacked=True)] * 10
        view = listing("Schedules", lines, empty="-", page=9, more=True, route="schedule.page")
        assert text_of(view).count(lines[0]) == 10


def test_a_long_rule_is_shown_as_it_was_typed() -> None:
    assert "At 04:00 every day, America" in schedules.line(schedule("n", expression="0 4 * * *"))
    long = "0 4 1,2,3,4,5 JAN,FEB,MAR,APR MON,TUE"
    assert f"{long}, America" in schedules.line(schedule("n", expression=long))


def test_only_failures_are_counted_in_a_row() -> None:
    assert "last failed, 9 times in a row" in schedules.line(schedule("n"))
    for status in ("enqueued", "success", "skipped", "skipped_busy"):
        assert "in a row" not in schedules.line(schedule("n", last_run_status=status))
