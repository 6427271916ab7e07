"""What a server says about itself before it is judged: the gates of the cases come from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pop3scenarios import parse_line

from ._dialogue import positive
from ._findings import Inconclusive, Skipped
from ._fixtures import OWN
from ._login import Way, log_in

if TYPE_CHECKING:
    from ._dialogue import Dialogue
    from ._target import Target
    from ._wants import Wants

_STAT = parse_line("+OK {count} {octets} ...")
_SIZE = re.compile(r"([0-9]{1,9}) ([0-9]{1,15})\b")
_UID = re.compile(r"([0-9]{1,9}) ([\x21-\x7e]+)")

#: Messages, from the last, whose header is looked at.
_LOOKED_AT = 100

#: Octets of a message that could be the run's own.
_LARGEST = 4 << 20

#: When CAPA was asked: before anything else, inside TLS that STLS began, and after login.
Stage = Literal["first", "secured", "transaction"]


@dataclass(slots=True)
class Facts:
    """The fact sheet of a server.

    Attributes:
        greeting: Its greeting.
        stamp: The timestamp in it; empty: no APOP.
        capabilities: The lines that CAPA gave in any state.
        stages: The same by when it was asked; what is missing was refused or not asked.
        count: Messages by STAT; None if that is not known.
        octets: Octets by STAT; None if that is not known.
        sizes: What LIST says of each message.
        uids: What UIDL says of each message.
        top: Whether TOP works; None: there was no message to try it on.
        uidl: Whether UIDL works; None: not asked.
        locks: Whether a second session of the user is refused; None: not asked.
        tls: The version of TLS; empty without.
        run: What marks the run's own messages; empty: there are none.
        fixtures: Their numbers, by their names; ``dup-again`` is the second of two alike.
        undelivered: Why messages of the run's own are not there, by their names.
        resets: Whether RSET is known to take marks away.
        way: How the checker logs in.
        logged_in: Whether the login worked.
        no_login: Why there was no login; empty if there was.
        login_refused: Whether the server refused the login.
        answered: Commands that were answered at some time in the run, ``GREETING`` among them.
    """

    greeting: str = ""
    stamp: str = ""
    capabilities: tuple[str, ...] = ()
    stages: dict[Stage, tuple[str, ...]] = field(default_factory=dict)
    count: int | None = None
    octets: int | None = None
    sizes: dict[int, int] = field(default_factory=dict)
    uids: dict[int, str] = field(default_factory=dict)
    top: bool | None = None
    uidl: bool | None = None
    locks: bool | None = None
    tls: str = ""
    run: str = ""
    fixtures: dict[str, int] = field(default_factory=dict)
    undelivered: dict[str, str] = field(default_factory=dict)
    resets: bool = False
    way: Way = "USER"
    logged_in: bool = False
    no_login: str = "the login was not reached"
    login_refused: bool = False
    answered: set[str] = field(default_factory=set)

    def announces(self, capability: str) -> bool:
        """Whether CAPA lists a capability, with all its arguments: ``TOP``, ``SASL PLAIN``."""
        tag, *arguments = capability.upper().split()
        lines = (line.upper().split() for line in self.capabilities)
        return any(words[0] == tag and set(arguments) <= set(words) for words in lines if words)

    def argument(self, tag: str, stage: Stage | None = None) -> str | None:
        """What stands behind a tag of CAPA: ``60 USER`` of LOGIN-DELAY; None if it is not there.

        Args:
            tag: The capability.
            stage: When CAPA was asked; None: at any time, the last one holds.
        """
        lines = self.capabilities if stage is None else self.stages.get(stage, ())
        found = [line for line in lines if line.upper().split(" ")[0] == tag.upper()]
        return found[-1].partition(" ")[2].strip() if found else None


class Discovery:
    """One session that only asks; fills in the facts as it goes.

    Good and bad commands alternate, since servers count bad ones in a row.

    Args:
        target: The server and the account.
        dialogue: The connection.
        run: What the run's own messages are marked with; empty if it has none.
        capa: Whether to send CAPA: some servers close on it.

    Attributes:
        facts: What is known so far.
        asked: The command that was sent last.
        hidden: Whether there are messages that are shown only with UTF8.
    """

    def __init__(
        self, target: Target, dialogue: Dialogue, *, run: str = "", capa: bool = True
    ) -> None:
        self._target = target
        self._dialogue = dialogue
        self._own = re.compile(rf"(?im)^{OWN}: *{re.escape(run)}-([a-z0-9-]+) *\r?$")
        self._has_own = bool(run)
        self._capa = capa
        self.facts = Facts(run=run)
        self.hidden = False
        self.asked = "GREETING"

    def run(self) -> Wants[None]:
        """Greeting, CAPA, STLS if asked for, login, CAPA again, the maildrop.

        Raises:
            Inconclusive: The server does not serve us, or not with TLS.
        """
        facts = self.facts
        facts.greeting = yield from self._dialogue.hello()
        facts.stamp = self._dialogue.stamp
        facts.answered.add("GREETING")
        if facts.greeting.startswith("-ERR"):
            raise Inconclusive(f"the server refuses to serve: {facts.greeting}")
        if not positive(facts.greeting):
            facts.no_login = "the greeting is no +OK"
            return
        yield from self._capabilities("first")
        if self._target.tls == "stls":
            yield from self._dialogue.upgrade()
            yield from self._capabilities("secured")
        facts.tls = yield from self._dialogue.tls_version()
        if (yield from self._login()):
            yield from self._capabilities("transaction")
            yield from self._maildrop()

    def _ask(self, line: str, *, secret: bool = False) -> Wants[str]:
        self.asked = line.split(" ", 1)[0]
        answer = yield from self._dialogue.ask(line, secret=secret)
        self.facts.answered.add(self.asked)
        return answer

    def _capabilities(self, stage: Stage) -> Wants[None]:
        if not self._capa or not positive((yield from self._ask("CAPA"))):
            return
        lines = yield from self._dialogue.listing("the capability list")
        self.facts.stages[stage] = tuple(lines)
        self.facts.capabilities = tuple(dict.fromkeys((*self.facts.capabilities, *lines)))

    def _login(self) -> Wants[bool]:
        target, facts = self._target, self.facts
        if not target.user or not target.password:
            facts.no_login = "no user and password were given"
            return False
        facts.way = self._way()
        self.asked = "PASS" if facts.way == "USER" else facts.way
        try:
            answer = yield from log_in(self._dialogue, target, facts.way)
        except Skipped as error:
            facts.no_login = str(error)
            return False
        facts.answered |= {"USER", "PASS"} if facts.way == "USER" else {"AUTH", "APOP"}
        facts.logged_in = positive(answer)
        facts.login_refused = not facts.logged_in
        shown = self._dialogue.log.masked(answer)
        facts.no_login = "" if facts.logged_in else f"the login was refused: {shown}"
        return facts.logged_in

    def _way(self) -> Way:
        """USER unless CAPA speaks against it and for another way."""
        facts = self.facts
        if not facts.capabilities or facts.announces("USER"):
            return "USER"
        if facts.announces("SASL PLAIN"):
            return "PLAIN"
        return "APOP" if facts.stamp else "USER"

    # The maildrop

    def _maildrop(self) -> Wants[None]:
        facts = self.facts
        found = _STAT.match((yield from self._ask("STAT")), {})
        if found is not None:
            facts.count, facts.octets = int(found["count"]), int(found["octets"])
        listed = yield from self._listing("LIST")
        sizes = map(_SIZE.match, listed or ())
        facts.sizes = {int(each[1]): int(each[2]) for each in sizes if each}
        yield from self._ask("XYZZ")
        unique = yield from self._listing("UIDL")
        facts.uidl = unique is not None
        found_uids = map(_UID.fullmatch, unique or ())
        facts.uids = {int(each[1]): each[2] for each in found_uids if each}
        yield from self._headers(sorted(facts.sizes))
        yield from self._ask("NOOP")

    def _listing(self, command: str) -> Wants[list[str] | None]:
        if not positive((yield from self._ask(command))):
            return None
        return (yield from self._dialogue.listing(f"the lines of {command}"))

    def look_with_utf8(self, facts: Facts) -> Wants[None]:
        """In a session with UTF8 look at the messages that are refused without it (RFC 6856).

        Args:
            facts: What is known so far; the run's own messages are added to it.
        """
        self.facts = facts
        yield from self._dialogue.hello()
        if self._target.tls == "stls":
            yield from self._dialogue.upgrade()
        accepted = positive((yield from self._ask("UTF8")))
        if accepted and positive((yield from log_in(self._dialogue, self._target, facts.way))):
            known = set(facts.fixtures.values())
            yield from self._headers([number for number in facts.sizes if number not in known])

    def _headers(self, numbers: list[int]) -> Wants[None]:
        """Whether TOP works, and which messages are the run's own."""
        for number in numbers[-_LOOKED_AT if self._has_own else -1 :]:
            answer = yield from self._ask(f"TOP {number} 0")
            if positive(answer):
                header = yield from self._dialogue.message("a header")
                yield from self._dialogue.octets(3, "the terminator")
                self.facts.top = True
                self._recognise(number, header)
            elif "[UTF8]" in answer.upper():
                self.hidden = True
            elif self.facts.top is None:
                self.facts.top = False
                break
        if self.facts.top is False and self._has_own:
            yield from self._whole(numbers)

    def _whole(self, numbers: list[int]) -> Wants[None]:
        """Without TOP the header comes with the message; not where that may cost the message."""
        if self.facts.announces("EXPIRE 0"):
            return
        for number in numbers[-_LOOKED_AT:]:
            if self.facts.sizes[number] > _LARGEST:
                continue
            if positive((yield from self._ask(f"RETR {number}"))):
                message = yield from self._dialogue.message("a message")
                yield from self._dialogue.octets(3, "the terminator")
                self._recognise(number, message)

    def _recognise(self, number: int, header: bytes) -> None:
        if not self._has_own:
            return
        found = self._own.search(header.decode("latin-1"))
        if found is not None:
            name = f"{found[1]}-again" if found[1] in self.facts.fixtures else found[1]
            self.facts.fixtures[name] = number
