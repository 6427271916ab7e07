"""Claims on what clients did, as methods: a claim that does not hold says what came instead."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pop3scenarios import MASK

from ._comparison import compare, expected_script
from ._escaping import escaped
from ._masking import RESPONSE
from ._queries import Queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._connection_log import ConnectionLog
    from ._events import Exchange

#: SASL mechanisms whose exchange tells an eavesdropper no secret.
_PROOFS = re.compile(r"SCRAM-|CRAM-MD5|DIGEST-MD5|NTLM|GSS|KERBEROS|EXTERNAL|ANONYMOUS")

#: What stands before a secret that was masked.
_PASSWORD = re.compile(r"PASS\s*\Z", re.IGNORECASE)
_MECHANISM = re.compile(r"AUTH\s+(\S+)\s*\Z", re.IGNORECASE)


class VerificationFailed(AssertionError):
    """Clients did not do what a test claims.

    Attributes:
        claim: What was claimed.
        details: How what came differs from it, line by line.
        transcript: The conversations, with times, TLS and the rules that answered.
    """

    def __init__(self, claim: str, details: Iterable[str], transcript: str) -> None:
        self.claim = claim
        self.details = tuple(details)
        self.transcript = transcript
        super().__init__("\n".join([f"expected {claim}", *(f"  {line}" for line in self.details)]))


class Verification(Queries):
    """Claims on one connection, or on all of them together.

    Before it judges, each waits until the server has heard what clients have sent already, so that
    a client which does not wait for its last answer is judged by its last command too.
    """

    __slots__ = ()

    def assert_fetched(self, *numbers: int) -> None:
        """Claim that clients fetched exactly these messages, in whatever order.

        A message is fetched when RETR is answered ``+OK`` (RFC 1939, section 5). One that is
        fetched twice is given twice. The order is told by ``retrieved``.

        Args:
            numbers: Their message numbers; none if nothing was to be fetched.

        Raises:
            VerificationFailed: Others were fetched, or some of them were not.
        """
        __tracebackhide__ = True
        self.hear_all()
        what = _unlike(numbers, self.retrieved, "fetched")
        if what:
            self._fail(f"{_messages(numbers)} to be fetched", what, "RETR")

    def assert_deleted(self, *numbers: int) -> None:
        """Claim that exactly these messages are gone: marked by DELE and removed by QUIT.

        Args:
            numbers: Their message numbers, each as its session counts; none if nothing was to go.

        Raises:
            VerificationFailed: Others are gone, or some of them are not; says which were marked
                and stayed.
        """
        __tracebackhide__ = True
        self.hear_all()
        removed = [number for log in self.logs() for number in log.removed_numbers]
        what = _unlike(numbers, removed, "deleted")
        if what:
            stayed = [_stayed(log) for log in self.logs() if _marked(log)]
            self._fail(f"{_messages(numbers)} to be deleted", [*what, *stayed], *_DELETING)

    def assert_nothing_deleted(self) -> None:
        """Claim that no message was removed, and that none is marked.

        A mark that RSET took back is none. One that a connection without QUIT left without effect
        is one, for the client has asked for it; where that is what you mean, write
        ``assert_deleted()``, which claims that nothing is gone.

        Raises:
            VerificationFailed: A message was removed, or one is marked.
        """
        __tracebackhide__ = True
        self.hear_all()
        logs = self.logs()
        what = [_removed(log) for log in logs if log.removed]
        what += [_stayed(log) for log in logs if _marked(log)]
        if what:
            self._fail("no message to be deleted", what, *_DELETING)

    def assert_no_plaintext_secret(self) -> None:
        """Claim that no password and no token went over a connection outside TLS.

        Such are in PASS, and in AUTH with PLAIN, LOGIN, XOAUTH2, OAUTHBEARER and every other
        mechanism that sends what it proves. APOP, CRAM-MD5, SCRAM and the like do not.

        Raises:
            VerificationFailed: One did; says in which commands, and shows none of it.
        """
        __tracebackhide__ = True
        self.hear_all()
        what = [
            f"#{log.number} sent outside TLS: {line}"
            for log in self.logs()
            for line in _exposed(log)
        ]
        if what:
            self._fail("no secret outside TLS", what)

    def assert_conversation(self, text: str) -> None:
        """Claim that a conversation went as it is written, in the line language of scenarios.

        ``C:`` lines are all that the client sent, in order; ``C?:`` may be left out, ``C*:`` comes
        any number of times. Holes are bound once and must agree ever after, `` ...`` at the end of
        a line is any text. ``S:`` lines are the beginning of the answer: what is left out at its
        end, or altogether, is not compared. ``S: <close>`` and the like, ``S: <starttls>`` and
        ``C: <close>`` stand for what they do.

        Of a journal with several connections, all are claimed at once by ``[A] C:``, ``[B] C:``,
        named in the order in which they came; what the others do meanwhile is not compared.

        Args:
            text: The conversation; its indentation is taken off.

        Raises:
            VerificationFailed: It went otherwise; has the two side by side.
            ValueError: The text is wrong, spells out a secret, or asks for what is not kept.
        """
        __tracebackhide__ = True
        self.hear_all()
        script = expected_script(text)
        logs = self.logs()
        named = len(script.connections)
        if len(logs) > max(named, 1) or (logs and len(logs) < named):
            came = "\n".join(log.transcript() for log in logs)
            raise VerificationFailed(
                f"{_connections(named)}, {len(logs)} came",
                ["(one of them: journal.connection(1).assert_conversation(…); all: [A] C: …)"],
                came,
            )
        details = compare(script, logs)
        if details:
            raise VerificationFailed(
                "the conversation as it is written (- expected, + came)", details, self._told()
            )

    def _fail(self, claim: str, what: Iterable[str], *commands: str) -> None:
        __tracebackhide__ = True
        details = [*what, *_answers(self.asked(), commands)]
        raise VerificationFailed(claim, details, self._told())

    def _told(self) -> str:
        return "".join(log.transcript() for log in self.logs())


_DELETING = ("DELE", "RSET", "QUIT")


def _connections(count: int) -> str:
    return "one connection" if count == 1 else f"{count} connections"


def _messages(numbers: Sequence[int]) -> str:
    if not numbers:
        return "no message"
    return f"message{'s' if len(numbers) > 1 else ''} {_listed(numbers)}"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _unlike(expected: Iterable[int], came: Sequence[int], done: str) -> list[str]:
    """How message numbers differ, in words; nothing if they do not."""
    missing = Counter(expected) - Counter(came)
    beyond = Counter(came) - Counter(expected)
    if not missing and not beyond:
        return []
    parts = [f"{done}: {_listed(came) or 'none'}"]
    parts += [f"missing: {_listed(sorted(missing.elements()))}"] if missing else []
    parts += [f"too many: {_listed(sorted(beyond.elements()))}"] if beyond else []
    return ["; ".join(parts)]


# Deletion


def _marked(log: ConnectionLog) -> list[int]:
    """The messages that are marked, and that UPDATE has not removed."""
    marks: list[int] = []
    for exchange in log.asked():
        if exchange.command == "RSET" and exchange.ok:
            marks.clear()
        marks += exchange.numbers_of("DELE")
    return [number for number in marks if number not in log.removed_numbers]


def _removed(log: ConnectionLog) -> str:
    return f"#{log.number} removed {_messages(log.removed_numbers)}"


def _stayed(log: ConnectionLog) -> str:
    marked = f"#{log.number} marked {_messages(_marked(log))} (DELE)"
    if not log.ended:
        return f"{marked}; QUIT will remove it" if log.number else marked
    if log.ended == "quit":
        return f"{marked}; the server kept it in spite of QUIT"
    return f"{marked}; the server kept it, since no QUIT came ({log.ended})"


def _answers(exchanges: Iterable[Exchange], commands: Sequence[str]) -> Iterator[str]:
    """The commands that a claim is about, with their answers."""
    for exchange in exchanges:
        if exchange.command in commands:
            yield f"#{exchange.connection} C: {exchange.line}"
            yield f"#{exchange.connection} S: {exchange.reply}"


# Secrets


def _exposed(log: ConnectionLog) -> Iterator[str]:
    """The lines that carried a secret outside TLS, masked."""
    mechanism = ""
    for exchange in log.asked():
        if exchange.command == "AUTH":
            mechanism = "".join(exchange.heard.split()[1:2])
        if not exchange.tls and _tells(exchange.heard, mechanism):
            yield exchange.line
    for line in log.unheard:
        if _tells(line, mechanism):
            yield f"{escaped(line)} (behind STLS, not heard)"


def _tells(line: str, mechanism: str) -> bool:
    """Whether a line, of which what is secret is masked, had a secret that can be read off it."""
    if line == RESPONSE:
        return not _PROOFS.match(mechanism.upper())
    if not line.endswith(MASK):
        return False
    before = line.removesuffix(MASK)
    if _PASSWORD.search(before):
        return True
    named = _MECHANISM.search(before)
    return named is not None and not _PROOFS.match(named[1].upper())
