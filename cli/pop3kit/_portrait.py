"""A picture of a server: the scenario with which the mock answers as the server did.

It is found by trying. What the library of quirks holds, what a server section can say, and rules
made of the answers themselves are played by the mock, one at a time, to the questions that the
server was asked; what brings more answers to agree, and none to differ, is kept.
"""

from __future__ import annotations

import json
import re
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pop3check import Written, observed_in
from pop3scenarios import ScenarioError, is_path, kind_of, load, loads, shipped
from pop3scenarios.tools import to_yaml

from ._answerrules import Change, candidates, in_order
from ._played import played

if TYPE_CHECKING:
    from pop3check import Observed, Probe, Recording
    from pop3scenarios import Scenario

_Data = dict[str, Any]

#: Guesses at the sizes of messages: enough for a scenario that halves those of a megabyte.
_ROUNDS = 24

_SECRET = "secret"  # noqa: S105 - a placeholder, in place of one

#: What a server section can say of how commands are read, each tried by itself.
_TOLERATED = (
    "leading-spaces", "trailing-spaces", "repeated-spaces", "tabs", "carriage-returns", "nul",
    "upper-case-names", "initial-responses",
)  # fmt: skip
_SETTINGS: tuple[_Data, ...] = (
    {"server": {"line-ends": "lf"}},
    {"server": {"lock": "none"}},
    {"server": {"keeps-user": ["commands"]}},
    {"server": {"keeps-user": ["commands", "refusals"]}},
    {"tls": {"forgets": "no"}},
    *({"server": {"tolerates": [each]}} for each in _TOLERATED),
    *({"server": {"line-limit": str(limit)}} for limit in (255, 512, 1024, 2048, 8192)),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What was found.

    Attributes:
        written: The scenario, and the messages beside it.
        quirks: The quirks that the server shows.
        agree: Answers that the mock gives octet for octet, holes aside.
        total: Answers that were compared.
        differences: The others.
    """

    written: Written
    quirks: tuple[str, ...]
    agree: int
    total: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer that the mock gives otherwise than the server.

    Attributes:
        asked: What was sent, passwords marked.
        server: What the server answered.
        mock: What the mock answered.
    """

    asked: bytes
    server: Probe
    mock: Probe

    def __str__(self) -> str:
        asked = self.asked.replace(b"\0", b"*") or b"(greeting)"
        return f"{_shown(asked)}: server {_told(self.server)}, scenario {_told(self.mock)}"


def _told(probe: Probe) -> str:
    ended = " and the end" if probe.ended else ""
    return (_shown(probe.octets) or "nothing") + ended


def _shown(octets: bytes) -> str:
    text = repr(octets)[2:-1]
    return text if len(text) < 120 else f"{text[:100]}… ({len(octets)} octets)"


@dataclass(slots=True)
class _Score:
    """How a scenario does: places of the probes whose answers agree."""

    exact: frozenset[int] = frozenset()
    alike: frozenset[int] = frozenset()
    answers: list[Probe] = field(default_factory=list)


class Painter:
    """Looks for the scenario.

    Args:
        observed: What the server answered.
        name: The name of the scenario.
        folder: A folder for the time of the search, where the messages are.
    """

    def __init__(self, observed: Observed, name: str, folder: Path) -> None:
        self._observed = observed
        self._probes = observed.probes
        self._name = name
        self._folder = folder
        self._files, self._mail = _mail(observed, name)
        for path, octets in self._files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(octets)
        self._changes: list[Change] = []

    def picture(self, source: str) -> Picture:
        """The scenario that does best.

        Args:
            source: Where the server was, for people.
        """
        data = self._outline(source)
        score = self._score(data)
        assert score is not None
        data, score = self._with_quirks(data, score)
        data, score = self._with_settings(data, score)
        data, score = self._with_rules(data, score)
        differences = self._differing(score)
        total = len(self._probes)
        data["why"] = (
            f"Made of the answers of a live server. Of {total} of them the mock gives"
            f" {len(score.exact)} octet for octet."
        )
        return Picture(
            Written(to_yaml(_sorted(data)), self._files),
            tuple(data["quirks"]),
            len(score.exact),
            total,
            differences,
        )

    def differences(self, reference: str) -> tuple[Difference, ...]:
        """Where a scenario, with the server's mail and user, answers otherwise than the server.

        Args:
            reference: Its name or path.

        Raises:
            pop3scenarios.ScenarioError: There is no such scenario, or it is wrong.
        """
        load(reference)
        answers = self._answers_of(reference, self._mail)
        return self._differing(self.score_of(self._resized(reference, answers) or answers))

    def _answers_of(self, reference: str, mail: list[dict[str, str]]) -> list[Probe]:
        data: _Data = {
            "pop3": "1",
            "name": self._name,
            "summary": "a scenario before the questions of another server",
            "extends": str(Path(reference).absolute()) if is_path(reference) else reference,
            "server": {"users": {self._observed.user or "alice": _SECRET}},
            "tls": {"mode": self._mode()},
            "maildrop": mail,
        }
        scenario = loads(to_yaml(data), file=str(self._folder / f"{self._name}.pop3.yaml"))
        return played(scenario, self._observed)

    def _resized(self, reference: str, answers: list[Probe]) -> list[Probe] | None:
        """The answers of a scenario that announces the server's sizes; None if it never does.

        A scenario may announce other sizes than those that messages have. What nobody fetched is
        made larger or smaller by what LIST says too little or too much, until it says the same.
        """
        guess = replace(self._observed, mail=deepcopy(self._observed.mail))
        unseen = [n for n, each in enumerate(guess.mail.messages) if each.octets is None]
        for _ in range(_ROUNDS):
            announced = _sizes(answers)
            wrong = {n: self._size(n) - announced.get(n + 1, 0) for n in unseen}
            if not any(wrong.values()):
                return answers
            for n, missing in wrong.items():
                message = guess.mail.messages[n]
                message.size = max(0, (message.size or 0) + missing)
            answers = self._answers_of(reference, _mail(guess, self._name)[1])
        return None

    def _size(self, place: int) -> int:
        return self._observed.mail.messages[place].size or 0

    def _differing(self, score: _Score) -> tuple[Difference, ...]:
        return tuple(
            Difference(probe.sent, probe, answer)
            for at, (probe, answer) in enumerate(zip(self._probes, score.answers, strict=True))
            if at not in score.exact
        )

    # The outline: what the server says of itself

    def _outline(self, source: str) -> _Data:
        greeting = self._greeting()
        return {
            "pop3": "1",
            "name": self._name,
            "summary": f"the server at {source}, by what it answered",
            "why": "",
            "references": ["its answers on the wire"],
            "server": {
                "greeting": greeting,
                "capabilities": self._capabilities(),
                "users": {self._observed.user or "alice": _SECRET},
            },
            "quirks": [],
            "tls": {"mode": self._mode()},
            "maildrop": self._mail,
            "rules": [],
        }

    def _greeting(self) -> str:
        words = self._probes[0].status.split(b" ")[1:]
        return " ".join(self._greeted(word, at) for at, word in enumerate(words))

    def _greeted(self, word: bytes, at: int) -> str:
        text = word.decode("utf-8", "replace").replace("{", "{{").replace("}", "}}")
        text = re.sub(r"<[^<>@ ]+@[^<>@ ]+>", "{stamp}", text)
        if word in self._observed.varying and "{" not in text:
            return f"{{id{at}:word={text}}}"
        return text

    def _capabilities(self) -> list[str]:
        """Those of the first list; where another differs from it, a rule says so."""
        lists = (p.data for p in self._probes if p.keyword == "CAPA" and p.accepted)
        lines = next(lists, b"").decode("latin-1").split("\r\n")
        listed = [line for line in dict.fromkeys(lines) if line not in ("", ".")]
        return listed or self._by_commands()

    def _by_commands(self) -> list[str]:
        """Where nobody says what there is: what was not refused."""
        works = {p.keyword for p in self._probes if p.accepted}
        return [name for name in ("TOP", "UIDL", "USER") if name in works]

    def _mode(self) -> str:
        if self._observed.implicit:
            return "implicit"
        begins = any(p.secures for p in self._probes) or "STLS" in self._capabilities()
        return "stls" if begins else "none"

    # Trying

    def _score(self, data: _Data) -> _Score | None:
        """How a scenario does; None if it is none."""
        scenario = self._loaded(data)
        return None if scenario is None else self.score_of(played(scenario, self._observed))

    def _loaded(self, data: _Data) -> Scenario | None:
        try:
            # JSON is YAML, and written many times faster; nobody reads what is only tried.
            return loads(json.dumps(data), file=str(self._folder / f"{self._name}.pop3.yaml"))
        except ScenarioError:
            return None

    def _fits(self, data: _Data, at: int) -> bool:
        """Whether one answer agrees: asking in its own session alone is many times faster."""
        scenario = self._loaded(data)
        begin = max(n for n in range(at + 1) if not self._probes[n].sent)
        session = self._probes[begin : at + 1]
        if scenario is None:
            return False
        answer = played(scenario, replace(self._observed, sessions=[session]))[-1]
        return self._same(session[-1], answer)

    def _same(self, mine: Probe, other: Probe) -> bool:
        hollow = self._observed.hollow
        return hollow(mine.octets) == hollow(other.octets) and mine.ended == other.ended

    def score_of(self, answers: list[Probe]) -> _Score:
        """How answers compare with those of the server."""
        pairs = list(enumerate(zip(self._probes, answers, strict=True)))
        exact = frozenset(at for at, (mine, other) in pairs if self._same(mine, other))
        alike = frozenset(at for at, (mine, other) in pairs if _form(mine) == _form(other))
        return _Score(exact, alike, answers)

    def _with_quirks(self, data: _Data, score: _Score) -> tuple[_Data, _Score]:
        """Name the quirks of the library that the server shows.

        By the form of answers alone: a quirk says what a server does, not in which words. What
        departs from the default server is shown; what the outline has already is named too.
        """
        plain = {**data, "server": {"users": data["server"]["users"]}}
        for name in self._gaining(plain):
            wider = data | {"quirks": [*data["quirks"], name]}
            tried = self._score(wider)
            if tried is not None and tried.alike >= score.alike:
                data, score = wider, tried
        return data, score

    def _gaining(self, data: _Data) -> list[str]:
        """Quirks that bring more answers to agree and none to differ, the one that says most first.

        Of those that say the same, one.
        """
        start = self._score(data)
        assert start is not None
        gains: list[tuple[int, int, str]] = []
        for name in _quirks():
            tried = self._score(data | {"quirks": [name]})
            if tried is not None and tried.alike > start.alike:
                gains.append((-len(tried.alike), -len(tried.exact), name))
        kept: list[str] = []
        for *_, name in sorted(gains):
            tried = self._score(data | {"quirks": [*kept, name]})
            if tried is not None and tried.alike > start.alike:
                kept, start = [*kept, name], tried
        return kept

    def _with_settings(self, data: _Data, score: _Score) -> tuple[_Data, _Score]:
        for setting in _SETTINGS:
            (section, values), *_ = setting.items()
            merged = _merged(data[section], values)
            tried = self._score(data | {section: merged})
            if tried is not None and tried.alike > score.alike:
                data, score = data | {section: merged}, tried
        return data, score

    def _with_rules(self, data: _Data, score: _Score) -> tuple[_Data, _Score]:
        """Make rules of the answers that differ still, the widest that fits first."""
        given_up: set[bytes] = set()
        while (at := self._first_difference(score, given_up)) is not None:
            best = self._best_rule(data, score, at)
            if best is None:
                given_up.add(self._occasion(at))
                continue
            data, score = best
        return data, score

    def _first_difference(self, score: _Score, given_up: set[bytes]) -> int | None:
        places = (at for at in range(len(self._probes)) if at not in score.exact)
        return next((at for at in places if self._occasion(at) not in given_up), None)

    def _occasion(self, at: int) -> bytes:
        return self._state(at).encode() + b" " + self._probes[at].sent

    def _state(self, at: int) -> str:
        """The state of the session in which a probe was sent."""
        start = max(n for n in range(at + 1) if not self._probes[n].sent)
        logins = ("PASS", "APOP", "AUTH")
        before = self._probes[start:at]
        inside = any(
            p.accepted and b"\0" in p.sent and (p.keyword in logins or p.sent.startswith(b"\0"))
            for p in before
        )
        return "transaction" if inside else "authorization"

    def _best_rule(self, data: _Data, score: _Score, at: int) -> tuple[_Data, _Score] | None:
        for change in candidates(self._probes, score.answers, at, self._state(at)):
            if change in self._changes:
                continue
            changes = in_order([*self._changes, change])
            wider = data | {"rules": [each.rule for each in changes]}
            tried = self._score(wider) if self._fits(wider, at) else None
            if tried is not None and at in tried.exact and tried.exact > score.exact:
                self._changes = changes
                return wider, tried
        return None


def _quirks() -> list[str]:
    return [name for name, path in shipped().items() if kind_of(path) == "quirks"]


_SIZE = re.compile(rb"^([0-9]{1,9}) +([0-9]{1,15})\b", re.MULTILINE)

_DIGITS = re.compile(rb"[0-9]+")

#: By its timestamp a greeting offers APOP (RFC 1939, section 7).
_STAMP = re.compile(rb"<[^<> ]+@[^<> ]+>")

#: What clients take for a timestamp or a response code, wherever it stands.
_BRACKETS = frozenset(b"<>[]@")


def _form(probe: Probe) -> tuple[object, ...]:
    """What is left of an answer without the words for people."""
    words = probe.status.split(b" ")
    code = words[1] if len(words) > 1 and words[1].startswith(b"[") else b""
    numbers: list[bytes] = []
    for word in words[1:]:
        if not _DIGITS.fullmatch(word):
            break
        numbers.append(word)
    stamped = (_STAMP.search(probe.status) is not None, frozenset(probe.status) & _BRACKETS)
    bare = len(words) == 1
    return (words[0], bare, code, numbers, stamped, probe.data, probe.ended)


def _sizes(answers: list[Probe]) -> dict[int, int]:
    """What LIST says of each message, where it is answered first."""
    data = next((p.data for p in answers if p.sent == b"LIST\r\n" and p.accepted), b"")
    return {int(number): int(size) for number, size in _SIZE.findall(data)}


def _merged(old: _Data, new: _Data) -> _Data:
    """Settings with more in them; lists grow."""
    made = dict(old)
    for key, value in new.items():
        both = isinstance(value, list) and isinstance(old.get(key), list)
        made[key] = [*dict.fromkeys([*old[key], *value])] if both else value
    return made


def _mail(observed: Observed, name: str) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    """The messages that were seen as files, the others made up in their size."""
    files: dict[str, bytes] = {}
    items = []
    for number, message in enumerate(observed.mail.messages, 1):
        item: dict[str, str] = {}
        if message.octets is None:
            item |= message.made_up()
        else:
            item["file"] = f"{name}.mail/{number}.eml"
            octets = message.octets
            # The last line had no end, and got one on the wire, which is in no size.
            unended = message.size == len(octets) - 2
            files[item["file"]] = octets.removesuffix(b"\r\n") if unended else octets
        if message.uid:
            item["uid"] = message.uid
        items.append(item)
    return files, items


def _sorted(data: _Data) -> _Data:
    """Without what is empty."""
    return {key: value for key, value in data.items() if value or key == "maildrop"}


def painted(observed: Observed, name: str, source: str) -> Picture:
    """The scenario of a server.

    Args:
        observed: What it answered.
        name: The name of the scenario.
        source: Where it was, for people.
    """
    with tempfile.TemporaryDirectory() as folder:
        return Painter(observed, name, Path(folder)).picture(source)


def of_recording(recording: Recording, name: str, source: str) -> Written:
    """The server that a recording shows.

    Args:
        recording: What went through.
        name: The name of the scenario.
        source: Where the server was, for people.

    Raises:
        pop3check.Unrecordable: It does not make conversations.
        pop3check.Unredacted: A secret stands in it.
    """
    return painted(observed_in(recording), name, source).written


def drift(observed: Observed, reference: str) -> tuple[Difference, ...]:
    """Where a server answers otherwise than a scenario says.

    Args:
        observed: What the server answered; its mail is given to the scenario too.
        reference: The name or path of the scenario.

    Raises:
        pop3scenarios.ScenarioError: There is no such scenario, or it is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        painter = Painter(observed, "compared", Path(folder))
        return painter.differences(reference)
