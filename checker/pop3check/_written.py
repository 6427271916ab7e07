"""A recording as an exact conversation: the text of a scenario, and the files beside it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pop3scenarios.tools import to_yaml

from ._observed_mail import Maildrop, View, unstuffed
from ._recording import GREETING, RESPONSE, Exchange, Recording, Unrecordable
from ._redaction import Redaction
from ._script_text import Holes, escaped, octets_line, server_lines, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The password of users in files; it opens nothing.
PLACEHOLDER = "secret"

_ENTRY = re.compile(r"([0-9]{1,9}) ([\x21-\x7e]+)")
_PAIR = re.compile(r"(\+OK) ([0-9]{1,15}) ([\x21-\x7e]+)(.*)")
#: Commands of which what proves something is replaced; the user's name is looked at by itself.
_PROVES = frozenset({"USER", "PASS", "APOP", "AUTH", RESPONSE})
_ABOUT_MESSAGES = frozenset({"LIST", "UIDL", "RETR", "TOP", "DELE"})


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be on the disk.

    Attributes:
        text: The scenario file.
        files: Files beside it, by their names relative to it.
    """

    text: str
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Party:
    """What is known of the client on one connection."""

    user: str = ""
    mechanism: str = ""
    logged_in: bool = False
    view: View | None = None


class RecordedConversation:
    """Writes a recording down as a conversation.

    Args:
        recording: What went through.
        name: The name of the scenario.
        source: Where the server was, for people.

    Raises:
        Unrecordable: It does not make a conversation that can be played again.
        Unredacted: A secret stands in what would be written.
    """

    def __init__(self, recording: Recording, name: str, source: str) -> None:
        self._name, self._source = name, source
        self._recording = recording
        self._exchanges = recording.exchanges()
        if not self._exchanges:
            raise Unrecordable("nothing was said on any connection")
        self._redaction = secrets_of(self._exchanges)
        self._holes = Holes()
        self._parties = [_Party() for _ in recording.connections]
        self._drops: dict[str, Maildrop] = {}
        self._passwords: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
        self._many = len(recording.connections) > 1
        self._capabilities: dict[str, None] = {}

    def written(self) -> Written:
        """The scenario, and the messages beside it.

        Raises:
            Unrecordable: See the class.
            Unredacted: See the class.
        """
        self._survey()
        self._guard()
        lines = [line for exchange in self._exchanges for line in self._lines(exchange)]
        lines += self._departures()
        data: dict[str, object] = {
            "pop3": "1",
            "name": self._name,
            "summary": f"a recorded conversation with {self._source}",
            "why": "Recorded between a client and a server. The secret here is a placeholder.",
            "server": self._server(),
            "tls": {"mode": self._mode()},
            **self._mail(),
            "script": "\n".join(lines) + "\n",
        }
        text = to_yaml(data)  # type: ignore[arg-type]  # plain data all through
        return Written(text, self._files)

    def first_user(self) -> tuple[str, Maildrop]:
        """Who logged in first, and that user's mail as far as it was seen; nobody has none."""
        return next(iter(self._drops.items()), ("", Maildrop()))

    # What is known before a line is written

    def _survey(self) -> None:
        """Learn of the mail from all exchanges: a file states it as it is at the beginning."""
        for exchange in self._exchanges:
            party = self._parties[exchange.connection]
            self._track(exchange, party)
            if party.view is not None:
                party.view.learn(exchange)
            if exchange.command == "CAPA" and exchange.accepted:
                found = map(text_of, exchange.data.split(b"\r\n")[:-2])
                self._capabilities.update(dict.fromkeys(line for line in found if line))
        self._parties = [_Party() for _ in self._parties]
        for drop in self._drops.values():
            drop.restore()

    def _guard(self) -> None:
        """See that no secret stands in what is written as it came.

        What stands there in place of a secret is known; only the rest is looked through.
        """
        for exchange in self._exchanges:
            where = f"the answer to {exchange.command} (line {exchange.order})"
            for octets in (exchange.status, exchange.data, unstuffed(exchange.data) or b""):
                self._redaction.guard(octets, where)
            if exchange.command not in _PROVES:
                self._redaction.guard(exchange.line, f"a {exchange.command} of the client")
        for user in self._drops:
            self._redaction.guard(user.encode(), "the name of the user")

    def _track(self, exchange: Exchange, party: _Party) -> None:
        """Follow who logs in on a connection."""
        words = exchange.line.split(b" ")
        if exchange.command == "USER" and len(words) > 1:
            party.user = _text(exchange.line[5:])
        if exchange.command == "APOP" and len(words) > 1:
            party.user = _text(words[1])
        if exchange.command == "AUTH" and len(words) > 1:
            party.mechanism = _text(words[1]).upper()
            if party.mechanism.startswith("SCRAM"):
                raise Unrecordable(
                    f"{party.mechanism} is different each time, and no recorded answer of the"
                    " server satisfies a client: let the client log in by another way"
                )
        if exchange.command in ("AUTH", RESPONSE):
            party.user = _named(words[-1]) or party.user
        logins = ("PASS", "APOP", "AUTH", RESPONSE)
        if exchange.command in logins and exchange.accepted and not party.logged_in:
            party.logged_in = exchange.command != "AUTH" or len(words) > 1
            if party.logged_in:
                drop = self._drops.setdefault(party.user or "user", Maildrop())
                party.view = drop.session()

    # The parts of the file

    def _server(self) -> dict[str, object]:
        users = dict.fromkeys(list(self._drops) or ["alice"], PLACEHOLDER)
        made: dict[str, object] = {"users": users}
        if self._capabilities:
            made["capabilities"] = list(self._capabilities)
        if self._many:
            # Whom the script lets in while another is there is let in.
            made["lock"] = "none"
        return made

    def _mode(self) -> str:
        if any(connection.implicit for connection in self._recording.connections):
            return "implicit"
        offered = "STLS" in self._capabilities
        return "stls" if offered or any(e.starts_tls for e in self._exchanges) else "none"

    def _mail(self) -> dict[str, object]:
        drops = {user: self._items(drop, user) for user, drop in self._drops.items()}
        if len(drops) < 2:
            return {"maildrop": next(iter(drops.values()), [])}
        return {"maildrop": [], "maildrops": drops}

    def _items(self, drop: Maildrop, user: str) -> list[dict[str, str]]:
        items = []
        for number, message in enumerate(drop.messages, 1):
            item: dict[str, str] = {}
            if message.octets is None:
                item |= message.made_up()
            else:
                who = f"{user}-" if len(self._drops) > 1 else ""
                path = f"{self._name}.mail/{_safe(who)}{number}.eml"
                self._files[path] = self._redaction.guard(message.octets, f"message {number}")
                item["file"] = path
            if message.uid:
                item["uid"] = message.uid
            items.append(item)
        return items

    # The script

    def _lines(self, exchange: Exchange) -> Iterator[str]:
        name = self._prefix(exchange.connection)
        party = self._parties[exchange.connection]
        self._track(exchange, party)
        if exchange.command != GREETING:
            yield f"{name}C: {self._client(exchange, party)}"
        for line in self._answer(exchange, party):
            yield name + line
        if exchange.starts_tls:
            yield f"{name}<starttls>"
        if party.view is not None:
            party.view.learn(exchange)
        if self._is_last(exchange) and self._closes(exchange):
            yield f"{name}<close>"

    def _departures(self) -> Iterator[str]:
        """Who goes away without QUIT does so at the end of what it said."""
        for connection in self._recording.connections:
            own = [e for e in self._exchanges if e.connection == connection.number]
            if own and own[-1].command != "QUIT" and connection.ended_by != "server":
                yield f"{self._prefix(connection.number)}C: <close>"

    def _prefix(self, connection: int) -> str:
        return f"[{_letters(connection)}] " if self._many else ""

    def _is_last(self, exchange: Exchange) -> bool:
        own = [e for e in self._exchanges if e.connection == exchange.connection]
        return own[-1] is exchange

    def _closes(self, exchange: Exchange) -> bool:
        """Whether the server ended the connection, where it is not bound to."""
        connection = self._recording.connections[exchange.connection]
        return connection.ended_by == "server" and exchange.command != "QUIT"

    def _client(self, exchange: Exchange, party: _Party) -> str:
        """The client's line, with holes for what is proved and for numbers that were told."""
        words = exchange.line.split(b" ")
        match exchange.command:
            case "USER" if len(words) > 1:
                return f"{_text(words[0])} {self._user(_text(exchange.line[5:]))}"
            case "PASS":
                return f"{_text(words[0])} {self._password(party, accepted=exchange.accepted)}"
            case "APOP" if len(words) > 2:
                # Reckoned of the greeting's timestamp: another each time.
                digest = f"{{digest{self._suffix(exchange)}}}"
                return f"{_text(words[0])} {self._user(_text(words[1]))} {digest}"
            case "AUTH" if len(words) > 2:
                proof = self._proof(exchange, party, words[2])
                return f"{_text(words[0])} {_text(words[1])} {proof}"
            case command if command == RESPONSE:
                return self._proof(exchange, party, exchange.line)
        text = text_of(exchange.line)
        if text is None:
            raise Unrecordable(f"the client's line {exchange.line[:60]!r} is no text")
        if exchange.command in _ABOUT_MESSAGES and len(words) > 1:
            return self._numbered(text, party)
        return escaped(text)

    def _numbered(self, text: str, party: _Party) -> str:
        keyword, number, *rest = text.split(" ")
        if self._holes.knows(f"n{number}", number) and party.view is not None:
            number = self._holes.hole(f"n{number}", "int", number)
        else:
            number = escaped(number)
        return escaped(keyword) + "".join(f" {word}" for word in (number, *map(escaped, rest)))

    def _user(self, user: str) -> str:
        first = next(iter(self._drops), user)
        return "{user}" if user == first else escaped(user)

    def _password(self, party: _Party, *, accepted: bool) -> str:
        if not accepted:
            return "{wrong:text=not the password}"
        first = next(iter(self._drops), party.user)
        if party.user == first:
            return "{password}"
        name = self._passwords.setdefault(party.user, f"password_{len(self._passwords) + 2}")
        return f"{{{name}:text={PLACEHOLDER}}}"

    def _proof(self, exchange: Exchange, party: _Party, response: bytes) -> str:
        if response in (b"=", b"*", b""):
            return response.decode()
        first = next(iter(self._drops), party.user)
        user = _named(response) or party.user or first
        if party.mechanism == "PLAIN":
            made = base64.b64encode(f"\0{user}\0{PLACEHOLDER}".encode()).decode()
            name = "plain" if user == first and exchange.accepted else "other_plain"
            return f"{{{name}:base64={made}}}"
        return f"{{response_{exchange.order}:base64={base64.b64encode(b'response').decode()}}}"

    def _suffix(self, exchange: Exchange) -> str:
        return f"_{exchange.connection + 1}" if exchange.connection else ""

    # What the server says

    def _answer(self, exchange: Exchange, party: _Party) -> Iterator[str]:
        status = text_of(exchange.status[:-2]) if exchange.status.endswith(b"\r\n") else None
        if status is None:
            if exchange.status:
                yield octets_line(exchange.status)
        else:
            yield f"S: {self._status(exchange, status)}"
        yield from self._data(exchange, party)

    def _status(self, exchange: Exchange, text: str) -> str:
        if exchange.command == GREETING:
            return self._holes.stamped(text, f"stamp{self._suffix(exchange)}")
        if not exchange.accepted:
            return escaped(text)
        words = exchange.line.split()
        pair = _PAIR.fullmatch(text)
        if exchange.command == "STAT" and pair and pair[3].isdigit():
            count = self._holes.hole("messages", "int", pair[2])
            total = self._holes.hole("total", "int", pair[3])
            return f"{pair[1]} {count} {total}{escaped(pair[4])}"
        if exchange.command in ("LIST", "UIDL") and len(words) == 2 and pair:
            return f"{pair[1]} {self._entry(exchange, pair[2], pair[3])}{escaped(pair[4])}"
        if exchange.command == "RETR" and len(words) == 2:
            return self._holes.numbers(text, f"size{_text(words[1])}")
        if exchange.command == "LIST":
            return self._holes.numbers(text, "messages", "total")
        return escaped(text)

    def _entry(self, exchange: Exchange, number: str, value: str) -> str:
        uid = exchange.command == "UIDL"
        if not uid and not value.isdigit():
            return f"{number} {escaped(value)}"
        shown = self._holes.hole(f"n{number}", "int", number)
        what, kind = (f"uid{number}", "uid") if uid else (f"size{number}", "int")
        return f"{shown} {self._holes.hole(what, kind, value)}"

    def _data(self, exchange: Exchange, party: _Party) -> Iterator[str]:
        if not exchange.data:
            return
        message = self._message(exchange, party)
        if message:
            yield message
            yield "S: ."
            return
        for line in server_lines(exchange.data):
            entry = _ENTRY.fullmatch(line[3:])
            if exchange.command in ("LIST", "UIDL") and line.startswith("S: ") and entry:
                yield f"S: {self._entry(exchange, entry[1], entry[2])}"
            else:
                yield line

    def _message(self, exchange: Exchange, party: _Party) -> str:
        """The action that sends what was sent, if it is a message of the maildrop."""
        words = exchange.line.split()
        if party.view is None or len(words) < 2 or not words[1].isdigit():
            return ""
        number = int(words[1])
        message = party.view.message(number)
        # Once others before it are gone its number is another than in the file's maildrop.
        stands = exchange.command == "RETR" and party.view.places[number - 1 : number] == [
            number - 1
        ]
        came = unstuffed(exchange.data)
        if message is None or came is None or came != message.octets or not stands:
            return ""
        return f"<message {number}>"


def secrets_of(exchanges: list[Exchange]) -> Redaction:
    """What must not stand in a file: everything by which a client proved who somebody is.

    Args:
        exchanges: What was said on all connections.
    """
    redaction = Redaction()
    under_way: dict[int, tuple[str, int]] = {}
    for exchange in exchanges:
        words = exchange.line.split(b" ")
        if exchange.command == "PASS":
            redaction.password(exchange.line[5:])
        elif exchange.command == "APOP" and len(words) > 2:
            redaction.password(words[-1])
        elif exchange.command in ("AUTH", RESPONSE):
            mechanism, nth = under_way.get(exchange.connection, ("", 0))
            if exchange.command == "AUTH":
                mechanism, nth = b"".join(words[1:2]).decode("latin-1").upper(), 0
                response = b"".join(words[2:3])
            else:
                response = exchange.line
            nth += bool(response)
            under_way[exchange.connection] = mechanism, nth
            redaction.response(response, mechanism, nth)
    return redaction


def _text(octets: bytes) -> str:
    text = text_of(octets)
    if text is None:
        raise Unrecordable("a word of the client's login is no text")
    return text


def _named(response: bytes) -> str:
    """The user whom a response of PLAIN names; empty for another."""
    try:
        parts = base64.b64decode(response, validate=True).split(b"\0")
    except ValueError:
        return ""
    return parts[1].decode("utf-8", "replace") if len(parts) == 3 else ""


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", text)


def _letters(number: int) -> str:
    """The name of a connection: A to Z, then A2 and so on."""
    again, letter = divmod(number, 26)
    return chr(ord("A") + letter) + (str(again + 1) if again else "")
