"""Software that nobody here wrote: clients for the mock server, a server for the client."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from . import _mail
from ._clients import CLIENTS
from ._dovecot import Dovecot, program, speaks_our_language
from ._mbox_servers import PROGRAMS, has_namespaces
from ._peers import SMALL_MAIL, on_dovecot, on_mbox_server, on_twisted
from ._twisted import Twisted, is_installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._clients import Client
    from ._mbox_servers import Program
    from ._peers import Drop, Open


def need(there: object, package: str) -> None:
    """Skip the test if a peer is not there; where CI promises the peers, fail it.

    Args:
        there: True in the sense of ``if`` when the peer can be used.
        package: What to install.
    """
    if there:
        return
    reason = f"a peer is missing: install {package}"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(params=list(CLIENTS))
def client(request: pytest.FixtureRequest) -> Client:
    """Each of the clients in turn."""
    found = CLIENTS[request.param]
    if found.program is not None:
        need(shutil.which(found.program), f"the Debian package {found.package}")
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for a client to live in."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def mail_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the awkward messages as files."""
    folder = tmp_path_factory.mktemp("mail")
    _mail.write(folder)
    return folder


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A running Dovecot; one for each worker of pytest-xdist, on ports that it has for itself."""
    need(program() and speaks_our_language(), "the Debian package dovecot-pop3d, Dovecot 2.3")
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def full_dovecot() -> Iterator[Dovecot]:
    """A running Dovecot that has every mechanism which it knows and the client too."""
    need(program() and speaks_our_language(), "the Debian package dovecot-pop3d, Dovecot 2.3")
    with Dovecot(full=True) as server:
        yield server


@pytest.fixture(scope="session")
def twisted() -> Iterator[Twisted]:
    """A running Twisted."""
    need(is_installed(), "twisted[tls], which is in the dependency group peers")
    with Twisted() as server:
        yield server


@pytest.fixture(scope="session")
def name(request: pytest.FixtureRequest) -> str:
    """The name of a server; for tests that are parametrized by it, indirectly.

    So that it is known when fixtures of the session are made, and a server is started before the
    test begins.
    """
    value: str = request.param
    return value


@pytest.fixture(scope="session")
def maildrop_of(name: str, request: pytest.FixtureRequest) -> Open:
    """Makes maildrops on the server of that name, see ``PEERS``."""
    if name == "dovecot":
        return on_dovecot(request.getfixturevalue("dovecot"))
    if name == "dovecot-full":
        return on_dovecot(request.getfixturevalue("full_dovecot"))
    if name == "twisted":
        return on_twisted(request.getfixturevalue("twisted"))
    need_mbox_server(PROGRAMS[name])
    return on_mbox_server(name)


@pytest.fixture(scope="session")
def drop(maildrop_of: Open) -> Iterator[Drop]:
    """A maildrop on the server of that name, for tests that change nothing in it."""
    with maildrop_of(SMALL_MAIL.values()) as one:
        yield one


def need_mbox_server(program: Program) -> None:
    """Skip the test if the server is not there, or cannot be put into a world of its own."""
    need(program.path, f"the Debian package {program.package}, as .ci/run does")
    if not has_namespaces():
        pytest.skip("no package gives it: mount namespaces, which take root, are not allowed here")
