"""Questions to a live server that take nothing from it: how it says what it says.

Which questions: :data:`SESSIONS`, one connection each. None of them marks, deletes or writes; good
and bad commands alternate, since servers count bad ones in a row.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._connection import Connection
from ._dialogue import Dialogue, deletes
from ._facts import Discovery, Facts
from ._findings import Finding
from ._login import apop_digest
from ._observed import DIGEST, PASSWORD, PLAIN, USER, WRONG, Observed, Probe
from ._observed_mail import Maildrop
from ._redaction import Redaction
from ._target import is_loopback
from ._wants import Breakdown, Handshake, Lost, Receive, Send, Silence, StartTLS, Wants
from ._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._target import Target

#: Seconds that one session may take.
_DEADLINE = 60.0

#: Seconds to wait for what may never be answered.
_PATIENCE = 2.0

#: Seconds to wait after an answer for more that should not come: on this machine, and elsewhere.
_QUIET_HERE, _QUIET = 0.01, 0.1

#: Messages that a maildrop may have: all of them are in the file.
MOST_MESSAGES = 200

#: Octets of a message that is fetched.
_LARGEST = 1 << 20

_MULTI_LINE = {"CAPA": 1, "LIST": 1, "UIDL": 1, "RETR": 2, "TOP": 3, "LANG": 1, "AUTH": 1}


class NoFingerprint(Exception):
    """The server cannot be asked."""


@dataclass(frozen=True, slots=True)
class Questions:
    """One connection.

    Attributes:
        lines: What is sent, a segment each; ``{first}``, ``{last}`` and ``{beyond}`` are numbers.
        logs_in: Whether somebody logs in before.
        failures: Logins that are refused in it.
        when: Capabilities without which it means nothing; a SASL mechanism, for instance.
        mail: Whether it needs a message.
    """

    lines: tuple[str, ...]
    logs_in: bool = True
    failures: int = 0
    when: str = ""
    mail: bool = False


#: All questions. ``\r\n`` is added to a line that does not end in LF.
SESSIONS: dict[str, Questions] = {
    "before login": Questions(
        (
            "CAPA", "NOOP", "CAPA", "STAT", "CAPA", "XYZZ", "CAPA", "XYZZ and more", "CAPA",
            "LIST 1", "CAPA", "RETR 1", "CAPA", "USER", "CAPA", "capa", "CAPA", "CAPA x", "CAPA",
            "LAST", "CAPA", "UTF8 x", "CAPA", "LANG", "CAPA", "AUTH", "CAPA", "AUTH XYZZ", "QUIT",
        ),
        logs_in=False,
    ),
    "PASS first": Questions(("PASS x", "CAPA", "APOP x", "QUIT x"), logs_in=False),
    "blank": Questions(("", "CAPA", " CAPA", "CAPA ", "QUIT"), logs_in=False),
    "bad commands": Questions((*("XYZZ",) * 24, "QUIT"), logs_in=False),
    "bad commands inside": Questions((*("XYZZ",) * 24, "QUIT")),
    "STLS": Questions(("STLS", "CAPA", "STLS", "QUIT"), logs_in=False, when="STLS"),
    "cancelled": Questions(("AUTH PLAIN", "*", "CAPA", "QUIT"), logs_in=False, when="SASL PLAIN"),
    "refused": Questions(("USER \0user\0", f"PASS {WRONG.decode()}", "QUIT"), logs_in=False,
                         failures=1),
    "refused SASL": Questions(("AUTH PLAIN !!!", "QUIT"), logs_in=False, failures=1,
                              when="SASL PLAIN"),
    "between": Questions(("USER \0user\0", "CAPA", "USER \0user\0", "NOOP", "QUIT"), logs_in=False),
    "maildrop": Questions((
        "CAPA", "STAT", "stat", "STAT x", "LIST", "LIST x", "NOOP", "NOOP x", "RSET", "UIDL",
        "UIDL x", "STAT", "LAST", "STAT", "XYZZ", "STAT", "XYZZ and more", "STAT", "USER x", "STAT",
        "PASS x", "STAT", "APOP x y", "STAT", "AUTH PLAIN", "STAT", "STLS", "STAT", "LANG", "STAT",
        "LIST 0", "STAT", "LIST {beyond}", "STAT", "LIST -1", "UIDL 0", "STAT", "UIDL {beyond}",
        "STAT", "RETR", "STAT", "RETR 0", "STAT", "RETR x", "STAT", "RETR {beyond}", "STAT", "TOP",
        "STAT", "TOP x 1", "STAT", "TOP {beyond} 1", "STAT", "", "STAT", "RSET x", "QUIT",
    )),
    "messages": Questions((
        "LIST {first}", "LIST {last}", "LIST {first} x", "UIDL {first}", "UIDL {last}",
        "UIDL {first} x", "LIST  {first}", "RETR {first}", "RETR {last}", "RETR {first} x",
        "LAST", "TOP {first} 0", "TOP {first} 1", "TOP {last} 0", "TOP {first}", "STAT",
        "TOP {first} x", "STAT", "TOP {first} 1 x", "STAT", "TOP {first} -1", "retr {first}",
        "LIST 0{first}", "QUIT",
    ), mail=True),
    "pipelined": Questions(("STAT\r\nNOOP\r\nLIST\r\nRSET\r\n", "NOOP\r\nXYZZ\r\nSTAT\r\n",
                            "NOOP\r\nQUIT\r\n")),
    "line ends": Questions(("NOOP\n", "NOOP\n", "STAT", "QUIT")),
    "long lines": Questions((*(f"XYZZ {'x' * (octets - 5)}" for octets in
                                 (250, 500, 1000, 2000, 4000)), "QUIT")),
}  # fmt: skip


@dataclass(slots=True)
class Fingerprint:
    """Asks all questions of a server.

    Args:
        target: The server and the account.
        failures: How many logins may fail on purpose.
        progress: Called with the name of each session before it begins.

    Attributes:
        left_out: Sessions that were not played, and why.
    """

    target: Target
    failures: int = 1
    progress: Callable[[str], None] = lambda _: None
    left_out: dict[str, str] = field(default_factory=dict)
    _facts: Facts = field(default_factory=Facts)
    _logs_in: bool = False

    def take(self) -> Observed:
        """Ask.

        Raises:
            NoFingerprint: The server cannot be reached, does not let the user in, or has more mail
                than a file should.
            Unredacted: The password stands in an answer.
        """
        try:
            self._facts = self._discover()
            sessions = [self._session(questions) for questions in self._chosen()]
        except (Breakdown, Finding) as error:
            raise NoFingerprint(str(error)) from None
        observed = Observed(sessions, self.target.user, implicit=self.target.tls == "implicit")
        observed.mail = self._mail(observed)
        self._guard(observed)
        return observed

    def _guard(self, observed: Observed) -> None:
        redaction = Redaction()
        redaction.password(self.target.password.encode("utf-8", "surrogateescape"))
        for probe in observed.probes:
            redaction.guard(probe.octets, f"the answer to {probe.keyword or 'nothing'}")
        for number, message in enumerate(observed.mail.messages, 1):
            redaction.guard(message.octets or b"", f"message {number}")

    def _discover(self) -> Facts:
        dialogue = Dialogue(self.target, WireLog(self.target.password))
        discovery = Discovery(self.target, dialogue)
        self.progress("discovery")
        with Connection(self.target, _DEADLINE) as connection:
            connection.run(discovery.run())
            connection.run(dialogue.leave())
        facts = discovery.facts
        if self.target.user and not facts.logged_in:
            raise NoFingerprint(facts.no_login)
        if (facts.count or 0) > MOST_MESSAGES:
            raise NoFingerprint(
                f"the maildrop has {facts.count} messages, and all would stand in the file: use an"
                f" account with {MOST_MESSAGES} at most"
            )
        self._logs_in = facts.logged_in
        return facts

    def _chosen(self) -> list[Questions]:
        chosen = []
        left = self.failures
        for name, questions in SESSIONS.items():
            why = self._why_not(questions, left)
            if why:
                self.left_out[name] = why
                continue
            left -= questions.failures
            chosen.append(questions)
        return chosen

    def _why_not(self, questions: Questions, left: int) -> str:
        if (questions.logs_in or questions.failures) and not self._logs_in:
            return "nobody logs in"
        if questions.failures > left:
            return "no more logins may fail"
        if questions.when and not self._facts.announces(questions.when):
            return f"CAPA does not list {questions.when}"
        if questions.when == "STLS" and self.target.tls != "none":
            return "TLS is on already"
        return "there is no message" if questions.mail and not self._facts.count else ""

    def _session(self, questions: Questions) -> list[Probe]:
        self.progress(next(name for name, each in SESSIONS.items() if each is questions))
        with Connection(self.target, _DEADLINE) as connection:
            return connection.run(self._ask_all(questions))

    def _ask_all(self, questions: Questions) -> Wants[list[Probe]]:
        talk = [(yield from self._ask(b"", 1))]
        lines = [self._filled(line) for line in questions.lines]
        before = [b"STLS\r\n"] if self.target.tls == "stls" else []
        if questions.logs_in:
            before += self._login()
        for sent in (*before, *lines):
            probe = yield from self._ask(sent, sent.count(b"\n"), talk[0].octets)
            if probe.sent == b"STLS\r\n" and probe.accepted and not any(p.secures for p in talk):
                # To ask how it answers inside; nothing secret is said where TLS was not asked for.
                verify = self.target.tls == "stls"
                yield StartTLS(Handshake(verify=verify))
                probe = Probe(probe.sent, probe.octets, probe.ended, secures=True)
            talk.append(probe)
            if probe.ended:
                break
        return talk

    def _filled(self, line: str) -> bytes:
        count = self._facts.count or 0
        for name, number in (("{first}", 1), ("{last}", count), ("{beyond}", count + 1)):
            line = line.replace(name, str(number))
        sent = line.encode() if line.endswith("\n") else line.encode() + b"\r\n"
        assert not deletes(line)
        return sent

    def _login(self) -> list[bytes]:
        match self._facts.way:
            case "PLAIN":
                return [b"AUTH PLAIN " + PLAIN + b"\r\n"]
            case "APOP":
                return [b"APOP " + USER + b" " + DIGEST + b"\r\n"]
        return [b"USER " + USER + b"\r\n", b"PASS " + PASSWORD + b"\r\n"]

    def _ask(self, sent: bytes, answers: int, greeting: bytes = b"") -> Wants[Probe]:
        if sent:
            yield Send(unmarked(sent, self.target.user, self.target.password, greeting))
        octets, ended = b"", False
        # What ends in LF alone may be the half of a line to a server: it then says nothing.
        usual = self.target.timeout if not sent or sent.endswith(b"\r\n") else _PATIENCE
        keywords = [line.split(b" ") for line in sent.split(b"\n")[:-1]]
        quiet = _QUIET_HERE if is_loopback(self.target.host) else _QUIET
        while not ended:
            try:
                more = yield Receive(quiet if _complete(octets, keywords, answers) else usual)
            except Silence:
                break
            except Lost:
                more = b""
            octets += more
            ended = not more
        return Probe(sent, octets, ended)

    def _mail(self, observed: Observed) -> Maildrop:
        drop = Maildrop()
        view = drop.session()
        for number, size in sorted(self._facts.sizes.items()):
            message = view.message(number)
            if message is not None:
                message.size = size
                message.uid = self._facts.uids.get(number, "")
        for probe in observed.probes:
            alone = probe.sent.count(b"\n") == 1
            if alone and probe.keyword == "RETR" and len(probe.octets) <= _LARGEST:
                view.learn(probe.exchange())
        return drop


def _complete(octets: bytes, keywords: list[list[bytes]], answers: int) -> bool:
    """Whether so many answers are there, by the framing of RFC 1939."""
    rest = octets
    for at in range(answers):
        status, end, rest = rest.partition(b"\n")
        if not end:
            return False
        words = keywords[at] if at < len(keywords) else []
        keyword = words[0].strip().decode("latin-1").upper() if words else ""
        if status.startswith(b"+OK") and _MULTI_LINE.get(keyword) == len(words):
            if keyword == "AUTH" and not rest:
                continue  # some have nothing to list
            if not rest.startswith(b".\r\n"):
                _, end, rest = rest.partition(b"\r\n.\r\n")
            if not end and rest != b".\r\n":
                return False
    return True


def unmarked(sent: bytes, user: str, password: str, greeting: bytes) -> bytes:
    """A line with what belongs in place of its marks.

    Args:
        sent: The line.
        user: The user name.
        password: The password.
        greeting: What the server said first.
    """
    if b"\0" not in sent:
        return sent
    begin, end = greeting.find(b"<"), greeting.find(b">")
    stamp = greeting[begin : end + 1].decode("utf-8", "replace")
    plain = base64.b64encode(f"\0{user}\0{password}".encode())
    for mark, value in (
        (USER, user.encode()),
        (PASSWORD, password.encode()),
        (DIGEST, apop_digest(stamp, password).encode()),
        (PLAIN, plain),
    ):
        sent = sent.replace(mark, value)
    return sent
