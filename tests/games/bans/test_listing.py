"""What a list of bans says, whatever names and reasons are in it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.bans import BanList, BanRow, ban_list, stored
from games.catalog import GameTemplate
from games.lines import one_line

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
LOCAL = "2026-12-24 18:00:00"
END = datetime(2026, 12, 24, 18, 0).astimezone()  # the server's own time
STEAM, OTHER = "76561198000000001", "76561198000000009"
HEAD = ["Ban list entries:", "  Banned until - UserID (name) - Reason"]
texts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                ") - ",
                f"  {LOCAL} - Steam_{OTHER} (x) - y",
                "Ban list entries:",
                "(-unknown-)",
                " for life (",
                "' - '9.9.9.9' banned for 3 minutes (",
                "[07:22:31][net_ban]: 2 bans",
                "#1 '9.9.9.9' banned for life (x)",
                "\\",
                "'",
                '"',
            ]
        ),
        st.text(max_size=8),
    ),
    max_size=6,
).map("".join)
lines = texts.filter(one_line)


def listed(catalog: dict[str, GameTemplate], game: str, *received: str) -> BanList:
    template = catalog[game]
    assert template.bans is not None
    return ban_list(template.bans, template.identity, received, NOW)


@given(name=lines, reason=lines)
def test_no_name_and_no_reason_changes_a_ban_of_7dtd(catalog: dict[str, GameTemplate], name: str, reason: str) -> None:
    row = f"  {LOCAL} - Steam_{STEAM} ({name}) - {reason}"
    found = listed(catalog, "7dtd", *HEAD, row, row.replace(STEAM, OTHER))
    assert found == BanList((BanRow(("steam", STEAM), END, END), BanRow(("steam", OTHER), END, END)), complete=True)


@given(reason=lines, minutes=st.integers(1, 44640))
def test_no_reason_changes_a_ban_of_teeworlds(catalog: dict[str, GameTemplate], reason: str, minutes: int) -> None:
    unit = "minute" if minutes == 1 else "minutes"
    found = listed(
        catalog,
        "teeworlds",
        f"[07:22:31][net_ban]: #0 '1.2.3.4' banned for {minutes} {unit} ({reason})",
        f"[07:22:31][net_ban]: #1 '1.2.3.5' banned for life ({reason})",
        "[07:22:31][net_ban]: 2 bans",
    )
    left = timedelta(minutes=minutes)
    short = BanRow(("ip", "1.2.3.4"), NOW + left - timedelta(minutes=1), NOW + left)
    assert found == BanList((short, BanRow(("ip", "1.2.3.5"))), complete=True)


@pytest.mark.parametrize("game", ["7dtd", "teeworlds"])
@given(received=st.lists(st.text(), max_size=5))
def test_no_answer_at_all_is_an_empty_list(catalog: dict[str, GameTemplate], game: str, received: list[str]) -> None:
    """Rubbish does not break the parser, and it proves nobody's absence."""
    assert listed(catalog, game, *received) == BanList()


def test_a_line_between_the_rows_makes_a_list_without_a_count_incomplete(catalog: dict[str, GameTemplate]) -> None:
    row = f"  {LOCAL} - Steam_{STEAM} (x) - y"
    assert not listed(catalog, "7dtd", *HEAD, "something new", row).complete
    assert not listed(catalog, "7dtd", *HEAD, *HEAD).complete
    assert not listed(catalog, "7dtd", row).complete
    assert listed(catalog, "7dtd", *HEAD, "something new", row).of(("steam", STEAM)) is not None


def test_a_date_that_cannot_be_read_is_no_ban(catalog: dict[str, GameTemplate]) -> None:
    found = listed(catalog, "7dtd", *HEAD, f"  2026-13-77 18:00:00 - Steam_{STEAM} (x) - y")
    assert found.of(("steam", STEAM)) is None


def test_the_longest_of_two_bans_counts() -> None:
    of = ("ip", "1.2.3.4")
    short, long, life = BanRow(of, NOW, NOW), BanRow(of, END, END), BanRow(of)
    assert BanList((short, long)).of(of) == long
    assert BanList((life, short, life)).of(of) == life
    assert BanList((short,)).of(("ip", "1.2.3.5")) is None


def test_the_game_says_under_which_ids_it_put_a_ban(catalog: dict[str, GameTemplate]) -> None:
    game, eos = catalog["7dtd"], "0002" + "a" * 28
    said = [
        f"EOS_{eos} banned until {LOCAL}, reason: Steam_{OTHER} banned until {LOCAL}, reason: x..",
        f"Steam Family Sharing license owner Steam_{STEAM} banned until {LOCAL}, reason: x.",
    ]
    assert stored(game.actions["ban"], game.identity, said) == [("eos", eos), ("steam", STEAM)]
    assert stored(catalog["teeworlds"].actions["ban"], catalog["teeworlds"].identity, said) == []
