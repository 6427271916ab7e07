"""What a server says about itself before it is judged: the gates of the cases come from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._dialogue import positive
from ._findings import Inconclusive, Skipped

if TYPE_CHECKING:
    from ._dialogue import Dialogue
    from ._target import Target
    from ._wants import Wants

_STAT = parse_line("+OK {count} {octets} ...")


@dataclass(slots=True)
class Facts:
    """The fact sheet of a server.

    Attributes:
        greeting: Its greeting.
        capabilities: The lines that CAPA gave in any state.
        count: Messages by STAT; None if that is not known.
        octets: Octets by STAT; None if that is not known.
        logged_in: Whether the login worked.
        no_login: Why there was no login; empty if there was.
        login_refused: Whether the server refused the login.
        answered: Commands that were answered at some time in the run, ``GREETING`` among them.
    """

    greeting: str = ""
    capabilities: tuple[str, ...] = ()
    count: int | None = None
    octets: int | None = None
    logged_in: bool = False
    no_login: str = "the login was not reached"
    login_refused: bool = False
    answered: set[str] = field(default_factory=set)

    def announces(self, capability: str) -> bool:
        """Whether CAPA lists a capability, with all its arguments: ``TOP``, ``SASL PLAIN``."""
        tag, *arguments = capability.upper().split()
        lines = (line.upper().split() for line in self.capabilities)
        return any(words[0] == tag and set(arguments) <= set(words) for words in lines if words)


class Discovery:
    """One session that only asks; fills in the facts as it goes.

    Args:
        target: The server and the account.
        dialogue: The connection.
        capa: Whether to send CAPA: some servers close on it.

    Attributes:
        facts: What is known so far.
        asked: The command that was sent last.
    """

    def __init__(self, target: Target, dialogue: Dialogue, *, capa: bool = True) -> None:
        self._target = target
        self._dialogue = dialogue
        self._capa = capa
        self.facts = Facts()
        self.asked = "GREETING"

    def run(self) -> Wants[None]:
        """Greeting, CAPA, STLS if asked for, login, CAPA again, STAT.

        Raises:
            Inconclusive: The server does not serve us, or not with TLS.
        """
        facts = self.facts
        facts.greeting = yield from self._dialogue.line("a greeting")
        facts.answered.add("GREETING")
        if facts.greeting.startswith("-ERR"):
            raise Inconclusive(f"the server refuses to serve: {facts.greeting}")
        if not positive(facts.greeting):
            facts.no_login = "the greeting is no +OK"
            return
        yield from self._capabilities()
        if self._target.tls == "stls":
            yield from self._dialogue.upgrade()
            yield from self._capabilities()
        if (yield from self._login()):
            yield from self._capabilities()
            yield from self._stat()

    def _ask(self, line: str, *, secret: bool = False) -> Wants[str]:
        self.asked = line.split(" ", 1)[0]
        yield from self._dialogue.send(line, secret=secret)
        answer = yield from self._dialogue.line(f"the answer to {self.asked}")
        self.facts.answered.add(self.asked)
        return answer

    def _capabilities(self) -> Wants[None]:
        if not self._capa or not positive((yield from self._ask("CAPA"))):
            return
        lines = yield from self._dialogue.listing("the capability list")
        self.facts.capabilities = tuple(dict.fromkeys((*self.facts.capabilities, *lines)))

    def _login(self) -> Wants[bool]:
        target, facts = self._target, self.facts
        if not target.user or not target.password:
            facts.no_login = "no user and password were given"
            return False
        try:
            answer = yield from self._ask(f"USER {target.user}")
            if positive(answer):
                answer = yield from self._ask(f"PASS {target.password}", secret=True)
        except Skipped as error:
            facts.no_login = str(error)
            return False
        facts.logged_in = positive(answer)
        facts.login_refused = not facts.logged_in
        shown = self._dialogue.log.masked(answer)
        facts.no_login = "" if facts.logged_in else f"the login was refused: {shown}"
        return facts.logged_in

    def _stat(self) -> Wants[None]:
        found = _STAT.match((yield from self._ask("STAT")), {})
        if found is not None:
            self.facts.count, self.facts.octets = int(found["count"]), int(found["octets"])
