"""How a line fits the parts of a template: as a regular expression would, in bounded time.

Each hole takes all it can, the first hole first. A regular expression finds that by trying, which
takes years where several holes have open ends; here a table says for each part, from the last to
the first, at which places of the line it may begin so that all behind it fits. With the table no
hole has to be tried twice. Only where a hole stands twice on a line does what fits depend on what
the first of the two holds: such a line is tried a number of times, and then is another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._holes import Hole

#: How often a line is tried of which a hole stands twice.
MOST_TRIES = 10_000


def fit(
    parts: Sequence[str | Hole],
    line: str,
    start: int,
    bindings: Mapping[str, str],
    *,
    open_ended: bool,
) -> dict[str, str] | None:
    """What the holes hold if the rest of a line is what the parts say.

    Args:
        parts: Literal text and holes, in order.
        line: The line.
        start: Where its rest begins.
        bindings: What holes must hold, by name.
        open_ended: Whether anything may follow behind a space.

    Returns:
        The holes that ``bindings`` does not have; None if it does not fit.
    """
    found: dict[str, str] = {}
    known = [part if isinstance(part, str) else bindings.get(part.name, part) for part in parts]
    for i, part in enumerate(known):
        text = part if isinstance(part, str) else found.get(part.name)
        if text is not None:
            end = start + len(text) if line.startswith(text, start) else None
        elif isinstance(part, str) or not _ends_for_certain(known, i):
            return _Table(known[i:], line[start:], found, open_ended=open_ended).search()
        else:
            end = part.longest(line, start)
            if end is not None:
                found[part.name] = line[start:end]
        if end is None:
            return None
        start = end
    ends = start == len(line) or (open_ended and line[start] == " ")
    return found if ends else None


def _ends_for_certain(parts: Sequence[str | Hole], i: int) -> bool:
    """Whether a hole holds the longest that it can, or nothing fits."""
    part = parts[i]
    assert not isinstance(part, str)
    if part.certain or i + 1 == len(parts):
        return True
    behind = parts[i + 1]
    return part.spaceless and isinstance(behind, str) and behind.startswith(" ")


class _Table:
    """Where in a text each of some parts may begin so that it and all behind it fit.

    Args:
        parts: Literal text and holes, in order; there is one at least.
        text: The text, all of it.
        found: What holes in front hold, by name.
        open_ended: Whether anything may follow behind a space.
    """

    def __init__(
        self,
        parts: Sequence[str | Hole],
        text: str,
        found: Mapping[str, str],
        *,
        open_ended: bool,
    ) -> None:
        self._parts = parts
        self._text = text
        self._found = found
        self._again = _holes_again(parts, found)
        # For each part, where what stands behind it may begin: the last such place up to each.
        self._behind: list[list[int]] = []
        fits = [open_ended and at == " " for at in text] + [True]
        for i in range(len(parts) - 1, -1, -1):
            behind = _last_up_to(fits)
            self._behind.append(behind)
            fits = self._fitting(i, behind)
        self._behind.reverse()
        self._begins = fits[0]

    def search(self) -> dict[str, str] | None:
        """What the holes hold, each the most it can, the first hole first; None if it does not fit.

        Where no hole stands twice the first way that is tried leads to the end.
        """
        if not self._begins:
            return None
        ways = [self._ways(0, 0, dict(self._found))]
        for _ in range(MOST_TRIES + len(self._parts)):
            way = next(ways[-1], None)
            if way is not None and len(ways) == len(self._parts):
                return way[1]
            if way is not None:
                ways.append(self._ways(len(ways), *way))
            elif len(ways) > 1:
                ways.pop()
            else:
                break
        return None

    def _fitting(self, i: int, behind: list[int]) -> list[bool]:
        """At which places a part may begin if what stands behind it may begin at others."""
        part, text = self._parts[i], self._text
        if isinstance(part, str):
            ends = range(len(part), len(part) + len(text) + 1)
            return [text.startswith(part, at) and behind[end] == end for at, end in enumerate(ends)]
        if i in self._again:
            return [behind[-1] >= at for at in range(len(text) + 1)]  # it may hold anything
        return [
            end is not None and behind[end] >= part.least(at, end)
            for at, end in enumerate(part.reaches(text))
        ]

    def _ways(self, i: int, at: int, found: dict[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
        """Where a part that begins at a place may end, the longest first, with what it holds."""
        part, behind = self._parts[i], self._behind[i]
        literal = part if isinstance(part, str) else found.get(part.name)
        if literal is not None:
            end = at + len(literal)
            if self._text.startswith(literal, at) and behind[end] == end:
                yield end, found
            return
        assert not isinstance(part, str)
        longest = part.longest(self._text, at)
        if longest is None:
            return
        least, end = part.least(at, longest), behind[longest]
        while end >= least:
            yield end, {**found, part.name: self._text[at:end]}
            end = behind[end - 1] if end else -1


def _holes_again(parts: Sequence[str | Hole], found: Mapping[str, str]) -> set[int]:
    """The numbers of those parts that are holes of which one stands in front of them already."""
    seen, again = set(found), set()
    for i, part in enumerate(parts):
        if not isinstance(part, str):
            if part.name in seen:
                again.add(i)
            seen.add(part.name)
    return again


def _last_up_to(fits: Sequence[bool]) -> list[int]:
    """For each place the last fitting one that does not lie behind it; -1 if there is none."""
    last, result = -1, []
    for at, fitting in enumerate(fits):
        last = at if fitting else last
        result.append(last)
    return result
