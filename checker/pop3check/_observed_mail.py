"""The mail of a server as far as a client has seen it: sizes, unique-ids, messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._recording import Exchange

_ENTRY = re.compile(rb"([0-9]{1,9}) +([\x21-\x7e]+)")
_ONE = re.compile(rb"\+OK +([0-9]{1,9}) +([\x21-\x7e]+)")
_STAT = re.compile(rb"\+OK +([0-9]{1,9}) +([0-9]{1,15})")

#: Security limit: a server can claim to have any number of messages.
MOST = 10_000

#: Octets that a generated message has at least: its header belongs to it.
_GENERATED = 160

#: A message with a header alone, in pieces: what it takes besides the subject.
_SUBJECT, _END = "Subject: ", "\n\n"
_FRAME = len(_SUBJECT) + 2 * len(_END)  # each end of line has two octets


@dataclass(slots=True)
class Message:
    """A message of the maildrop.

    Attributes:
        size: Octets by LIST; None if nobody asked.
        uid: Its unique-id; empty if nobody asked.
        octets: Its octets without stuffing; None if nobody fetched it.
    """

    size: int | None = None
    uid: str = ""
    octets: bytes | None = None

    def made_up(self) -> dict[str, str]:
        """An entry of a scenario's maildrop in place of a message that nobody fetched.

        Its size is that of LIST, to the octet.
        """
        size = _GENERATED if self.size is None else self.size
        if size >= _GENERATED:
            return {"octets": str(size)}
        if size < _FRAME:
            # There is no room for a header. No message has one octet: its line ends in two.
            return {"raw": "x" * (size - 2) + "\n" * min(size, 1)}
        return {"raw": f"{_SUBJECT}{'x' * (size - _FRAME)}{_END}"}


@dataclass(slots=True)
class Maildrop:
    """What a user has.

    Attributes:
        messages: All messages that were ever there, in order.
    """

    messages: list[Message] = field(default_factory=list)
    _gone: set[int] = field(default_factory=set)

    def session(self) -> View:
        """What a session that begins now sees."""
        there = [n for n in range(len(self.messages)) if n not in self._gone]
        return View(self, there)

    def remove(self, places: set[int]) -> None:
        """Messages are gone, for all sessions to come."""
        self._gone |= places

    def restore(self) -> None:
        """All of it is there again, as at the beginning."""
        self._gone.clear()


@dataclass(slots=True)
class View:
    """The maildrop as one session numbers it.

    Attributes:
        drop: The maildrop.
        places: Where the messages 1, 2, … stand in it.
    """

    drop: Maildrop
    places: list[int]
    _marked: set[int] = field(default_factory=set)

    def message(self, number: int) -> Message | None:
        """The message of a number, which becomes known by it; None if there cannot be one."""
        if not 0 < number <= MOST:
            return None
        while len(self.places) < number:
            # Who names a number that nobody has named before tells of a message.
            self.places.append(len(self.drop.messages))
            self.drop.messages.append(Message())
        return self.drop.messages[self.places[number - 1]]

    def learn(self, exchange: Exchange) -> None:
        """Take from an exchange what it tells about mail."""
        if not exchange.accepted:
            return
        match exchange.command:
            case "STAT":
                found = _STAT.match(exchange.status)
                if found and int(found[1]):
                    self.message(int(found[1]) + len(self._marked))
            case "LIST" | "UIDL":
                lines = [_ENTRY.match(line) for line in exchange.data.split(b"\r\n")]
                for entry in (*lines, _ONE.match(exchange.status) if not exchange.data else None):
                    self._entry(exchange.command, entry)
            case "RSET":
                self._marked.clear()
            case "QUIT":
                self.drop.remove({self.places[n - 1] for n in self._marked})
            case _:
                self._single(exchange)

    def _single(self, exchange: Exchange) -> None:
        """What RETR and DELE tell of the one message that they name."""
        words = exchange.line.split()
        number = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        if exchange.command not in ("RETR", "DELE") or (message := self.message(number)) is None:
            return
        if exchange.command == "DELE":
            self._marked.add(number)
        elif message.octets is None:
            message.octets = unstuffed(exchange.data)

    def _entry(self, command: str, entry: re.Match[bytes] | None) -> None:
        message = self.message(int(entry[1])) if entry else None
        if entry is None or message is None:
            return
        if command == "UIDL":
            message.uid = entry[2].decode("ascii")
        elif entry[2].isdigit():
            message.size = int(entry[2])


def unstuffed(data: bytes) -> bytes | None:
    """A message of the lines by which it came, or None if they are not as RFC 1939 wants them.

    Args:
        data: The lines, terminator included.
    """
    body = data.removesuffix(b".\r\n")
    if body and not body.endswith(b"\r\n"):
        return None
    lines = body.split(b"\r\n")
    if any(line == b"." or re.match(rb"\.[^.]", line) for line in lines):
        return None  # not stuffed
    if any(b"\n" in line or b"\r" in line for line in lines):
        return None
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
