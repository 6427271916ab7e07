"""Servers that are read ahead of, for the tests of messages that are taken one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pop3client import Message

PIPELINING = b"+OK\r\nPIPELINING\r\n.\r\n"
MANY = tuple(b"message %d\r\n" % number for number in range(1, 41))
TAKES: dict[str, Any] = {
    "messages": lambda client, **options: client.messages(**options),
    "iter_retrieve": lambda client, **options: client.iter_retrieve("start", "end", **options),
}


def listing(mail: tuple[bytes, ...]) -> bytes:
    """The answer to LIST."""
    lines = [b"%d %d" % (number, len(raw)) for number, raw in enumerate(mail, 1)]
    return b"\r\n".join([b"+OK", *lines, b".", b""])


def ahead(fake: Any, answers: dict[str, Any] | None = None, **options: Any) -> Any:
    """A server that announces PIPELINING and has many messages."""
    mail = options.setdefault("mail", MANY)
    return fake({"CAPA": PIPELINING, "LIST": listing(mail)} | (answers or {}), **options)


def asked(server: Any) -> list[str]:
    """All commands after the login."""
    lines = b"".join(server.sent).decode().splitlines()
    return lines[lines.index("STAT") + 1 :]


def numbers(messages: Any) -> list[int]:
    """Their numbers."""
    return [message.number for message in messages]


def collect(
    messages: Iterator[Message], came: list[Message], between: Callable[[], object] | None = None
) -> None:
    """Take messages until there are no more, or an error; say something else between them."""
    for message in messages:
        came.append(message)
        if between is not None:
            between()
