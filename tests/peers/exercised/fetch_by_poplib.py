"""Fetch all mail by Python's poplib: TLS HOST PORT USER PASSWORD CA OUT SECONDS."""

from __future__ import annotations

import poplib
import ssl
import sys
from pathlib import Path


def connect(tls: str, host: str, port: int, ca: str, seconds: float) -> poplib.POP3:
    """A connection, encrypted as it is to be."""
    context = ssl.create_default_context(cafile=ca)
    if tls == "implicit":
        return poplib.POP3_SSL(host, port, timeout=seconds, context=context)
    client = poplib.POP3(host, port, timeout=seconds)
    if tls == "stls":
        client.stls(context)
    return client


def fetch(client: poplib.POP3, user: str, password: str, out: Path) -> None:
    """All messages into files; poplib takes the line ends off, and CRLF is put back."""
    client.user(user)
    client.pass_(password)
    for line in client.list()[1]:
        number = int(line.split()[0])
        message = b"".join(each + b"\r\n" for each in client.retr(number)[1])
        (out / f"{number}.eml").write_bytes(message)
    client.quit()


def main() -> None:
    """Do it; what goes wrong is told in a line."""
    tls, host, port, user, password, ca, out, seconds = sys.argv[1:]
    try:
        fetch(connect(tls, host, int(port), ca, float(seconds)), user, password, Path(out))
    except (poplib.error_proto, OSError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
