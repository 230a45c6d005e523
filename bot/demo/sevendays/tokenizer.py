"""Splits a console line into words the way the server does."""


class Unclosed(Exception):
    """A quotation was started and never closed; the text is the server's sentence."""

    def __init__(self, position: int) -> None:
        super().__init__(f"Quotation started at position {position} was not closed")


def split(line: str) -> list[str]:
    """Words are parted by spaces and tabs. `"…"` is one word, `""` inside it one quote; nothing else is special.

    Raises Unclosed.
    """
    words: list[str] = []
    start = position = 0
    while position < len(line):
        char = line[position]
        if char not in ' \t"':
            position += 1
            continue
        if position > start:
            words.append(line[start:position])
        if char == '"':
            word, position = _quoted(line, position)
            words.append(word)
        else:
            position += 1
        start = position
    return [*words, line[start:]] if start < len(line) else words


def _quoted(line: str, opening: int) -> tuple[str, int]:
    """The word that starts with the quote at `opening`, and where the text goes on behind it."""
    end = line.find('"', opening + 1)
    while end >= 0 and line[end + 1 : end + 2] == '"':
        end = line.find('"', end + 2)
    if end < 0:
        raise Unclosed(opening)
    return line[opening + 1 : end].replace('""', '"'), end + 1
