"""A POP3 server without a socket, that can be wrong in one way at a time; and sessions on it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from pop3check import Limits, Target
from pop3check._dialogue import Dialogue
from pop3check._facts import Facts
from pop3check._load_maildrop import Maildrop
from pop3check._load_rules import Broken
from pop3check._load_session import Session
from pop3check._load_tally import Tally
from pop3check._wants import AskTime, Drop, Lost, Pause, Receive, Send
from pop3check._wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3check._wants import Want, Wants

#: In which ways the server can be wrong, and the rules of which one says so.
FLAWS: dict[str, set[str]] = {
    "live": {"view", "dense"},
    "renumbers": {"marks", "view"},
    "changes-uids": {"kept"},
    "forgets-quit": {"gone"},
    "shares-marks": {"dense", "view", "kept", "marks"},
    "drop-deletes": {"kept"},
    "reset-forgotten": {"reset"},
    "keeps-lock": {"release"},
    "same-uids": {"unique"},
    "mixes-octets": {"content"},
    "counts-marked": {"marks"},
    "reaches-marked": {"marks"},
    "bad-stat": {"reply"},
}

#: Flaws that only show where there is no lock.
UNLOCKED = {"live", "shares-marks"}


@dataclass
class Server:
    """The maildrop, and the way in which the server is wrong.

    Attributes:
        flaw: One of ``FLAWS``; empty for none.
        lock: Whether one session at a time is let in.
        messages: Octets by unique-id.
    """

    flaw: str = ""
    lock: bool = True
    messages: dict[str, bytes] = field(default_factory=dict)
    holders: set[int] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    gone: dict[str, bytes] = field(default_factory=dict)
    logins: int = 0


class Connection:
    """The server's side of one connection: a line in, octets out."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._view: list[str] = []
        self._marked: set[str] = set()
        self.inside = False
        self.closed = False

    def answer(self, line: str) -> bytes:
        """What the server sends for a line."""
        command, _, argument = line.partition(" ")
        number = int(argument.split(" ")[0]) if re.match(r"[0-9]", argument) else None
        handler: Callable[[int | None], bytes] = getattr(self, f"_{command.lower()}")
        return handler(number)

    def end(self) -> None:
        """The connection has been lost."""
        if not self.closed:
            self.closed = True
            if self._server.flaw == "drop-deletes":
                self._remove()
            self._unlock()

    def _user(self, _: int | None) -> bytes:
        return b"+OK\r\n"

    def _pass(self, _: int | None) -> bytes:
        server = self._server
        if server.lock and server.holders:
            return b"-ERR [IN-USE] somebody is in\r\n"
        server.holders.add(id(self))
        server.logins += 1
        self.inside = True
        self._view = list(server.messages)
        return b"+OK\r\n"

    def _listed(self) -> list[tuple[int, str]]:
        """Numbers and unique-ids of what is not marked."""
        server = self._server
        view = list(server.messages) if server.flaw == "live" else self._view
        hidden = self._marked | (server.marks if server.flaw == "shares-marks" else set())
        listed = [(number, uid) for number, uid in enumerate(view, 1) if uid not in hidden]
        if server.flaw == "renumbers":
            return [(place, uid) for place, (_, uid) in enumerate(listed, 1)]
        return listed

    def _octets(self, uid: str) -> bytes:
        server = self._server
        octets = {**server.gone, **server.messages}[uid]
        mixed = server.flaw == "mixes-octets" and server.logins % 2
        return octets.replace(b"text", b"TEXT") if mixed else octets

    def _name(self, uid: str) -> str:
        if self._server.flaw == "changes-uids":
            return f"{uid}-{self._server.logins}"
        return "same" if self._server.flaw == "same-uids" else uid

    def _noop(self, _: int | None) -> bytes:
        return b"+OK\r\n"

    def _stat(self, _: int | None) -> bytes:
        if self._server.flaw == "bad-stat":
            return b"+OK many\r\n"
        listed = [uid for _, uid in self._listed()]
        if self._server.flaw == "counts-marked":
            listed = self._view
        return b"+OK %d %d\r\n" % (len(listed), sum(len(self._octets(uid)) for uid in listed))

    def _list(self, number: int | None) -> bytes:
        return self._about(number, lambda uid: str(len(self._octets(uid))))

    def _uidl(self, number: int | None) -> bytes:
        return self._about(number, self._name)

    def _about(self, number: int | None, value: Callable[[str], str]) -> bytes:
        lines = [f"{each} {value(uid)}\r\n" for each, uid in self._listed()]
        if number is None:
            return f"+OK\r\n{''.join(lines)}.\r\n".encode()
        found = [line for line in lines if line.startswith(f"{number} ")]
        return f"+OK {found[0]}".encode() if found else b"-ERR no such message\r\n"

    def _retr(self, number: int | None) -> bytes:
        listed = dict(self._listed())
        if self._server.flaw == "reaches-marked":
            listed = dict(enumerate(self._view, 1))
        if number not in listed:
            return b"-ERR no such message\r\n"
        if listed[number] not in self._server.messages:
            return b"-ERR another session has deleted it\r\n"  # without a lock, which is legal
        return b"+OK\r\n" + self._octets(listed[number]) + b".\r\n"

    def _top(self, number: int | None) -> bytes:
        return self._retr(number)

    def _dele(self, number: int | None) -> bytes:
        listed = dict(self._listed())
        if number not in listed:
            return b"-ERR no such message\r\n"
        self._marked.add(listed[number])
        self._server.marks.add(listed[number])
        return b"+OK\r\n"

    def _rset(self, _: int | None) -> bytes:
        if self._server.flaw != "reset-forgotten":
            self._server.marks -= self._marked
            self._marked.clear()
        return b"+OK\r\n"

    def _quit(self, _: int | None) -> bytes:
        if self.inside and self._server.flaw != "forgets-quit":
            self._remove()
        if self._server.flaw != "keeps-lock":
            self._unlock()
        self.closed = True
        return b"+OK\r\n"

    def _remove(self) -> None:
        for uid in self._marked:
            octets = self._server.messages.pop(uid, None)
            if octets is not None:
                self._server.gone[uid] = octets

    def _unlock(self) -> None:
        self._server.marks -= self._marked
        self._server.holders.discard(id(self))


class Player:
    """One session, played want by want, so that any other can come between two of them."""

    def __init__(self, wants: Wants[bool], server: Server) -> None:
        self._wants = wants
        self._connection = Connection(server)
        self._pending = deque([b"+OK ready\r\n"])
        self._now = 0.0
        self._want: Want | None = None
        self.paused = 0.0
        self.broken: Broken | None = None
        self.over = False
        self._go(lambda: next(wants))

    def step(self) -> None:
        """Do what is wanted next."""
        assert self._want is not None
        try:
            data = self._fulfil(self._want)
        except Lost as error:
            lost = error
            self._go(lambda: self._wants.throw(lost))
        else:
            self._go(lambda: self._wants.send(data))

    def _go(self, resume: Callable[[], Want]) -> None:
        try:
            self._want = resume()
        except StopIteration:
            self.over = True
        except Broken as error:
            self.over, self.broken = True, error
            self._connection.end()

    def _fulfil(self, want: Want) -> bytes:
        match want:
            case AskTime():
                self._now += 0.001
                return str(self._now).encode()
            case Send(data):
                self._pending.append(self._connection.answer(data.decode().rstrip("\r\n")))
            case Receive():
                return self._pending.popleft() if self._pending else b""
            case Drop():
                self._connection.end()
            case Pause(seconds):
                self.paused += seconds
            case _:
                raise AssertionError(want)
        return b""


class World:
    """A server, what is known of its maildrop, and sessions that may all be open at once.

    Args:
        server: The server.
        seed: Makes the choices of the sessions.
        maildrop: What is known of the maildrop.
    """

    def __init__(self, server: Server, seed: int, maildrop: Maildrop | None = None) -> None:
        own = frozenset(server.messages)
        self.server = server
        self.maildrop = maildrop or Maildrop(own=own, settle=0.0005)
        self.tally = Tally()
        self.players: list[Player] = []
        self._seed = seed
        self._made = 0

    def open(self) -> None:
        """Begin a session."""
        target = Target(host="127.0.0.1", user="alice", password="pass-word")
        session = Session(
            target,
            Facts(uidl=True, top=True),
            Limits(mode="destructive"),
            self.maildrop,
            Dialogue(target, WireLog()),
            Random(f"{self._seed}:{self._made}"),
            self.tally,
        )
        self._made += 1
        self.players.append(Player(session.play(), self.server))

    def step(self, which: int) -> Broken | None:
        """Let one of the open sessions do what it wants next; gives the rule that was broken."""
        player = self.players[which % len(self.players)]
        if not player.over:
            player.step()
        if player.over:
            self.players.remove(player)
        return player.broken


def mail(count: int) -> dict[str, bytes]:
    """Messages by unique-id."""
    return {f"m{n}": b"Subject: %d\r\n\r\n%s\r\n" % (n, b"text " * n) for n in range(1, count + 1)}
