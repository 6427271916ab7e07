"""Everything that lint finds in scenario files, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import check, expand, load
from pop3scenarios.tools import review

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pop3scenarios import Problem


def findings(paths: Sequence[Path]) -> list[Problem]:
    """What is wrong with files, what is odd, and which conversations contradict themselves.

    Args:
        paths: The files.

    Returns:
        Each finding once, file by file: files that share a quirk share its problems.

    Raises:
        OSError: A mock server cannot be started.
    """
    found: dict[Problem, None] = {}
    right = []
    for path in paths:
        errors = check(path)
        found.update(dict.fromkeys(errors))
        if not errors:
            right.append(path)
    found.update(dict.fromkeys(review(right)))
    found.update(dict.fromkeys(_contradictions(right)))
    order = {str(path): place for place, path in enumerate(paths)}
    return sorted(found, key=lambda each: (order.get(each.file, -1), each))


def _contradictions(paths: Iterable[Path]) -> Iterator[Problem]:
    # Only conversations need the mock and the checker.
    from ._selfcheck import is_fault_free, self_check

    for path in paths:
        for reference in expand(str(path.absolute())):
            scenario = load(reference)
            if is_fault_free(scenario):
                problem = self_check(scenario, path)
                if problem is not None:
                    yield problem


def severity(problem: Problem) -> str:
    """``error`` or ``warning``."""
    return "error" if problem.kind == "error" else "warning"


def as_line(problem: Problem) -> str:
    """A finding as compilers tell theirs, so that editors find the place.

    Args:
        problem: The finding.
    """
    place = f"{problem.file}:{problem.line}:{problem.column}"
    hint = f" ({problem.suggestion})" if problem.suggestion else ""
    name = "" if problem.kind == "error" else f" [{problem.kind}]"
    return f"{place}: {severity(problem)}: {problem.message}{hint}{name}"


def as_data(problem: Problem) -> dict[str, object]:
    """A finding for programs.

    Args:
        problem: The finding.
    """
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": severity(problem),
        "kind": problem.kind,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
