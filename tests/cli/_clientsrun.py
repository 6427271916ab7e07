"""Clients that nobody here wrote, run to their end: what mail did they get?"""

from __future__ import annotations

import poplib
import shutil
import subprocess
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

#: Seconds that a client may take for one thing.
_PATIENCE = 20.0

TLSMode = Literal["none", "stls", "implicit"]


def with_poplib(
    port: int, user: str, password: str, *, tls: TLSMode = "none", trust: ssl.SSLContext
) -> list[bytes]:
    """All mail, as Python's own module gets it."""
    if tls == "implicit":
        client: poplib.POP3 = poplib.POP3_SSL("localhost", port, timeout=_PATIENCE, context=trust)
    else:
        client = poplib.POP3("localhost", port, timeout=_PATIENCE)
    try:
        if tls == "stls":
            client.stls(trust)
        client.user(user)
        client.pass_(password)
        client.stat()
        _, listed, _ = client.list()
        client.uidl()
        return [b"\r\n".join(client.retr(n)[1]) for n in range(1, len(listed) + 1)]
    finally:
        client.quit()


def with_curl(port: int, user: str, password: str, numbers: Sequence[int]) -> list[bytes]:
    """Messages, as curl gets them, one connection each."""
    program = shutil.which("curl")
    assert program is not None
    return [
        subprocess.run(
            [program, "--silent", "--show-error", "--max-time", str(_PATIENCE), "--config", "-"],
            input=f'url = "pop3://127.0.0.1:{port}/{n}"\nuser = "{user}:{password}"\n'.encode(),
            check=True,
            capture_output=True,
            timeout=_PATIENCE,
        ).stdout
        for n in numbers
    ]
