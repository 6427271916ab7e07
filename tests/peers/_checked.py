"""Servers of which the checker says whether they keep the RFCs, each with maildrops of its own."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pop3check import Limits, Target, check_all, select

from ._mbox_servers import PASSWORD, PROGRAMS, USER, MboxServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pop3check import Verdict
    from pop3scenarios import Scenario

    from ._clients import TLSMode
    from ._dovecot import Dovecot
    from ._twisted import Twisted

#: Mail that the checker has not brought, and has to leave alone.
FOREIGN = [
    b"From: a@example.test\r\nDate: Mon, 02 Jan 2023 10:00:00 +0000\r\n"
    b"Message-ID: <%d@example.test>\r\nSubject: not the checker's\r\n\r\nstays\r\n" % number
    for number in range(2)
]

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

        def finish_request(self, request: socket.socket, client_address: object) -> None:
            server.serve(request, tls)

        def shutdown_request(self, request: socket.socket) -> None:
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


def verdicts(opened: OpenChecked, *, whole: bool) -> dict[str, Verdict]:
    """What the checker says of a server, by the id of the case.

    What wants an empty maildrop gets one, and so does what asks for more than a client would: it
    may empty its maildrop.

    Args:
        opened: Makes maildrops.
        whole: Whether to ask also what has nothing to do with how a session comes about.
    """
    cases = [case for case in select() if whole or _is_about_beginnings(case)]
    empty = [s for s in cases if (about := s.file.case) and about.messages and 0 in about.messages]
    opt_in = [s for s in cases if (about := s.file.case) and "opt-in" in about.gates]
    usual = [s for s in cases if s not in empty and s not in opt_in]
    with opened(FOREIGN) as (target, seed):
        found = list(check_all(target, usual, limits=LIMITS, seed=seed).verdicts)
    with opened([]) as (target, seed):
        if empty:
            found += check_all(target, empty, limits=LIMITS).verdicts
        more = check_all(target, opt_in, limits=replace(LIMITS, opt_in=True), seed=seed)
    return {verdict.case: verdict for verdict in (*found, *more.verdicts)}


def _is_about_beginnings(scenario: Scenario) -> bool:
    """Whether a case is about TLS, login, or what comes before: not about mail."""
    about = scenario.file.case
    assert about is not None
    return about.state != "transaction" or bool({"tls", "stls", "implicit"} & set(about.gates))
