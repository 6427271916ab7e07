"""One session of the mock server: octets in, actions out; no socket, no clock.

At each line the session asks three things in turn: what would the RFC-correct server answer
(:mod:`._commands`), what does the script or do the rules make of it, and does the command take
effect. Then it says what is to be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import difference

from . import _commands as commands
from ._answer import Answer, refusal, render, status_line
from ._authentication import Authentication
from ._changes import NO_CHANGES, Changes, Occasion, selects
from ._composer import Composer, speak
from ._conversation import Conversation, Miss
from ._journal import Fault
from ._maildrop import stuff
from ._state import State

if TYPE_CHECKING:
    from pop3scenarios import Hole, MessageData, Reply, Scenario, Template

    from ._actions import Action
    from ._changes import Rulebook
    from ._journal import ConnectionLog
    from ._state import SessionState

#: Security limit: RFC 2449 asks for 255 octets, RFC 5034 for more in a SASL response.
MAX_LINE = 16_384

_GREETING = "GREETING"
_RESPONSE = "(SASL response)"


class Session:
    """The server's side of one connection.

    Args:
        scenario: What is played.
        rulebook: Its rules, with counts that outlive the connection.
        state: What the session knows; holds the maildrops.
        log: Where it is written down what happens.

    Attributes:
        log: Where it is written down what happens.
    """

    def __init__(
        self, scenario: Scenario, rulebook: Rulebook, state: SessionState, log: ConnectionLog
    ) -> None:
        self._scenario = scenario
        self._rulebook = rulebook
        self._state = state
        self.log = log
        self._buffer = bytearray()
        self._over = False
        self._authentication = Authentication(state)
        self._conversation = Conversation(scenario.script) if scenario.script else None
        codes = {line.split(" ")[0] for line in state.capabilities}
        self._codes = frozenset(
            code
            for code, capability in (
                ("AUTH", "AUTH-RESP-CODE"),
                ("IN-USE", "RESP-CODES"),
            )
            if capability in codes
        )

    @property
    def over(self) -> bool:
        """Whether nothing that the client sends will be heard any more."""
        return self._over

    def connected(self) -> list[Action]:
        """The connection is up: the server speaks first (RFC 1939, section 3)."""
        template = self._scenario.server.greeting
        answer = Answer(True, values={"stamp": self._state.stamp})
        if template is not None:
            answer.text = template
        reply = self._conversation.greeting() if self._conversation else None
        return self._perform(_GREETING, answer, reply, label=_GREETING)

    def secured(self) -> None:
        """The TLS handshake is done; what was known before it is forgotten (RFC 2595, 4)."""
        self._state.tls = True
        self._state.user = ""
        self._over = False

    def receive(self, data: bytes) -> list[Action]:
        """Octets have come from the client.

        Args:
            data: The octets, in whatever pieces they come.

        Returns:
            What is to be done, in order.
        """
        actions: list[Action] = []
        self._buffer += data
        while not self._over:
            end = self._buffer.find(b"\n")
            if end < 0:
                if len(self._buffer) > MAX_LINE:
                    actions += self._too_long()
                return actions
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            actions += self._line(line.decode("utf-8", "surrogateescape"))
        # What stands behind STLS or QUIT in the same segment is never executed.
        self._buffer.clear()
        return actions

    def lost(self) -> None:
        """The connection is gone: without QUIT nothing is removed (RFC 1939, section 6)."""
        self._over = True
        self._state.leave()
        self._rulebook.forget(self.log.number)
        if self._conversation is not None:
            step = self._conversation.unfinished()
            if step is not None and step.expect is not None:
                self.log.fault(
                    Fault(
                        "script not finished",
                        f"the client went away before C: {step.expect.source}",
                        self._script_place(step.row),
                    )
                )

    def _too_long(self) -> list[Action]:
        self._buffer.clear()
        answer = refusal("line too long")
        answer.ends = True
        return self._perform("", answer, None, label="(line too long)")

    def _line(self, line: str) -> list[Action]:
        if self._authentication.under_way:
            answer = self._authentication.respond(line)
            return self._perform("", answer, self._scripted(line, _RESPONSE), label=_RESPONSE)
        if line.split(" ", 1)[0].upper() == "AUTH":
            answer = self._authentication.begin(line)
        else:
            answer = commands.answer_to(self._state, line)
        return self._perform(line, answer, self._scripted(line, self.log.masked(line)))

    def _scripted(self, line: str, shown: str) -> Reply | None:
        """What the script answers to a line, if there is a script and it has the line here."""
        if self._conversation is None:
            return None
        heard = self._conversation.hear(line)
        if isinstance(heard, Miss):
            self._missed(shown, heard, secret=shown != line)
            return None
        return heard

    # What the answer becomes

    def _perform(
        self, line: str, answer: Answer, scripted: Reply | None, *, label: str = ""
    ) -> list[Action]:
        """Say an answer, and let the command take effect.

        Args:
            line: The client's line.
            answer: What the RFC-correct server answers.
            scripted: What the script answers, if it has the line.
            label: What it is, if it is no command line: the greeting, a SASL response.
        """
        asked = scripted is None and label in ("", _GREETING)
        changes = self._changes(line, answer, label) if asked else NO_CHANGES
        reply = scripted or changes.reply
        state, tls = self._state.state, self._state.tls
        applied = self._apply(answer, changes, reply)
        composer = Composer(changes.dribble, changes.cut)
        composer.wait(changes.delay or 0.0)
        said = self._say(composer, line, answer, changes, reply)
        self._finish(composer, answer, changes, starts_tls=applied and answer.starts_tls)
        self._over = composer.over
        actions = composer.actions()
        source = self._source(changes, scripted)
        self.log.exchange(line, said, source, tls=tls, state=state.value, label=label)
        self.log.removed = self._state.removed
        self.log.said(actions, source, tls=tls)
        # RFC 1939, section 7: PASS must follow directly upon a successful USER.
        if self._state.state is State.AUTHORIZATION and line[:5].upper() != "USER ":
            self._state.user = ""
        return actions

    def _changes(self, line: str, answer: Answer, label: str) -> Changes:
        # A client that says GREETING is not greeted.
        pretends = not label and line.split(" ", 1)[0].upper() == _GREETING
        changes = self._rulebook.consult(self._occasion(f"?{line}" if pretends else line))
        # A rule that only changes how an answer looks does not make the command a right one.
        if answer.unexpected and changes.reply is None and self._conversation is None:
            self._unexpected(line, answer.unexpected)
        return changes

    def _source(self, changes: Changes, scripted: Reply | None) -> str:
        if scripted is not None:
            return f"{self._scenario.name}:script"
        return str(changes.sources[0]) if changes.sources else "default"

    def _apply(self, answer: Answer, changes: Changes, reply: Reply | None) -> bool:
        """Let the command take effect, if it does; says whether."""
        if reply is not None and reply.by_default:
            reply = None  # what follows the right answer does not change what it did
        applied = answer.ok if reply is None else reply.positive
        if changes.effect is not None:
            applied = changes.effect == "apply"
        if applied and answer.commit is not None:
            answer.commit()
        elif answer.ends and self._state.state is State.TRANSACTION:
            self._state.leave()  # the maildrop is free again, with all that was in it
        if reply is not None and not reply.challenges and changes.effect != "apply":
            self._authentication.abandon()
        return applied

    def _say(
        self,
        composer: Composer,
        line: str,
        answer: Answer,
        changes: Changes,
        reply: Reply | None,
    ) -> str:
        """Compose the answer; gives its first line."""
        if reply is not None:
            self._speak(reply, composer, line, answer, changes)
            return reply.source.split("\n", 1)[0]
        if any(own is not None and own.holes for own in (changes.text, changes.error)):
            answer.values = self._values(line, answer, changes)
        composer.send(*render(answer, changes, self._codes))
        return status_line(answer, changes, self._codes)

    def _finish(
        self, composer: Composer, answer: Answer, changes: Changes, *, starts_tls: bool
    ) -> None:
        if changes.then is not None:
            composer.end(changes.then)
        elif changes.cut is not None:
            composer.end("close")
        elif starts_tls:
            composer.start_tls()
        elif answer.ends:
            composer.end("close")

    def _speak(
        self, reply: Reply, composer: Composer, line: str, answer: Answer, changes: Changes
    ) -> None:
        values = self._values(line, answer, changes)

        def value_of(hole: Hole) -> str:
            value = values.get(hole.name)
            if value is None:
                value = values[hole.name] = hole.example or ""
            if self._conversation is not None:
                self._conversation.bindings.setdefault(hole.name, value)
            return value

        def finish(template: Template, text: str) -> str:
            rest = values.get("text", "")
            agrees = text == ("+OK" if answer.ok else "-ERR")
            return f"{text} {rest}" if template.open_ended and agrees and rest else text

        speak(
            reply,
            composer,
            value_of=value_of,
            default=lambda: render(answer, changes, self._codes),
            message=lambda item: self._message_data(item, values),
            finish=finish,
            eol=b"\n" if changes.eol == "lf" else b"\r\n",
        )

    def _values(self, line: str, answer: Answer, changes: Changes) -> dict[str, str]:
        """What holes may hold: bindings first, then what the answer and the session know."""
        count, octets = self._state.totals()
        words = line.split(" ")
        known = {
            "count": str(count),
            "octets": str(octets),
            "last": str(self._state.last),
            "user": self._state.user,
            "stamp": self._state.stamp,
            "host": "127.0.0.1",
            "argument": " ".join(words[1:]),
            "text": status_line(answer, NO_CHANGES, self._codes).partition(" ")[2],
        }
        if len(words) > 1 and words[1].isascii() and words[1].isdigit():
            known["n"] = known["number"] = words[1]
            number = int(words[1][:18])
            if 0 < number <= len(self._state.view):
                known["octets"] = str(self._state.view[number - 1].octets)
                known["uid"] = self._state.view[number - 1].uid
        if not self._state.user:
            known.pop("user")
        bound = self._conversation.bindings if self._conversation else {}
        return {**known, **answer.values, **changes.bindings, **bound}

    def _message_data(self, item: MessageData, values: dict[str, str]) -> bytes:
        number = item.number if isinstance(item.number, int) else int(values.get(item.number, "1"))
        view = self._state.view or self._state.maildrops[next(iter(self._state.users))].messages
        if not 0 < number <= len(view):
            return b""
        data = stuff(view[number - 1].data)
        if item.first is None:
            return data
        return data[: len(data) * item.first // 100 if item.percent else item.first]

    # What a client should not have done

    def _occasion(self, line: str) -> Occasion:
        state = self._state
        return Occasion(line, state.state.value, state.tls, state.user, self.log.number)

    def _unexpected(self, line: str, why: str) -> None:
        if any(selects(pattern, line) for pattern in self._scenario.expect.allow):
            return
        shown = self.log.masked(line)
        nearest = self._rulebook.nearest(shown)
        text = f"{why}; nearest rule {nearest[0]}: {nearest[1]}" if nearest else why
        self.log.fault(Fault(f"unexpected {shown or 'empty line'}", text, ""))

    def _missed(self, shown: str, miss: Miss, *, secret: bool) -> None:
        if miss.step is None or miss.step.expect is None:
            self.log.fault(Fault(f"unexpected {shown}", miss.difference, ""))
            return
        why = miss.difference
        if secret:
            assert self._conversation is not None
            known = {k: v for k, v in self._conversation.bindings.items() if k != "password"}
            why = difference(miss.step.expect, shown, known) or "its secret is another one"
        self.log.fault(
            Fault(
                f"unexpected {shown}",
                f"expected C: {miss.step.expect.source}; {why}",
                self._script_place(miss.step.row),
            )
        )

    def _script_place(self, row: int) -> str:
        return f"{self._scenario.shown}:{self._scenario.script_line + row}"
