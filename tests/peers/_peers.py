"""Servers that nobody here wrote, all with one face: what they offer, and how they are entered."""

from __future__ import annotations

import contextlib
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pop3client import TLS

from . import _mail
from ._dovecot import token
from ._mbox_servers import PASSWORD, PROGRAMS, SEPARATOR, USER, MboxServer, quoted

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pop3client import Settings

    from ._clients import TLSMode
    from ._dovecot import Dovecot
    from ._twisted import Twisted

#: Seconds that an answer may take.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A maildrop on a server that runs.

    Attributes:
        user: Its name.
        password: Its password.
        dial: Opens a connection, given whether TLS is to begin at once.
        ca: The file with the certificate of the authority to trust.
        pem: The file with the user's own key and certificate, if the server knows users by them.
        token: What the user shows in place of a password, if the server takes it.
    """

    user: str
    password: str
    dial: Callable[[TLSMode], socket.socket]
    ca: Path
    pem: Path | None = None
    token: str = ""

    def context(self, *, known: bool = False) -> ssl.SSLContext:
        """TLS as a client is to have it.

        Args:
            known: Show the user's certificate.
        """
        context = ssl.create_default_context(cafile=str(self.ca))
        if known:
            assert self.pem is not None
            context.load_cert_chain(self.pem)
        return context

    def settings(self, tls: TLSMode, *, known: bool = False) -> Settings:
        """How a client connects."""
        return {
            "tls": TLS(tls),
            "ssl_context": self.context(known=known),
            "socket_factory": lambda *_: self.dial(tls),
            "timeout": PATIENCE,
        }


Open: TypeAlias = "Callable[[Iterable[bytes]], AbstractContextManager[Drop]]"
"""Makes a maildrop that has these messages."""

Serve: TypeAlias = "Callable[[dict[str, bytes]], list[bytes]]"
"""What the server sends, of messages as they are delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What is known of a server.

    Attributes:
        offers: By mode of TLS all mechanisms that it offers, USER and APOP among them.
        refuses: Those among them that it never lets anybody in by.
        elsewhere: Those that lead to a maildrop which is nobody's, and has no mail.
        serves: See ``Serve``.
        rewrites: Fields that it writes into messages, as lines.
        notices: What a client notes in a fetch of the awkward mail.
        before_body: What it puts before the lines of a body in the answer to TOP.
        deletes_at_once: Whether DELE deletes, rather than QUIT.
    """

    offers: dict[TLSMode, str]
    serves: Serve
    notices: frozenset[str]
    refuses: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset({"ANONYMOUS"})
    rewrites: re.Pattern[bytes] | None = None
    before_body: bytes = b""
    deletes_at_once: bool = False

    def lets_in(self, mechanism: str, tls: TLSMode) -> bool:
        """Whether who has the right secret gets in; there is no certificate outside TLS."""
        return mechanism not in self.refuses and (mechanism, tls) != ("EXTERNAL", "none")

    def asks(self, mechanism: str) -> bool:
        """Whether it lets in some and not others."""
        return mechanism not in self.elsewhere

    def as_sent(self, message: bytes) -> bytes:
        """A message without what the server wrote into it."""
        return message if self.rewrites is None else self.rewrites.sub(b"", message)


def _as_it_is(messages: dict[str, bytes]) -> list[bytes]:
    return list(map(_mail.canonical, messages.values()))


def _joined(messages: dict[str, bytes]) -> list[bytes]:
    """A message without a body swallows the next one, with the line between them."""
    sent = []
    for message in _as_it_is(messages):
        if sent and b"\r\n\r\n" not in sent[-1]:
            sent[-1] += b"\r\n" + SEPARATOR + message
        else:
            sent.append(message)
    return sent


def _from_mbox(messages: dict[str, bytes]) -> list[bytes]:
    """An mbox file has a blank line behind each header, and ``>`` before what looks like From_."""
    sent = []
    for message in _as_it_is(messages):
        whole = message if b"\r\n\r\n" in message else message + b"\r\n"
        sent.append(quoted(whole))
    return sent


#: The awkward messages, but for the large one.
SMALL_MAIL = {name: text for name, text in _mail.messages().items() if name != "09-big"}

_ALL = "USER APOP PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"
_FULL = f"{_ALL} EXTERNAL ANONYMOUS"

PEERS: dict[str, Peer] = {
    "dovecot": Peer(
        offers=dict.fromkeys(("none", "stls", "implicit"), "USER APOP PLAIN"),
        serves=_as_it_is,
        notices=frozenset({"retr-size-too-small"}),
    ),
    "dovecot-full": Peer(
        offers={"none": _FULL, "stls": _FULL, "implicit": _FULL},
        serves=_as_it_is,
        notices=frozenset({"retr-size-too-small"}),
    ),
    "mailutils": Peer(
        offers=dict.fromkeys(("none", "stls", "implicit"), "USER APOP"),
        serves=_joined,
        notices=frozenset({"retr-without-size"}),
        before_body=b"\r\n",
        rewrites=re.compile(rb"^(?:X-IMAPbase|X-UID|X-UIDL|Status): .*\r\n", re.MULTILINE),
    ),
    "popa3d": Peer(
        offers={"none": "USER"},
        serves=_from_mbox,
        notices=frozenset({"greeting-bare", "retr-without-size"}),
    ),
    "twisted": Peer(
        offers=dict.fromkeys(("none", "implicit"), "USER APOP CRAM-MD5"),
        serves=_as_it_is,
        notices=frozenset({"retr-size-too-small", "list-sizes-wrong"}),
        # It compares text with octets.
        refuses=frozenset({"APOP"}),
        deletes_at_once=True,
    ),
}


def on_dovecot(server: Dovecot) -> Open:
    """A maildrop on Dovecot."""

    @contextlib.contextmanager
    def open_drop(messages: Iterable[bytes]) -> Iterator[Drop]:
        account = server.account(messages)
        yield Drop(
            user=account.user,
            password=account.password,
            dial=server.connect,
            ca=account.ca,
            pem=account.pem,
            token=token(account.user),
        )

    return open_drop


def on_twisted(server: Twisted) -> Open:
    """A maildrop on Twisted, whose files end their lines in LF: it makes CRLF of any LF."""

    @contextlib.contextmanager
    def open_drop(messages: Iterable[bytes]) -> Iterator[Drop]:
        user = server.user(message.replace(b"\r\n", b"\n") for message in messages)
        yield Drop(user=user, password=PASSWORD, dial=server.connect, ca=server.ca)

    return open_drop


def on_mbox_server(name: str) -> Open:
    """A maildrop with a server of its own."""

    @contextlib.contextmanager
    def open_drop(messages: Iterable[bytes]) -> Iterator[Drop]:
        with MboxServer(PROGRAMS[name], messages) as server:
            yield Drop(user=USER, password=PASSWORD, dial=server.connect, ca=server.ca)

    return open_drop
