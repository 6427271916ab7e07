"""The conformance cases as tests of pytest: the plugin of ``--pop3-check=URL``.

The plugin that pytest loads in every run (``pop3mock.plugin``) declares the options; it has pytest
load this one when there is a server to be checked, and only then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from pop3scenarios import ScenarioError, expand, kind_of, load

from ._cases import Case
from ._plan import plan
from ._pytest_checks import Checks
from ._pytest_target import limits_of, seed_of, target_of, with_password
from ._pytest_text import inconclusive, skipped, unmet
from ._select import select
from ._verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from ._target import Target
    from ._verdict import Verdict

CHECKS: pytest.StashKey[Checks] = pytest.StashKey()
_TARGET: pytest.StashKey[Target] = pytest.StashKey()

_SUFFIX = ".pop3.yaml"
_IS_CASE = re.compile(r"^case:", re.MULTILINE)

#: The node that the shipped cases are under.
_NODE = "pop3-check"

_MARKERS = {
    "pop3_check": "a conformance case, from --pop3-check",
    "pop3_must": "a conformance case: the text says MUST, must or SHALL",
    "pop3_should": "a conformance case: the text says SHOULD or should",
    "pop3_may": "a conformance case: the text says MAY",
    "pop3_impl": "a conformance case: it follows from the text",
    "pop3_sec": "a conformance case: good practice",
    "pop3_note": "a conformance case, or a conversation, that nothing prescribes",
}


class NonStrict(pytest.PytestWarning):
    """The server departs from the text, but legally or harmlessly."""


# Options


def pytest_configure(config: pytest.Config) -> None:
    """See that there is a server to ask, and one process that asks it."""
    for name, what in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {what}")
    if config.getoption("dist", "no") == "each":
        raise pytest.UsageError(
            "--pop3-check: the cases share sessions and an account, so one process of pytest-xdist "
            "has to ask them all: expected another --dist than each"
        )
    config.stash[_TARGET] = target_of(config)
    limits_of(config)
    seed_of(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have all that it takes to ask; what is only collected needs no password."""
    config = session.config
    target = config.stash[_TARGET]
    if not config.option.collectonly:
        target = with_password(config, target)
    config.stash[CHECKS] = Checks(target, limits_of(config), seed_of(config))


def pytest_report_header(config: pytest.Config) -> str:
    """Say which server is checked."""
    return f"pop3-check: {config.stash[_TARGET]}, {limits_of(config).mode}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the server, if the run was ended before it was left."""
    checks = config.stash.get(CHECKS, None)
    if checks is not None:
        checks.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Have pytest-xdist give all cases to one process."""
    from ._pytest_xdist import scheduler  # only where pytest-xdist is installed, and used

    return scheduler(config, log, _NODE, _SUFFIX)


# Collection


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Put the shipped cases beside what is found in folders, unless scenario files are named."""
    report = yield
    if isinstance(collector, pytest.Session) and report.passed and not _names_files(collector):
        node = Shipped.from_parent(collector, name=_NODE, nodeid=_NODE)
        report.result = [*report.result, node]
    return report


def _names_files(session: pytest.Session) -> bool:
    return any(str(arg).partition("::")[0].endswith(_SUFFIX) for arg in session.config.args)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect cases of the user's own, and all scenario files that are named."""
    if not file_path.name.endswith(_SUFFIX):
        return None
    if parent.session.isinitpath(file_path) or _is_own_case(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _is_own_case(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return kind_of(path) == "own" and bool(_IS_CASE.search(text))


class Shipped(pytest.Collector):
    """The shipped cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each, in the order in which they are asked."""
        yield from _items(self, map(Case.of, select()))


class ScenarioFile(pytest.File):
    """A scenario file: a case, or a conversation."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for it, or one for each of its variants."""
        try:
            cases = [Case.of(load(reference)) for reference in expand(str(self.path))]
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        yield from _items(self, cases)


def _items(parent: pytest.Collector, cases: Iterable[Case]) -> Iterator[CheckItem]:
    for case in cases:
        parent.config.stash[CHECKS].cases[case.id] = case
        yield CheckItem.from_parent(parent, name=case.id, case=case)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Ask the cases after all tests and in the order of a run, whatever shuffles tests."""
    yield
    ours = [item for item in items if isinstance(item, CheckItem)]
    turns = {case.id: turn for turn, case in enumerate(plan(item.case for item in ours))}
    ours.sort(key=lambda item: turns[item.case.id])
    items[:] = [*(item for item in items if not isinstance(item, CheckItem)), *ours]


# Running


class CheckItem(pytest.Item):
    """One case.

    Args:
        case: The case.
        options: What pytest gives to every node.
    """

    def __init__(self, *, case: Case, **options: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**options)
        self.case = case
        level = case.about.level.lower()
        for marker in ("pop3_check", f"pop3_{'must' if level == 'shall' else level}"):
            self.add_marker(marker)
        self.extra_keyword_matches.update(case.about.tags)

    def setup(self) -> None:
        """Ask; what cannot be asked is skipped, and what is inconclusive an error, no failure."""
        self.verdict = verdict = self.config.stash[CHECKS].judge(self.case)
        self.user_properties += _properties(verdict)
        if verdict.outcome is Outcome.SKIP:
            pytest.skip(skipped(verdict))
        if verdict.outcome is Outcome.ERROR:
            pytest.fail(inconclusive(verdict), pytrace=False)

    def runtest(self) -> None:
        """Tell what came of it."""
        verdict = self.verdict
        if verdict.notes:
            self.add_report_section("call", "pop3 notes", "\n".join(verdict.notes))
        if verdict.outcome is Outcome.FAIL:
            pytest.fail(unmet(verdict), pytrace=False)
        if verdict.outcome is Outcome.NON_STRICT:
            self._departs(NonStrict(f"NON-STRICT {unmet(verdict)}"))

    def _departs(self, warning: NonStrict) -> None:
        try:
            self.warn(warning)
        except NonStrict:  # warnings are errors in this run
            pytest.fail(str(warning), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file in which the case stands, and the line (from 0) of what it requires."""
        path = self.case.scenario.path
        before, found, _ = path.read_text(encoding="utf-8").partition("\n  requirement:")
        return path, before.count("\n") + 1 if found else 0, self.case.id


def _properties(verdict: Verdict) -> list[tuple[str, object]]:
    """What a report in XML says of a case."""
    return [
        ("pop3_outcome", verdict.outcome.value),
        ("pop3_level", verdict.level),
        ("pop3_requirement", verdict.requirement),
        ("pop3_references", "; ".join(verdict.references)),
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """After the last case: leave the server, and see that nobody has lost mail by being checked."""
    result = yield
    if isinstance(item, CheckItem) and not isinstance(nextitem, CheckItem):
        checks = item.config.stash[CHECKS]
        if lost := checks.lost():
            pytest.fail(f"messages are gone that nobody deleted: {', '.join(lost)}", pytrace=False)
    return result
