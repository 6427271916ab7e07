"""Software that nobody here wrote: clients for the mock server, a server for the client."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from . import _mail
from ._clients import CLIENTS
from ._dovecot import Dovecot, program, speaks_our_language

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._clients import Client


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
