"""Every command in every state: allowed by the table, or refused before anything is sent."""

from __future__ import annotations

import io
from typing import Any

import pytest

import pop3client
from pop3client._states import AFTER_ERR, AFTER_OK, OTHER, State
from pop3client._states import GREETING as GREETED

CALLS: dict[str, Any] = {
    OTHER: lambda c: c.command("XTND XLST"),
    "AUTH": lambda c: c.authenticate(pop3client.Plain("alice", "secret")),
    "UTF8": lambda c: c.utf8(),
    "LANG": lambda c: c.lang(),
    "USER": lambda c: c.login("alice", "secret", "USER"),
    "APOP": lambda c: c.apop("alice", "secret"),
    "CAPA": lambda c: c.capa(),
    "STAT": lambda c: c.stat(),
    "LIST": lambda c: c.list(),
    "RETR": lambda c: c.retr(1),
    "TOP": lambda c: c.top(1, 0),
    "UIDL": lambda c: c.uidl(),
    "DELE": lambda c: c.dele(1),
    "NOOP": lambda c: c.noop(),
    "RSET": lambda c: c.rset(),
    "LAST": lambda c: c.last(),
    "QUIT": lambda c: c.quit(),
}
COMPOUND: dict[str, Any] = {
    "retrieve": ("RETR", lambda c: c.retrieve("next", "end")),
    "iter_retrieve": ("RETR", lambda c: c.iter_retrieve("start")),
    "iter_retr": ("RETR", lambda c: c.iter_retr(1)),
    "messages": ("RETR", lambda c: c.messages()),
    "lang tag": ("LANG", lambda c: c.lang("de")),
    "retr_to": ("RETR", lambda c: c.retr_to(1, io.BytesIO())),
    "delete": ("DELE", lambda c: c.delete("start", "last")),
    "list n": ("LIST", lambda c: c.list(1)),
    "uidl n": ("UIDL", lambda c: c.uidl(1)),
    "status": ("STAT", lambda c: c.status()),
}
ANSWERS = {
    "LIST": b"+OK\r\n.\r\n",
    "UIDL": b"+OK\r\n.\r\n",
    "TOP": b"+OK\r\n.\r\n",
    "LAST": b"+OK 0\r\n",
    "XTND": b"+OK\r\n",
    "UTF8": b"+OK\r\n",
    "LANG": b"+OK\r\n.\r\n",
    "CAPA": b"+OK\r\nUSER\r\nUTF8\r\nLANG\r\n.\r\n",
}
GREETING = b"+OK ready <1.2@example>\r\n"


def client_in(fake: Any, state: State) -> Any:
    """A client in that state, and its server."""
    server = fake(ANSWERS, greeting=GREETING, exchanges={"PLAIN": [b"+OK\r\n"]})
    client = server.client()
    client.capa()
    if state is not State.AUTHORIZATION:
        client.login("alice", "secret")
    if state is State.CLOSED:
        client.quit()
    if state is State.NAMED:  # between USER and PASS, where no caller ever stands
        client._session.state = State.NAMED
    if state is State.UNOPENED:  # where only an asyncio client stands that nobody has awaited
        client._session.state = State.UNOPENED
    return client, server


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("command", CALLS)
def test_every_command_in_every_state(fake: Any, command: str, state: State) -> None:
    """A pair in the table is sent and leads to its state; any other is refused unsent."""
    client, server = client_in(fake, state)
    before = list(server.sent)

    if (command, state) not in AFTER_OK:
        with pytest.raises(pop3client.StateError, match="^" + command.replace(OTHER, "XTND")):
            CALLS[command](client)
        assert server.sent == before
        assert client._session.state is state
        return
    CALLS[command](client)
    assert server.sent[len(before)].startswith(command.replace(OTHER, "XTND").encode())
    after = State.TRANSACTION if command == "USER" else AFTER_OK[command, state]
    assert client._session.state is after


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("method", COMPOUND)
def test_compound_commands(fake: Any, method: str, state: State) -> None:
    """Commands made of others are refused in the same way, unsent."""
    command, call = COMPOUND[method]
    if (command, state) in AFTER_OK:
        return
    client, server = client_in(fake, state)
    before = list(server.sent)

    with pytest.raises(pop3client.StateError, match=f"^{command}"):
        call(client)

    assert server.sent == before


def test_the_table_is_whole() -> None:
    """Every state can be left, every command is in the table, and nothing leaves CLOSED."""
    assert {command for command, _ in AFTER_OK} == {*CALLS, "PASS", "STLS", GREETED}
    assert {state for _, state in AFTER_OK} == set(State) - {State.CLOSED}
    assert set(AFTER_ERR) <= set(AFTER_OK)


@pytest.mark.parametrize("state", [state for state in State if state is not State.UNOPENED])
def test_close_in_every_state(fake: Any, state: State) -> None:
    """Method close works in every state, and says QUIT unless the session is over."""
    client, server = client_in(fake, state)
    client.close()

    assert server.sent.count(b"QUIT\r\n") == 1
    assert server.connection.closed
    assert repr(client).endswith("POP3Client localhost:110 CLOSED>")
