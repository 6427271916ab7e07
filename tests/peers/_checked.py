"""Servers of which the checker says whether they keep the RFCs, each with maildrops of its own."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pop3check import Limits, Target, check_all, select

from ._dovecot import Dovecot
from ._mbox_servers import PASSWORD, PROGRAMS, USER, MboxServer
from ._twisted import Twisted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pop3check import Verdict
    from pop3scenarios import Scenario

    from ._clients import TLSMode


#: Mail that the checker has not brought, and has to leave alone.
FOREIGN = [
    b"From: a@example.test\r\nDate: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"Message-ID: <%d@example.test>\r\nSubject: not the checker's\r\n\r\nstays\r\n" % number
    for number in range(2)
]

#: Where outcomes are kept, a file for each server and mode of TLS: what ``pop3kit check
#: --write-baseline`` writes.
FOLDER = Path(__file__).with_name("baselines")

#: Accounts are made by one thread at a time.
_ONE_AT_A_TIME = threading.Lock()

#: Seconds that an answer may take.
PATIENCE = 5.0

#: As far as a run may go, on a machine where nobody else is.
LIMITS = Limits(mode="destructive", login_failures=80, quiet=0.1)


class Checked(NamedTuple):
    """A maildrop to be checked.

    Attributes:
        target: The server and the account.
        seed: Puts messages into the maildrop.
    """

    target: Target
    seed: Callable[[list[bytes]], None]


OpenChecked: TypeAlias = "Callable[[list[bytes]], AbstractContextManager[Checked]]"
"""Makes a maildrop that has these messages."""


def on_dovecot(server: Dovecot, tls: TLSMode) -> OpenChecked:
    """A maildrop on Dovecot."""

    @contextlib.contextmanager
    def opened(messages: list[bytes]) -> Iterator[Checked]:
        with _ONE_AT_A_TIME:
            account = server.account(messages, tls)
        target = _target(account.port, account.user, tls, str(account.ca))
        yield Checked(target, lambda more: server.deliver(account.user, more))

    return opened


def on_twisted(server: Twisted, tls: TLSMode) -> OpenChecked:
    """A maildrop on Twisted, whose files end their lines in LF: it makes CRLF of any LF."""

    def in_files(messages: list[bytes]) -> list[bytes]:
        return [message.replace(b"\r\n", b"\n") for message in messages]

    @contextlib.contextmanager
    def opened(messages: list[bytes]) -> Iterator[Checked]:
        with _ONE_AT_A_TIME:
            user = server.user(in_files(messages))
        target = _target(server.port(tls), user, tls, str(server.ca))
        yield Checked(target, lambda more: server.deliver(user, in_files(more)))

    return opened


def on_mbox_server(name: str, tls: TLSMode) -> OpenChecked:
    """A maildrop with a server of its own, behind a port."""

    @contextlib.contextmanager
    def opened(messages: list[bytes]) -> Iterator[Checked]:
        with MboxServer(PROGRAMS[name], messages) as server, _port(server, tls) as port:
            target = _target(port, USER, tls, str(server.ca))
            yield Checked(target, lambda more: server.deliver(_apart(more)))

    return opened


def _target(port: int, user: str, tls: TLSMode, ca: str) -> Target:
    return Target(
        host="127.0.0.1",
        port=port,
        user=user,
        password=PASSWORD,
        tls=tls,
        ca=ca,
        timeout=PATIENCE,
    )


def _apart(messages: list[bytes]) -> list[bytes]:
    """A message without a body comes last: in an mbox file it would swallow the next one."""
    return sorted(messages, key=lambda message: b"\n\r\n" not in message and b"\n\n" not in message)


@contextlib.contextmanager
def _port(server: MboxServer, tls: TLSMode) -> Iterator[int]:
    """A port behind which the server has a session for each connection, as by inetd."""

    class Door(socketserver.TCPServer):
        # As many as a run may open at once.
        request_queue_size = 50

        def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
            server.serve(request, tls)

        def shutdown_request(self, request: Any) -> None:
            # Not shut down: the session goes on with it.
            request.close()

    with Door(("127.0.0.1", 0), socketserver.BaseRequestHandler) as door:
        serving = threading.Thread(target=door.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield door.server_address[1]
        finally:
            door.shutdown()
            serving.join()


def verdicts(opened: OpenChecked, cases: list[Scenario]) -> dict[str, Verdict]:
    """What the checker says of a server, by the id of the case.

    What wants an empty maildrop gets one, and so does what asks for more than a client would: it
    may empty its maildrop.

    Args:
        opened: Makes maildrops.
        cases: What to ask.
    """
    empty = [s for s in cases if (about := s.file.case) and about.messages and 0 in about.messages]
    opt_in = [s for s in cases if (about := s.file.case) and "opt-in" in about.gates]
    usual = [s for s in cases if s not in empty and s not in opt_in]
    with opened(FOREIGN) as (target, seed):
        found = list(check_all(target, usual, limits=LIMITS, seed=seed).verdicts)
    with opened([]) as (target, seed):
        found += check_all(target, empty, limits=LIMITS).verdicts
        more = check_all(target, opt_in, limits=replace(LIMITS, opt_in=True), seed=seed)
    return {verdict.case: verdict for verdict in (*found, *more.verdicts)}


def everything() -> list[Scenario]:
    """All cases."""
    return select()


def beginnings() -> list[Scenario]:
    """The cases about TLS, login, and what comes before.

    Those about mail have nothing to do with how a session comes about: they are asked without TLS.
    """
    return [
        scenario
        for scenario in select()
        if (about := scenario.file.case)
        and (about.state != "transaction" or {"tls", "stls", "implicit"} & set(about.gates))
    ]


def mechanisms() -> list[Scenario]:
    """The cases about AUTH and its mechanisms."""
    chapters = "RFC1734 RFC2195 RFC4616 RFC5034 RFC5802 RFC7628 RFC7677 IOP-XOAUTH2"
    return select(chapters.split())


class Server(NamedTuple):
    """A server that is checked.

    Attributes:
        shown: Its name for people, with the version that was checked.
        package: What to install.
        asked: What it is asked in each mode of TLS.
    """

    shown: str
    package: str
    asked: Mapping[TLSMode, Callable[[], list[Scenario]]]


_EVERY_MODE: Mapping[TLSMode, Callable[[], list[Scenario]]] = {
    "none": everything,
    "stls": beginnings,
    "implicit": beginnings,
}

SERVERS = {
    "dovecot": Server("Dovecot 2.3.19.1", "Debian's dovecot-pop3d", _EVERY_MODE),
    "dovecot-full": Server(
        "Dovecot 2.3.19.1 with all its mechanisms",
        "Debian's dovecot-pop3d",
        dict.fromkeys(_EVERY_MODE, mechanisms),
    ),
    "mailutils": Server("GNU Mailutils 3.15", "Debian's mailutils-pop3d", _EVERY_MODE),
    "popa3d": Server("popa3d 1.0.3", "Debian's popa3d", {"none": everything}),
    "twisted": Server(
        "Twisted 26.10", "twisted[tls]", {"none": everything, "implicit": beginnings}
    ),
}


def check_server(name: str, running: Dovecot | Twisted | None) -> dict[TLSMode, dict[str, Verdict]]:
    """What the checker says of a server in each mode of TLS; all modes are asked at a time.

    Args:
        name: The name in :data:`SERVERS`.
        running: The server, if it is one that runs; those of an mbox file are started here.
    """
    asked = SERVERS[name].asked

    def one(tls: TLSMode) -> dict[str, Verdict]:
        return verdicts(_opener(name, running, tls), asked[tls]())

    with ThreadPoolExecutor(len(asked)) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))


def _opener(name: str, running: Dovecot | Twisted | None, tls: TLSMode) -> OpenChecked:
    if isinstance(running, Dovecot):
        return on_dovecot(running, tls)
    if isinstance(running, Twisted):
        return on_twisted(running, tls)
    return on_mbox_server(name, tls)


def baseline_file(name: str, tls: TLSMode) -> Path:
    """The file with the outcomes that are known."""
    return FOLDER / f"{name}-{tls}.json"
