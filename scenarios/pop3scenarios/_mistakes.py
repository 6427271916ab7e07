"""What is right as it stands, and looks as if something else had been meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ._consequence import changes_nothing
from ._library import SUFFIX
from ._occasions import CAPABILITIES, COMMANDS, EVENTS, MECHANISMS, TRANSACTION, occasion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from ._lines import Template
    from ._model import Fragment
    from ._parse import ParsedFile
    from ._rule import Rule
    from ._scenario import Scenario
    from ._yaml import Path

#: The kind of the warning, where it stands, what it is, and what to write instead.
Mistake = tuple[str, "Path", str, str]

#: How alike two words are of which one is a slip of the pen: two letters of four that changed
#: places are.
_ALIKE = 0.75

#: What servers in the field have, and no RFC of today, near as it is to something else.
_FIELD = frozenset({"RPOP", "PIPELINE"})

_STATUS = ("+OK", "-ERR")

#: The parts of ``expect:`` that are lists of patterns.
_EXPECTED = ("never", "never_in_clear", "always", "allow")


def mistakes(file: ParsedFile, scenarios: Sequence[Scenario]) -> Iterator[Mistake]:
    """What looks like a mistake in a file.

    Args:
        file: A file without problems.
        scenarios: The scenarios that it holds.
    """
    if file.path.name != file.model.name + SUFFIX:
        message = f"the scenario is called {file.model.name!r}, and its file {file.path.name}"
        yield "file-name", ("name",), message, f"call the file {file.model.name}{SUFFIX}"
    yield from _requirements(file, scenarios)
    users = frozenset(user for scenario in scenarios for user in scenario.users)
    mechanisms = frozenset(_mechanisms(scenarios))
    for prefix, fragment in fragments(file):
        yield from _server(fragment, prefix)
        yield from _maildrops(fragment, prefix, users)
        yield from _expected(fragment, prefix)
        for i, rule in enumerate(fragment.rules):
            path = (*prefix, "rules", i)
            yield from _rule(rule, path, users, mechanisms)
            later = fragment.rules[i + 1 :]
            if changes_nothing(rule) and not any(_meet(rule, each) for each in later):
                yield "no-effect", path, "the rule changes nothing", "say what it changes"


def fragments(file: ParsedFile) -> Iterator[tuple[Path, Fragment]]:
    """A file and its variants, each with where it stands.

    Args:
        file: A file without problems.
    """
    yield (), file.model
    for name, variant in file.model.variants.items():
        yield ("variants", name), variant


# Names


def _near(word: str, known: Iterable[str]) -> str:
    """The known word that was meant, if it is another one; private names begin with X."""
    names = sorted(known)
    if word in {*names, *_FIELD} or word.startswith("X") or not word.isprintable():
        return ""
    return next(iter(get_close_matches(word, names, n=1, cutoff=_ALIKE)), "")


def _command(keyword: str, path: Path) -> Iterator[Mistake]:
    if keyword in ("C:", "S:"):
        message = f"{keyword!r} is taken for the command"
        yield "near-miss", path, message, "begin with the command itself"
    meant = _near(keyword, COMMANDS.keys() | EVENTS.keys())
    if meant:
        message = f"there is no command {keyword!r} in any RFC"
        shown = meant.lower() if meant in EVENTS else meant
        yield "near-miss", path, message, f"did you mean {shown!r}?"


def _capability(entry: str, path: Path) -> Iterator[Mistake]:
    keyword, *words = entry.lstrip("+-").upper().split()
    meant = _near(keyword, CAPABILITIES)
    if meant:
        message = f"there is no capability {keyword!r} in any RFC"
        yield "near-miss", path, message, f"did you mean {meant!r}?"
    for word in words if keyword == "SASL" else ():
        meant = _near(word, MECHANISMS)
        if meant:
            yield "near-miss", path, f"there is no mechanism {word!r}", f"did you mean {meant!r}?"


def _mechanisms(scenarios: Iterable[Scenario]) -> Iterator[str]:
    for scenario in scenarios:
        for entry in (*(scenario.server.capabilities or ()), *(scenario.server.hidden or ())):
            keyword, *words = entry.upper().split()
            yield from words if keyword == "SASL" else ()


def _requirements(file: ParsedFile, scenarios: Sequence[Scenario]) -> Iterator[Mistake]:
    offered = {
        entry.split()[0].upper()
        for scenario in scenarios
        for entry in (*(scenario.server.capabilities or ()), *(scenario.server.hidden or ()))
    }
    # What a case requires is asked of another server.
    own = file.model.case is None
    for i, entry in enumerate(file.model.requires):
        near = list(_capability(entry, ("requires", i)))
        yield from near
        if own and not near and entry.split()[0].upper() not in offered:
            message = f"the server itself does not offer {entry!r}"
            yield "not-offered", ("requires", i), message, "offer it: server: {capabilities: [+…]}"


# The parts of a fragment


def _server(fragment: Fragment, prefix: Path) -> Iterator[Mistake]:
    server, at = fragment.server, (*prefix, "server")
    for key in ("capabilities", "hidden"):
        for i, entry in enumerate(getattr(server, key) or ()):
            yield from _capability(entry, (*at, key, i))
    if server.greeting is not None:
        yield from _status(server.greeting, (*at, "greeting"))
    for name, password in (server.users or {}).items():
        why = _no_login(name, password)
        if why:
            message = f"the user {name!r} cannot log in with USER and PASS: {why}"
            yield "no-login", (*at, "users", name), message, ""


def _no_login(name: str, password: str) -> str:
    if not name or " " in name:
        return "the name is empty" if not name else "the name has a space"
    return "" if password else "the password is empty"


def _status(line: Template, path: Path) -> Iterator[Mistake]:
    if line.keyword in _STATUS:
        message = f"{line.keyword} would be sent behind the status"
        yield "double-status", path, message, "leave it out, or say all in a rule's reply"


def _maildrops(fragment: Fragment, prefix: Path, users: AbstractSet[str]) -> Iterator[Mistake]:
    for name in fragment.maildrops.keys() - users:
        message = f"the server has no user {name!r}"
        yield "unknown-user", (*prefix, "maildrops", name), message, "see server: {users: …}"


def _expected(fragment: Fragment, prefix: Path) -> Iterator[Mistake]:
    for key in _EXPECTED:
        for i, pattern in enumerate(getattr(fragment.expect, key)):
            yield from _command(pattern.keyword, (*prefix, "expect", key.replace("_", "-"), i))
    for command in fragment.expect.counts:
        yield from _command(command.upper(), (*prefix, "expect", "counts", command))


def _rule(
    rule: Rule, path: Path, users: AbstractSet[str], mechanisms: AbstractSet[str]
) -> Iterator[Mistake]:
    for i, pattern in enumerate(rule.when):
        yield from _command(pattern.keyword, (*path, "when", i))
        if "  " in pattern.source and _looks_right(rule, pattern):
            message = "this means a command with two spaces, which no correct client sends"
            yield "near-miss", (*path, "when", i), message, "write one space"
    for key in ("text", "error"):
        line = getattr(rule, key)
        if line is not None:
            yield from _status(line, (*path, key))
    yield from _user(rule, path, users)
    name = (rule.mechanism or "").upper()
    if name and name not in MECHANISMS | mechanisms:
        meant = _near(name, MECHANISMS | mechanisms)
        hint = f"did you mean {meant!r}?" if meant else ""
        message = f"the mechanism {name!r} is neither offered nor known"
        yield "near-miss", (*path, "mechanism"), message, hint


def _looks_right(rule: Rule, pattern: Template) -> bool:
    """Whether nothing says that a malformed command is meant."""
    said = rule.as_, rule.outcome, rule.reply
    return all(each is None for each in said) and pattern.keyword != "PASS"


def _user(rule: Rule, path: Path, users: AbstractSet[str]) -> Iterator[Mistake]:
    """A name by which nobody gets as far as the rule is about."""
    late = rule.state == TRANSACTION or all(
        occasion(pattern.keyword).states == {TRANSACTION} for pattern in rule.when
    )
    if late and rule.user not in (None, "*", *users):
        message = f"the server has no user {rule.user!r}, so nobody logs in by that name"
        yield "unknown-user", (*path, "user"), message, "see server: {users: …}"


def _meet(rule: Rule, later: Rule) -> bool:
    """Whether a rule that changes nothing keeps a later one from some of its occasions."""
    if (rule.as_ is None) != (later.as_ is None):
        return False
    mine, theirs = ({pattern.keyword for pattern in each.when} for each in (rule, later))
    commands, other_commands = mine - EVENTS.keys(), theirs - EVENTS.keys()
    any_command = "*" in mine | theirs and commands and other_commands
    return bool(mine & theirs or any_command)
