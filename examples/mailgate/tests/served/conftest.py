"""The gateway as its users run it, with a mail server of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailgate.__main__ import main
from mailgate.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailgate.ticket import Ticket
    from pop3mock import MockServer

SETTINGS = """\
host = "{host}"
port = {port}
user = "{user}"
password = "{password}"
ca_file = "{ca}"
database = "{database}"
timeout = 0.5
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the tickets go."""
    return tmp_path / "tickets.db"


@pytest.fixture
def mailgate(
    pop3_server: MockServer, pop3_ca: Path, database: Path, tmp_path: Path
) -> Callable[[], int]:
    """Runs the command once; gives its exit status."""
    user, password = pop3_server.credentials
    path = tmp_path / "mailgate.toml"
    path.write_text(
        SETTINGS.format(
            host=pop3_server.host,
            port=pop3_server.port,
            user=user,
            password=password,
            ca=pop3_ca,
            database=database,
        ),
        encoding="utf-8",
    )
    return lambda: main([str(path)])


@pytest.fixture
def tickets(database: Path) -> Callable[[], list[Ticket]]:
    """Reads the tickets that were made."""

    def tickets() -> list[Ticket]:
        with Store(str(database)) as store:
            return store.tickets()

    return tickets
