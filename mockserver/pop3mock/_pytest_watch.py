"""Watches the servers of a pytest session, and judges after each test what clients did to them."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from ._engine import Engine
from ._expectations import broken
from ._pytest_strictness import strictness, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._connection_log import ConnectionLog
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
        self._misses: list[Fault] = []
        self._told: Counter[Fault] = Counter()
        self._shown: dict[int, int] = {}

    def begin(self) -> None:
        """Another test uses the server: what was said before does not concern it."""
        self._excused = self._excused or self.spoiled  # what that test would have done is not owed
        self.spoiled = False
        self._mentioned = False
        self._misses = []
        for log in self.server.journal.connections:
            if self._shown.get(log.number) != -1:
                self._shown[log.number] = -1 if log.ended else len(_lines(log))

    def news(self) -> list[Fault]:
        """What clients did wrong and has not been told yet."""
        expect = self.server.scenario.expect
        found = Counter(broken(expect, self.server.journal, final=self._final))
        if not found:
            return []  # as for almost every test
        fresh = list((found - self._told).elements())
        self._told |= found
        self._misses += fresh
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
        """The part of the transcript that no report has shown yet; a remark if nobody ever came."""
        first, self._mentioned = not self._mentioned, True
        parts = []
        for log in self.server.journal.connections:
            shown = self._shown.get(log.number, 0)
            if shown >= 0:
                lines = _lines(log)
                parts += lines[shown:]
                self._shown[log.number] = len(lines)
        never = first and not self._shown  # where clients came in earlier tests, silence is no news
        return "".join(parts) or ("(no client has come)\n" if never else "")

    def unshown_misses(self) -> list[str]:
        """What clients did wrong and no report has shown yet, also where that is forgiven."""
        misses, self._misses = self._misses, []
        return [str(fault) for fault in misses]

    def settle(self) -> None:
        """Let the server hear what clients have already sent, and that they have gone."""
        if not self.stopped:
            with suppress(TimeoutError):  # somebody keeps it busy: what is known has to do
                self.server.settle()

    def stalls(self) -> list[str]:
        """Where each connection stands that is still up, with what it waits for."""
        if self.stopped:
            return []
        try:
            return self.server.stalls()
        except TimeoutError:
            return ["the servers do not answer: something blocks their event loop"]


def _lines(log: ConnectionLog) -> list[str]:
    return log.transcript(secrets=True).splitlines(keepends=True)


class Watch:
    """The servers of a session. It holds a lease of the event loop, so that a server costs little.

    Args:
        reveals: Whether reports show secrets.

    Attributes:
        verdict: The exception by which the test was told, or None.
    """

    def __init__(self, *, reveals: bool = False) -> None:
        self._reveals = reveals
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
        server.journal.reveals = self._reveals
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
            pytest.fail(verdict(fresh, self._judges(item)), pytrace=False)
        except pytest.fail.Exception as failure:
            self.verdict = failure
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
            if news and strictness(item, watched.strict).strict:
                fresh += [f"{watched.server.scenario.name}: {fault}" for fault in news]
        return fresh

    def _judges(self, item: pytest.Item) -> list[str]:
        said = [strictness(item, watched.strict) for watched in self._used]
        return [by for strict, by in said if strict]

    def spoil(self) -> None:
        """The test has failed or was skipped: what its clients leave undone now is no news."""
        for watched in self._used:
            watched.spoiled = True

    def _settle(self) -> None:
        """Let the servers hear what clients have already sent, and that they have gone."""
        for watched in self._used:
            watched.settle()
