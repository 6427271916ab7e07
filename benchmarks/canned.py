"""A server that answers from ready-made buffers, so that the client is what is measured.

Run as a program: ``canned.py COUNT OCTETS KIND`` prints its port and serves until it is killed.
KIND is what the messages are: ``text``, each line of which ends in a dot, or ``base64``; with
``unsized`` after it RETR does not say how long they are, with ``shuffled`` unique-ids are in no
order.
"""

from __future__ import annotations

import socket
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


LINES = {
    "text": b"The quick brown fox jumps over the lazy dog, again and again and again.\r\n",
    "base64": b"TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxpdCwg\r\n",
}


_MIB = 1 << 20


def answers(
    count: int, octets: int, kind: str, *, sized: bool, shuffled: bool
) -> dict[bytes, list[bytes]]:
    """What to say to each command, in parts."""
    numbers = range(1, count + 1)
    # Multiples of an odd number, such that modulo a power of two none comes twice.
    step, modulus = 0x9E3779B97F4A7C15F39CC061 if shuffled else 7919, 1 << 96
    return {
        b"USER": [b"+OK\r\n"],
        b"PASS": [b"+OK\r\n"],
        b"CAPA": [b"+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n"],
        b"STAT": [b"+OK %d %d\r\n" % (count, count * octets)],
        b"LIST": listing(b"%d %d\r\n" % (number, octets) for number in numbers),
        b"UIDL": listing(b"%d %024x\r\n" % (n, n * step % modulus) for n in numbers),
        b"RETR": message(octets, LINES[kind], sized=sized),
        b"NOOP": [b"+OK\r\n"],
        b"QUIT": [b"+OK\r\n"],
    } | {b"LIST %d" % number: [b"+OK %d %d\r\n" % (number, octets)] for number in numbers}


def listing(lines: Iterable[bytes]) -> list[bytes]:
    """A listing of many lines."""
    return [b"+OK\r\n" + b"".join(lines) + b".\r\n"]


def message(octets: int, line: bytes, *, sized: bool) -> list[bytes]:
    """A message; of one that is huge the same part again and again."""
    status = b"+OK %d octets\r\n" % octets if sized else b"+OK\r\n"
    part = line * (min(octets, 16 * _MIB) // len(line))
    rest = octets % len(part)
    end = b"\r\n.\r\n"
    if len(part) == octets:
        return [status + part + end[2:]]
    parts = [part] * (octets // len(part))
    tail = (line * (rest // len(line) + 1))[: rest - 2] + end
    return [b"".join([status, *parts, tail])] if octets <= 16 * _MIB else [status, *parts, tail]


def serve(connection: socket.socket, canned: dict[bytes, list[bytes]]) -> None:
    """Serve one connection."""
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"+OK ready\r\n")
        messages = canned[b"RETR"]
        while commands := connection.recv(4096):
            # One message is what is asked for most, and this time is everybody's who asks.
            one = commands.startswith(b"RETR") and commands.find(b"\n") == len(commands) - 1
            for part in messages if one else said(commands.splitlines(), canned):
                connection.sendall(part)


def said(commands: list[bytes], canned: dict[bytes, list[bytes]]) -> list[bytes]:
    """What to send at one go, and what after it."""
    parts = [part for line in commands for part in canned.get(line) or canned[line[:4]]]
    return [b"".join(parts)] if len(parts) == len(commands) else parts


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        count, octets, kind = sys.argv[1:4]
        sized, shuffled = "unsized" not in sys.argv, "shuffled" in sys.argv
        ready = answers(int(count), int(octets), kind, sized=sized, shuffled=shuffled)
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0], ready), daemon=True).start()
