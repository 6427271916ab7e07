"""What the client's tests ask for.

Every test that asks for ``fake`` or ``facade`` runs twice: on the blocking client, and on the
asyncio client.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import pop3client

from ._ahead import TAKES
from ._facades import AsyncFacade, Facade, VirtualLoop
from ._fakes import FakeServer
from ._maildrop import Clock, Run

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["blocking", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two clients."""
    value: str = request.param
    return value


@pytest.fixture
def facade(kind: str) -> Iterator[Facade]:
    """Either client, for servers on real sockets."""
    one = Facade() if kind == "blocking" else AsyncFacade(asyncio.new_event_loop())
    yield one
    one.close()


@pytest.fixture
def facades() -> Iterator[list[Facade]]:
    """Both clients, for tests that compare them."""
    both = [Facade(), AsyncFacade(asyncio.new_event_loop())]
    yield both
    for one in both:
        one.close()


@pytest.fixture
def fake(kind: str) -> Iterator[type[FakeServer]]:
    """The class of fake servers, for either client.

    A fixture because test files cannot import one another.
    """
    one = Facade() if kind == "blocking" else AsyncFacade(VirtualLoop())
    yield type("FakeServer", (FakeServer,), {"facade": one})
    one.close()


@pytest.fixture(params=[None, 1], ids=["whole", "octet-by-octet"])
def cut(request: pytest.FixtureRequest) -> int | None:
    """How TCP cuts what the server sends. No result may depend on it."""
    value: int | None = request.param
    return value


@pytest.fixture
def store() -> Iterator[pop3client.SeenStore]:
    """A store whose time is set by hand: ``store.now.now``."""
    with pop3client.SeenStore(":memory:", clock=Clock()) as one:
        yield one


@pytest.fixture(params=[False, True], ids=["one by one", "ahead"])
def run(fake: Any, store: pop3client.SeenStore, request: pytest.FixtureRequest) -> Run:
    """Runs ``sync`` with either client, by either way to fetch."""
    return Run(fake.facade, store, pipelining=request.param)


@pytest.fixture(params=TAKES)
def take(request: pytest.FixtureRequest) -> Any:
    """Either way to take messages one by one."""
    return TAKES[request.param]
