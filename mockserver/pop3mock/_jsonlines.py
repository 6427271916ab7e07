"""Events as lines of JSON, for programs that are not written in Python."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

from . import _events as events
from ._escaping import escaped
from ._events import Exchange

if TYPE_CHECKING:
    from ._events import Other, Timed

#: What the events are called; the facts are their attributes.
_NAMES: dict[type[Other], str] = {
    events.Connected: "connected",
    events.Secured: "tls",
    events.LoggedIn: "login",
    events.Removed: "removed",
    events.Recast: "scenario",
    events.Fault: "fault",
    events.Remark: "remark",
    events.Ended: "ended",
    events.Over: "over",
}


def json_line(server: str, number: int, timed: Timed) -> str:
    """One event as an object in one line, with its line end.

    Args:
        server: The name of the server.
        number: Number of the connection.
        timed: What happened, and when.
    """
    when, tls, event = timed
    name, facts = _exchange(event) if isinstance(event, Exchange) else _other(event)
    head = {"event": name, "server": server, "connection": number, "time": round(when, 6)}
    return json.dumps({**head, "tls": tls, **facts}) + "\n"


def _exchange(exchange: Exchange) -> tuple[str, dict[str, object]]:
    return "exchange", {
        "command": exchange.command,
        "line": exchange.line,
        "reply": exchange.reply,
        "octets": exchange.octets,
        "rule": exchange.rule,
        "place": exchange.place,
        "state": exchange.state,
        "asked_by": exchange.event or "client",
    }


def _other(event: Other) -> tuple[str, dict[str, object]]:
    facts = {field.name: getattr(event, field.name) for field in fields(event)}
    if isinstance(event, events.LoggedIn):
        facts["user"] = escaped(event.user)  # the others are in ASCII, or escaped, as they are
    return _NAMES[type(event)], facts
