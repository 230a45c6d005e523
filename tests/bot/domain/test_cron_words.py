"""`when` of a schedule, as people type it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron_words import EXAMPLES, parse


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("every day at 4", "0 4 * * *"),
        ("daily 04:00", "0 4 * * *"),
        ("Every Day  at 04:00 ", "0 4 * * *"),
        ("at 4", "0 4 * * *"),
        ("nightly at 4 am", "0 4 * * *"),
        ("daily at 12am", "0 0 * * *"),
        ("daily at 12 pm", "0 12 * * *"),
        ("every day at midnight", "0 0 * * *"),
        ("every day at noon and midnight", "0 0,12 * * *"),
        ("at 4, 10 and 16", "0 4,10,16 * * *"),
        ("weekdays 6:30", "30 6 * * 1-5"),
        ("weekends at 8", "0 8 * * 0,6"),
        ("mondays at 18:00", "0 18 * * 1"),
        ("every monday, wed and fridays at 6pm", "0 18 * * 1,3,5"),
        ("6:30pm on tue", "30 18 * * 2"),
        ("mon-fri 6.30", "30 6 * * 1-5"),
        ("fri-mon at 4", "0 4 * * 0,1,5,6"),
        ("weekly on sunday at 4", "0 4 * * 0"),
        ("on the 1st at 4:30", "30 4 1 * *"),
        ("monthly on the 1st and 15th at noon", "0 12 1,15 * *"),
        ("the last day of the month at 23:30", "30 23 L * *"),
        ("every 4 am", "0 4 * * *"),
        ("every 4:30pm", "30 16 * * *"),
        ("every 1st at 4", "0 4 1 * *"),
        ("every day 4", "0 4 * * *"),
        ("hourly", "0 * * * *"),
        ("every hour", "0 * * * *"),
        ("every 60 minutes", "0 * * * *"),
        ("every 30 minutes", "*/30 * * * *"),
        ("every 5 min", "*/5 * * * *"),
        ("every 6 hours", "0 0,6,12,18 * * *"),
        ("every 24h", "0 0 * * *"),
        ("every 6h on mondays", "0 0,6,12,18 * * 1"),
        ("every 6 hours from 2:30", "30 2,8,14,20 * * *"),
        ("every 12 hours at 06", "0 6,18 * * *"),
        ("every 2 hours between 22 and 6", "0 0,2,4,6,22 * * *"),
        ("every 30 minutes between 8 and 20", "*/30 8-19 * * *"),
        ("every 15 min from 22 to 2 on weekends", "*/15 0-1,22-23 * * 0,6"),
        ("every hour at :15", "15 * * * *"),
        ("hourly at 15", "15 * * * *"),
        ("every half hour", "*/30 * * * *"),
        ("twice a day", "0 0,12 * * *"),
        ("three times a day", "0 0,8,16 * * *"),
        ("twice a day at 6 and 18", "0 6,18 * * *"),
        ("once a week on sunday at 4", "0 4 * * 0"),
        ("first sunday of the month 5:00", "0 5 * * 0#1"),
        ("2nd tuesday and 4th tuesday at 6pm", "0 18 * * 2#2,2#4"),
        ("last friday of each month 23:00", "0 23 * * 5L"),
        ("last weekday of the month at 6", "0 6 LW * *"),
        ("first day of the month at 4", "0 4 1 * *"),
        ("day 15 of the month at 6", "0 6 15 * *"),
        ("monday to friday 6:30", "30 6 * * 1-5"),
        ("business days at 8", "0 8 * * 1-5"),
        ("half past 4 on mondays", "30 4 * * 1"),
        ("daily at quarter to 5", "45 4 * * *"),
        ("6 in the morning", "0 6 * * *"),
        ("every evening at 8", "0 20 * * *"),
        ("1 january at 4", "0 4 1 1 *"),
        ("december 24th 18:00", "0 18 24 12 *"),
        ("1st and 15th of july at 4", "0 4 1,15 7 *"),
        ("every year on 1 may at 6", "0 6 1 5 *"),
        ("in july on mondays at 4", "0 4 * 7 1"),
        ("30 4 * * 1-5", "30 4 * * 1-5"),
        ("0 4 * * mon", "0 4 * * MON"),
        ("*/15 8-20 * * *", "*/15 8-20 * * *"),
    ],
)
def test_what_is_understood(text: str, expression: str) -> None:
    assert parse(text).expression == expression


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "says no time of day"),
        ("every day", "says no time of day"),
        ("mondays", "says no time of day"),
        ("tomorrow", "tomorrow, which is not understood"),
        ("every day at 25:00", "25:00, which is not understood"),
        ("every day at 4:60", "4:60, which is not understood"),
        ("every day at 13pm", "13pm, which is not understood"),
        ("on the 32nd at 4", "32nd, which is not understood"),
        ("every 2 days at 4", "every 2, which is not understood like this"),
        ("every 3 mondays at 4", "every 3, which is not understood like this"),
        ("every 6h on mondays at 4:00", "says an interval and a time of day"),
        ("every 5 minutes at 4", "says an interval and a time of day"),
        ("every 6 hours from noonish", "from noonish, which is not understood"),
        ("every 30 minutes between 8:30 and 20", "Minutes between two times need whole hours"),
        ("every hour at :75", "which is not understood"),
        ("1 january and 15 july at 4", "Different days of different months need a schedule each"),
        ("31 february at 4", "This never comes: no such month has a day 31."),
        ("first weekday of the month at 4", "first, which is not understood"),
        ("every other day at 4", "other, which is not understood"),
        ("every 4", "every 4, which is not understood like this"),
        ("day 15 at 6", "day 15, which is not understood like this"),
        ("weekly at 4", "says no day of the week"),
        ("monthly at 4", "says no day of the month"),
        ("every month at 4", "says no day of the month"),
        ("monweds at 4", "monweds, which is not understood"),
        ("weekdays-sun at 4", "weekdays-sun, which is not understood"),
        ("4:00 and 16:30", "need a schedule each"),
        ("mondays and on the 1st at 4", "days of the week or days of the month"),
        ("every 7 minutes", "Every 7 minutes does not divide an hour; it takes 5, 6,"),
        ("every 90 minutes", "Every 90 minutes does not divide an hour"),
        ("every 5 hours", "Every 5 hours does not divide a day; it takes 1, 2,"),
        ("every 0 hours", "does not divide a day"),
        ("every minute", "would run every minute; 5 minutes is the least"),
        ("every 2 minutes", "would run 2 minutes apart; 5 minutes is the least"),
        ("0 0 31 2 *", "This never comes"),
        ("0 4 * *", "Cron has five fields"),
        ("every day at 4 @everyone", "@\u200beveryone, which is not understood"),
        ("x" * 5000, "has 5000 characters; it takes 200"),
    ],
)
def test_what_is_not_understood_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse(text)
    assert words in str(refused.value)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_understood(example: str) -> None:
    assert parse(example)


@given(st.text(max_size=60) | st.text(st.sampled_from("every day at 0123456789:,-mon*/ "), max_size=60))
def test_whatever_is_typed_is_understood_or_refused_with_a_sentence(text: str) -> None:
    try:
        said = parse(text).words + "."
    except ValueError as refused:
        said = str(refused)
    assert said.endswith(".") and len(said) > 1
