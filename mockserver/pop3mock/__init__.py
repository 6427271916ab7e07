"""A POP3 server for tests: it plays a scenario, in the process of the tests.

The names load on first use, since pytest imports this package in every run of an environment that
has it, also where only the client is installed and the mock's dependencies are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._channel import Channel
    from ._connection_log import ConnectionLog
    from ._engine import Engine
    from ._errors import UnknownUser
    from ._events import Exchange, Fault
    from ._expectations import BrokenExpectation
    from ._journal import Journal
    from ._maildrop import Maildrop
    from ._message import StoredMessage
    from ._performance import TLSMode
    from ._pytest_servers import ServerFactory, WatchedServer
    from ._server import Credentials, MockServer
    from ._spoken import Spoken, spoken
    from ._verification import VerificationFailed

__all__ = [
    "BrokenExpectation",
    "Channel",
    "ConnectionLog",
    "Credentials",
    "Engine",
    "Exchange",
    "Fault",
    "Journal",
    "Maildrop",
    "MockServer",
    "ServerFactory",
    "Spoken",
    "StoredMessage",
    "TLSMode",
    "UnknownUser",
    "VerificationFailed",
    "WatchedServer",
    "spoken",
]

_HOME = {
    "BrokenExpectation": "_expectations",
    "Channel": "_channel",
    "ConnectionLog": "_connection_log",
    "Credentials": "_server",
    "Engine": "_engine",
    "Exchange": "_events",
    "Fault": "_events",
    "Journal": "_journal",
    "Maildrop": "_maildrop",
    "MockServer": "_server",
    "ServerFactory": "_pytest_servers",
    "Spoken": "_spoken",
    "StoredMessage": "_message",
    "TLSMode": "_performance",
    "UnknownUser": "_errors",
    "VerificationFailed": "_verification",
    "WatchedServer": "_pytest_servers",
    "spoken": "_spoken",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._first_use import module  # whoever uses no name does not pay for it

    value = getattr(module(_HOME[name]), name)
    globals()[name] = value
    return value
