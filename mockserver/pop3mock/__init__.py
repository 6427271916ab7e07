"""A POP3 server for tests: it plays a scenario, in the process of the tests.

The names load on first use, since pytest imports this package in every run of an environment that
has it, also where only the client is installed and the mock's dependencies are not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._engine import Engine
    from ._expectations import BrokenExpectation
    from ._journal import ConnectionLog, Exchange, Fault, Journal
    from ._maildrop import Maildrop, StoredMessage
    from ._pytest_servers import ServerFactory
    from ._server import Credentials, MockServer

__all__ = [
    "BrokenExpectation",
    "ConnectionLog",
    "Credentials",
    "Engine",
    "Exchange",
    "Fault",
    "Journal",
    "Maildrop",
    "MockServer",
    "ServerFactory",
    "StoredMessage",
]

_HOME = {
    "BrokenExpectation": "_expectations",
    "ConnectionLog": "_journal",
    "Credentials": "_server",
    "Engine": "_engine",
    "Exchange": "_journal",
    "Fault": "_journal",
    "Journal": "_journal",
    "Maildrop": "_maildrop",
    "MockServer": "_server",
    "ServerFactory": "_pytest_servers",
    "StoredMessage": "_maildrop",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
