"""How a session words its answers: holes filled with all that it knows, codes that it may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._answer import Answer, render, status_line
from ._changes import NO_CHANGES
from ._composer import speak
from ._message import Text
from ._wire import stuff

if TYPE_CHECKING:
    from pop3scenarios import Hole, MessageData, Reply, Template

    from ._authentication import Authentication
    from ._changes import Changes
    from ._composer import Composer
    from ._message import StoredMessage
    from ._role import Role
    from ._state import SessionState

#: Response codes, and the capability that allows each of them.
_CODES = {
    "AUTH": "AUTH-RESP-CODE",
    "IN-USE": "RESP-CODES",
    "LOGIN-DELAY": "RESP-CODES",
    "UTF8": "UTF8",
}


class Wording:
    """Composes answers.

    Args:
        state: What the session knows.
        authentication: Its SASL exchange.
        role: Its part in a script.
    """

    __slots__ = ("_authentication", "_codes", "_role", "_state")

    def __init__(self, state: SessionState, authentication: Authentication, role: Role) -> None:
        self._state = state
        self._authentication = authentication
        self._role = role
        self._codes = _codes(state.capabilities)

    def follow(self) -> None:
        """Other capabilities are there from here on, and with them other response codes."""
        self._codes = _codes(self._state.capabilities)

    def say(
        self,
        composer: Composer,
        line: str,
        answer: Answer,
        changes: Changes,
        reply: Reply | None,
    ) -> None:
        """Compose an answer.

        Args:
            composer: Where it goes.
            line: The client's line.
            answer: What the RFC-correct server answers.
            changes: What rules change in that.
            reply: What is said in its place; None if it is said itself.
        """
        if reply is not None:
            self._speak(reply, composer, line, answer, changes)
            return
        if answer.silent:
            return
        if changes is not NO_CHANGES:
            own = (changes.text, changes.error, changes.entry)
            if any(each is not None and each.holes for each in own):
                answer.values = self._values(line, answer, changes)
        composer.send(*render(answer, changes, self._codes))

    def _speak(
        self, reply: Reply, composer: Composer, line: str, answer: Answer, changes: Changes
    ) -> None:
        values = self._values(line, answer, changes)

        def value_of(hole: Hole) -> str:
            value = values.get(hole.name)
            if value is None:
                value = values[hole.name] = hole.example or ""
            self._role.bind(hole.name, value)
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
            message=lambda item: self._message_data(item, values, changes.eol),
            finish=finish,
            eol=b"\n" if changes.eol == "lf" else b"\r\n",
        )

    def _values(self, line: str, answer: Answer, changes: Changes) -> dict[str, str]:
        """What holes may hold: bindings first, then what the answer and the session know."""
        count, octets = self._state.totals()
        words = line.split(" ")
        shown = answer if not answer.silent else Answer(True)
        known = {
            "count": str(count),
            "marked": str(len(self._state.deleted)),
            "octets": str(octets),
            "last": str(self._state.last),
            "user": self._state.user,
            "stamp": self._state.stamp,
            "host": "127.0.0.1",
            "command": words[0],
            "line": line,
            "argument": " ".join(words[1:]),
            "mechanism": self._authentication.mechanism,
            "text": status_line(shown, NO_CHANGES, self._codes).partition(" ")[2],
        }
        if len(words) > 1 and words[1].isascii() and words[1].isdigit():
            known["n"] = known["number"] = words[1]
            message = self._state.numbered(words[1]) if self._state.view else None
            if message is not None:
                known |= _of_message(message, changes)
        if not self._state.user:
            known.pop("user")
        return {**known, **answer.values, **changes.bindings, **self._role.bindings}

    def _message_data(self, item: MessageData, values: dict[str, str], eol: str | None) -> bytes:
        wanted = values.get(item.number, "1") if isinstance(item.number, str) else str(item.number)
        message = self._state.numbered(wanted)
        if message is None:
            return b""
        by_lf = eol == "lf-lines" and item.part == "whole"
        data = stuff(Text(message).by_lf() if by_lf else _part(message, item))
        if item.first is None:
            return data
        return data[: len(data) * item.first // 100 if item.percent else item.first]


def _codes(capabilities: tuple[str, ...]) -> frozenset[str]:
    """The response codes that the capabilities allow."""
    there = {line.split(" ")[0] for line in capabilities}
    return frozenset(code for code, capability in _CODES.items() if capability in there)


def _of_message(message: StoredMessage, changes: Changes) -> dict[str, str]:
    """What holes may hold of a message: its size as it is announced, and its unique-id."""
    octets = str(message.octets)
    if changes.octets is not None:
        octets = changes.octets.of(message.octets, message.counted)
    return {"octets": octets, "uid": message.uid}


def _part(message: StoredMessage, item: MessageData) -> bytes:
    """The octets of a message that ``<message …>`` means, not yet stuffed."""
    match item.part:
        case "header":
            return message.head.removesuffix(b"\r\n") if message.head_end > 0 else message.data
        case "body":
            return message.data[message.head_end :] if message.head_end > 0 else b""
        case "top":
            return Text(message, item.lines).data
        case _:
            return message.data
