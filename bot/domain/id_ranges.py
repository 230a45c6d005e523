"""Ids as ranges: short where they follow each other, exact where they do not; written as an int8multirange is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

_RANGE = re.compile(r"\[(-?[0-9]+),(-?[0-9]+)\)")


@dataclass(frozen=True)
class IdRanges:
    """Ranges in order, each with its first id and the one after its last; none touches the next."""

    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, ids: Iterable[int]) -> "IdRanges":
        """Of ids in ascending order, each once."""
        pairs: list[tuple[int, int]] = []
        for number in ids:
            if pairs and pairs[-1][1] == number:
                pairs[-1] = (pairs[-1][0], number + 1)
            else:
                pairs.append((number, number + 1))
        return cls(tuple(pairs))

    @classmethod
    def read(cls, text: str) -> "IdRanges":
        """From PostgreSQL's words: `{[1,5),[7,8)}`.

        Raises:
            ValueError: it has no end, or is something else.
        """
        pairs = tuple((int(first), int(end)) for first, end in _RANGE.findall(text))
        found = cls(pairs)
        if found.text != text:
            raise ValueError("no ranges with a beginning and an end")
        return found

    @property
    def text(self) -> str:
        return "{" + ",".join(f"[{first},{end})" for first, end in self.pairs) + "}"

    @property
    def first(self) -> int:
        return self.pairs[0][0]

    @property
    def end(self) -> int:
        """The id after the last one."""
        return self.pairs[-1][1]

    @property
    def last(self) -> int:
        return self.end - 1

    @property
    def size(self) -> int:
        """How many ids."""
        return sum(end - first for first, end in self.pairs)

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(range(first, end) for first, end in self.pairs)

    def below(self, bound: int) -> "IdRanges":
        """Those of the ids that are smaller."""
        return IdRanges(tuple((first, min(end, bound)) for first, end in self.pairs if first < bound))
