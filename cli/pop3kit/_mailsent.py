"""The mail that a server has, as a client that changes nothing gets it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pop3mock import MockServer
    from pop3scenarios import Rule, Scenario

#: The line ends that a rule can give to messages.
_ENDS = {"crlf": b"\r\n", "lf": b"\n", "crcrlf": b"\r\r\n"}


def mail_sent(server: MockServer) -> list[bytes]:
    """The messages with the line ends that the scenario gives them: a client leaves them alone.

    Args:
        server: The server, as no client has come to it yet.
    """
    rules = (rule for layer in server.scenario.rules for rule in layer)
    ends = (r.eol for r in rules if any(w.keyword in ("RETR", "*") for w in r.when))
    eol = next(filter(None, ends), "crlf")
    if eol == "stored":
        return [message.stored for message in server.maildrop.messages]
    if eol == "lf-lines":
        return [m.stored.replace(b"\n", b"\r\n") for m in server.maildrop.messages]
    return [data.replace(b"\r\n", _ENDS[eol]) for data in server.maildrop]


def withheld(scenario: Scenario) -> frozenset[int]:
    """Numbers of messages that are not there for a client: LIST and RETR of them are refused.

    Args:
        scenario: What the server plays.
    """
    refusals = [rule for layer in scenario.rules for rule in layer if _always_refuses(rule)]
    found = {command: set(_numbers(command, refusals)) for command in ("RETR", "LIST")}
    return frozenset(found["RETR"] & found["LIST"])


def _always_refuses(rule: Rule) -> bool:
    return rule.nth is None and rule.reply is not None and rule.reply.source.startswith("-ERR")


def _numbers(command: str, rules: Iterable[Rule]) -> Iterator[int]:
    for pattern in (pattern for rule in rules for pattern in rule.when):
        match = re.fullmatch(rf"{command} ([0-9]+)", pattern.source, re.IGNORECASE)
        if match:
            yield int(match[1])
