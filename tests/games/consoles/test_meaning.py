"""What answers mean, whatever players call themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.catalog import GameTemplate
from games.consoles.meaning import action_line, judge, player_rows
from games.lines import one_line

LP = (
    "{index}. id={slot}, {name}, pos=(342.4, 49.0, -541.9), rot=(0.0, 194.1, 0.0), remote=True, health=112, deaths=10, "
    "zombies=225, players=3, score=175, level=12, pltfmid=Steam_76561198000000001, "
    "crossid=EOS_0002aaaaaaaaaaaaaaaaaaaaaaaaaaaa, ip=1.2.3.4, ping=13"
)
STATUS = "[04:35:25][server]: id={slot} addr=127.0.0.2:60987 client=705 name='{name}' score={score} {rights}"
fragments = st.sampled_from(
    [
        ", pos=(1, 2, 3)",
        ", ip=9.9.9.9, ping=1",
        "' score=9",
        "(Admin)",
        "' ",
        "name='",
        "id=3",
        ", ",
        "\\",
        '"',
        "é",
        "x",
    ]
)
names = st.lists(fragments, max_size=12).map("".join).filter(one_line)


@given(name=names, index=st.integers(0, 9))
def test_no_name_changes_a_row_of_7dtd(catalog: dict[str, GameTemplate], name: str, index: int) -> None:
    game = catalog["7dtd"]
    assert game.players is not None
    lines = [LP.format(index=index, slot=171, name=name), "Total of 1 in the game"]
    (row,), complete = player_rows(game.players, game.identity, lines)
    assert complete
    assert (row.name, row.slot) == (name[:128], "171")
    assert row.identities["steam"] == "76561198000000001"
    assert row.identities["ip"] == "1.2.3.4"


@given(name=names, score=st.integers(-99, 99), rights=st.sampled_from(["", "(Admin)", "(Mod)"]))
def test_no_name_changes_a_row_of_teeworlds(
    catalog: dict[str, GameTemplate], name: str, score: int, rights: str
) -> None:
    game = catalog["teeworlds"]
    assert game.players is not None
    lines = [STATUS.format(slot=3, name=name, score=score, rights=rights)]
    (row,), complete = player_rows(game.players, game.identity, lines)
    assert complete
    assert (row.name, row.slot, row.identities["ip"]) == (name[:128], "3", "127.0.0.2")


def test_a_list_that_does_not_add_up_is_incomplete(catalog: dict[str, GameTemplate]) -> None:
    game = catalog["7dtd"]
    assert game.players is not None
    row = LP.format(index=0, slot=171, name="a")
    for lines in (
        [row],
        [row, "Total of 2 in the game"],
        [row, row, "Total of 2 in the game"],
        ["Total of 0 in the game", "Total of 0 in the game"],
    ):
        assert not player_rows(game.players, game.identity, lines)[1], lines
    assert player_rows(game.players, game.identity, ["Total of 0 in the game"]) == ([], True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"slot": "1; exec x", "reason": "x"}, "`1; exec x` is not an identity that this game knows."),
        ({"slot": "1", "reason": "a\nb"}, "The text contains a line break"),
        ({"slot": "1"}, "has no value"),
        ({"reason": "x"}, "has no value"),
        ({"slot": "1", "reason": "x" * 900}, "the game takes 900"),
    ],
)
def test_values_that_would_leave_their_place_are_refused(
    catalog: dict[str, GameTemplate], values: dict[str, str], said: str
) -> None:
    game = catalog["teeworlds"]
    assert game.console is not None
    with pytest.raises(ValueError, match=r"\.$") as refusal:
        action_line(game.console, game.identity, game.actions["kick"], values)
    assert said in str(refusal.value)


@pytest.mark.parametrize("game", ["teeworlds", "7dtd"])
@given(reason=st.lists(fragments, max_size=6).map("".join))
def test_words_in_a_name_or_reason_prove_nothing(catalog: dict[str, GameTemplate], game: str, reason: str) -> None:
    template = catalog[game]
    assert template.console is not None
    forged = (f"[1][chat]: 0:0:eve: {reason}", f"{reason} Kicking Player eve", f"x World saved {reason}")
    answer = judge(template.console, template.actions["kick"], {"slot": "1", "reason": "x"}, forged)
    assert answer.outcome == "unknown"
