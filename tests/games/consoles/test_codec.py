"""Any split of the same bytes gives the same records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.consoles.codec import RecordSplitter
from games.patterns import RECORD_MAX

SEVENDAYS = ("\r\n", ("\0",))
TEEWORLDS = ("\n\0\0", ())
Form = tuple[str, tuple[str, ...]]

streams = st.lists(st.sampled_from([b"\r", b"\n", b"\0", b"\0\0", b"\r\n", b"\n\0\0", b"a", "é".encode(), b"\xff"]))


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({min(place, len(data)) for place in at})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def fed(form: Form, pieces: list[bytes]) -> list[str]:
    splitter = RecordSplitter(*form)
    return [record for piece in pieces for record in splitter.feed(piece)]


@pytest.mark.parametrize("form", [SEVENDAYS, TEEWORLDS])
@given(pieces=streams, at=st.lists(st.integers(0, 60), max_size=8))
def test_any_split_gives_the_same_records(form: Form, pieces: list[bytes], at: list[int]) -> None:
    data = b"".join(pieces)
    whole = fed(form, [data])
    assert fed(form, cut(data, at)) == whole
    assert fed(form, [bytes([byte]) for byte in data]) == whole


@given(
    records=st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"))),
    at=st.lists(st.integers(0, 200)),
)
def test_what_goes_in_comes_out(records: list[str], at: list[int]) -> None:
    for end, strip in (SEVENDAYS, TEEWORLDS):
        data = "".join(record + end for record in records).encode()
        assert fed((end, strip), cut(data, at)) == records


@given(size=st.integers(RECORD_MAX - 3, RECORD_MAX + 3), step=st.sampled_from([1, 7, 4096, 100_000]))
def test_a_long_record_loses_its_tail_however_it_comes(size: int, step: int) -> None:
    data = b"x" * size + b"\r" * 3 + b"\r\nnext\r\n"
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    expected = (b"x" * size + b"\r" * 3)[:RECORD_MAX].decode()
    assert fed(SEVENDAYS, pieces) == [expected, "next"]


def test_an_endless_record_takes_no_memory() -> None:
    splitter = RecordSplitter(*SEVENDAYS)
    for _ in range(200):
        assert splitter.feed(b"\r" * 65536) == []
    assert splitter.feed(b"\n") == ["\r" * RECORD_MAX]


def test_nul_bytes_go_where_they_are_noise_and_stay_where_they_end() -> None:
    assert fed(SEVENDAYS, [b"\0\0Please\0 enter\r\0\n"]) == ["Please enter"]
    assert fed(TEEWORLDS, [b"a\n\0b\n\0", b"\0"]) == ["a\n\0b"]


def test_a_bare_line_feed_is_part_of_a_record() -> None:
    assert fed(SEVENDAYS, [b"EXC failed\n  at A\n  at B\r\n"]) == ["EXC failed\n  at A\n  at B"]
