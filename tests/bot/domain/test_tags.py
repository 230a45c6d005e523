"""What can be a tag, and how lists of tags are completed."""

import pytest

from bot.domain.tags import completed, parse


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("eu", ("eu",)),
        (" EU, pvp  night-1,,eu ", ("eu", "pvp", "night-1")),
        ("", ()),
        (" , ", ()),
        ("x" * 32, ("x" * 32,)),
    ],
)
def test_a_list_of_tags_is_understood(typed: str, tags: tuple[str, ...]) -> None:
    assert parse(typed) == tags


@pytest.mark.parametrize("wrong", ["x" * 33, "e.u", "`eu`", "@everyone", "é", "eu\0", "eu;drop", "<@1>", "٣"])
def test_what_can_be_no_tag_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match="can be no tag"):
        parse(f"eu, {wrong}")


def test_the_last_word_is_completed() -> None:
    known = ["eu", "event", "pvp"]
    assert completed("", known) == known
    assert completed("e", known) == ["eu", "event"]
    assert completed("pvp, ev", known) == ["pvp, event"]
    assert completed("eu, ", known) == ["eu, event", "eu, pvp"]
    assert completed("EU pvp", known) == ["eu, pvp"]
    assert completed("pvp,pvp", known) == []
