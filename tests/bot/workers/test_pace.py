"""When the next request may leave."""

import pytest

from bot.workers.outbox import CHANNEL_WINDOW, PER_CHANNEL, PER_SECOND, Pace


@pytest.mark.parametrize("senders", [1, 2, 3])
def test_several_processes_share_the_second(senders: int) -> None:
    """However many there are, together they send no more than one alone."""
    paces = [Pace(lambda: senders) for _ in range(senders)]
    waits = [pace.wait(channel, "post", 0.0) for channel in range(PER_SECOND) for pace in paces]
    assert len([wait for wait in waits if wait < 1.0]) == pytest.approx(PER_SECOND, abs=senders)


def test_a_channel_takes_a_few_at_a_time() -> None:
    pace = Pace()
    waits = [pace.wait(7, "post", 0.0) for _ in range(PER_CHANNEL + 1)]
    assert waits[-2] < 1 and waits[-1] == pytest.approx(CHANNEL_WINDOW)
    assert pace.wait(7, "edit", 0.0) < 1, "edits are counted apart"
