"""Watches the servers of a pytest session, and judges after each test what clients did to them."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ._engine import Engine
from ._expectations import broken
from ._pytest_marker import MarkerError, wish_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._events import Fault
    from ._server import MockServer


class Watched:
    """A server, and what the tests that used it have been told of it.

    Args:
        server: The server.
        strict: Whether clients are judged; None if each test decides.
        wide: Whether the server outlives the test in which it was started.

    Attributes:
        spoiled: Whether the test that runs has failed: then its clients are judged no further.
        stopped: Whether the server has been stopped.
    """

    def __init__(self, server: MockServer, *, strict: bool | None, wide: bool) -> None:
        self.server = server
        self.strict = strict
        self.spoiled = False
        self.stopped = False
        self._wide = wide
        self._excused = False
        self._mentioned = False
        self._told: Counter[Fault] = Counter()
        self._shown: dict[int, int] = {}

    def begin(self) -> None:
        """Another test uses the server: what was said before does not concern it."""
        self._excused = self._excused or self.spoiled  # what that test would have done is not owed
        self.spoiled = False
        self._mentioned = False
        for log in self.server.journal.connections:
            if self._shown.get(log.number) != -1:
                self._shown[log.number] = -1 if log.ended else len(log.transcript())

    def news(self) -> list[Fault]:
        """What clients did wrong and has not been told yet."""
        expect = self.server.scenario.expect
        found = Counter(broken(expect, self.server.journal, final=self._final))
        fresh = list((found - self._told).elements())
        self._told |= found
        return fresh

    @property
    def _final(self) -> bool:
        """Whether clients have had their chance to do all that they must."""
        if self._excused:
            return False
        if self.stopped:
            return True
        return not self._wide and all(log.ended for log in self.server.journal.connections)

    def unshown(self) -> str:
        """The part of the transcript that no report has shown yet; a remark if there is none."""
        first, self._mentioned = not self._mentioned, True
        parts = []
        for log in self.server.journal.connections:
            shown = self._shown.get(log.number, 0)
            if shown >= 0:
                text = log.transcript()
                parts.append(text[shown:])
                self._shown[log.number] = len(text)
        return "".join(parts) or ("(no client has come)\n" if first else "")


class Watch:
    """The servers of a session. It holds a lease of the event loop, so that a server costs little.

    Attributes:
        faults: What clients did wrong in the test that runs, one line each.
        verdict: The exception by which the test was told, or None.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.verdict: BaseException | None = None
        self._engine = Engine()
        self._live: list[Watched] = []
        self._used: list[Watched] = []
        self._scopes: list[str] = []

    def close(self) -> None:
        """Stop what still runs, and give the event loop back."""
        for watched in self._live:
            watched.server.stop()
            watched.stopped = True
        self._live.clear()
        self._engine.release()

    # What happens in the session

    def begin(self) -> None:
        """A test begins; servers of wider scope go on."""
        self.faults = []
        self.verdict = None
        self._used = list(self._live)
        for watched in self._used:
            watched.begin()

    @contextmanager
    def fixture(self, scope: str) -> Iterator[None]:
        """A fixture is being set up.

        Args:
            scope: Its scope.
        """
        self._scopes.append(scope)
        try:
            yield
        finally:
            self._scopes.pop()

    @contextmanager
    def watching(self, server: MockServer, *, strict: bool | None) -> Iterator[None]:
        """Watch a server.

        Args:
            server: The server; it is started and stopped in between.
            strict: Whether clients are judged; None if each test decides.
        """
        wide = bool(self._scopes) and self._scopes[-1] != "function"
        watched = Watched(server, strict=strict, wide=wide)
        self._live.append(watched)
        self._used.append(watched)
        try:
            yield
        finally:
            watched.stopped = True
            if watched in self._live:
                self._live.remove(watched)

    # The verdict

    @property
    def used(self) -> tuple[Watched, ...]:
        """The servers that were up at any time of the test that runs."""
        return tuple(self._used)

    def judge(self, item: pytest.Item) -> None:
        """Fail the phase of the test if clients did what they should not have done.

        Args:
            item: The test.
        """
        if any(watched.spoiled for watched in self._used):
            return
        fresh = self.examine(item)
        if not fresh:
            return
        try:
            pytest.fail(_text(fresh), pytrace=False)
        except pytest.fail.Exception as verdict:
            self.verdict = verdict
            raise

    def examine(self, item: pytest.Item) -> list[str]:
        """What clients did wrong and has not been told yet.

        Args:
            item: The test.
        """
        self._settle()
        fresh = []
        for watched in self._used:
            news = watched.news()
            if _is_strict(item, watched):
                fresh += [f"{watched.server.scenario.name}: {fault}" for fault in news]
        self.faults += fresh
        return fresh

    def spoil(self) -> None:
        """The test has failed or was skipped: what its clients leave undone now is no news."""
        for watched in self._used:
            watched.spoiled = True

    def _settle(self) -> None:
        """Let the servers hear what clients have already sent, and that they have gone."""
        for watched in self._used:
            if not watched.stopped:
                watched.server.settle()


def _is_strict(item: pytest.Item, watched: Watched) -> bool:
    strict = watched.strict
    if strict is None:
        try:
            strict = wish_of(item).strict
        except MarkerError:  # told already, when the test was collected or set up
            strict = None
    return bool(item.config.getini("pop3_strict")) if strict is None else strict


def _text(faults: list[str]) -> str:
    """The message of a failure; the first line is what pytest's summary shows."""
    head = faults[0] if len(faults) == 1 else f"{len(faults)} things that no scenario expects"
    lines = [f"POP3 client: {head}"]
    if len(faults) > 1:
        lines += [f"  {fault}" for fault in faults]
    lines.append(
        "(to allow a command: expect: {allow: [COMMAND]} in the scenario; "
        "to allow all: @pytest.mark.pop3(strict=False))"
    )
    return "\n".join(lines)
