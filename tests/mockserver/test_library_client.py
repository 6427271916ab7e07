"""The shipped files and pop3client: every id that the client knows has its file.

That the client ends under each file as the file says is held in ``tests/cli/test_trial.py``.
"""

from __future__ import annotations

import select
import socket
from typing import Any

import pytest

import pop3client
from pop3mock import MockServer
from pop3scenarios import shipped

#: Seconds: no wait of these tests should take nearly as long.
TIMEOUT = 5.0


def test_every_id_of_the_client_has_its_scenario() -> None:
    """What the client names in ``deviations`` can be played back by that name."""
    quirks = {name for name, path in shipped().items() if path.parent.name == "quirks"}

    assert set(pop3client.QUIRKS) <= quirks


class PatientSocket(socket.socket):
    """Says who its peer is when something has come from it, be it a RST."""

    @classmethod
    def connected(cls, host: str, port: int, timeout: float) -> PatientSocket:
        """Connect, as a ``socket_factory`` does."""
        one = cls(socket.AF_INET, socket.SOCK_STREAM)
        one.settimeout(timeout)
        one.connect((host, port))
        return one

    def getpeername(self) -> Any:
        """The peer's address; there is none after a RST."""
        select.select([self], [], [], 5.0)
        return super().getpeername()


def test_reset_before_the_handshake() -> None:
    """A connection that is reset before the client begins is a failure of TLS as any other."""
    with MockServer("stls-broken[reset]") as server, pytest.raises(pop3client.TLSError) as caught:
        pop3client.POP3Client(
            server.host,
            port=server.port,
            tls=pop3client.TLS.STLS,
            socket_factory=PatientSocket.connected,
            ssl_context=server.client_context(),
            timeout=TIMEOUT,
        )

    assert caught.value.step == "handshake"
