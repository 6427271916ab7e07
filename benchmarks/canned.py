"""A server that answers from ready-made buffers, so that the client is what is measured.

Run as a program: ``canned.py COUNT OCTETS`` prints its port and serves until it is killed.
"""

from __future__ import annotations

import socket
import sys


def answers(count: int, octets: int) -> dict[bytes, bytes]:
    """What to say to each command."""
    head = b"Subject: canned\r\n\r\n"
    line = b"The quick brown fox jumps over the lazy dog, again and again and again.\r\n"
    body = (head + line * (octets // len(line) + 1))[: octets - 2] + b"\r\n"
    return {
        b"USER": b"+OK\r\n",
        b"PASS": b"+OK\r\n",
        b"CAPA": b"+OK\r\nUIDL\r\nTOP\r\n.\r\n",
        b"STAT": b"+OK %d %d\r\n" % (count, count * octets),
        b"LIST": b"+OK 1 %d\r\n" % octets,
        b"RETR": b"+OK %d octets\r\n" % octets + body + b".\r\n",
        b"QUIT": b"+OK\r\n",
    }


def serve(listener: socket.socket, canned: dict[bytes, bytes]) -> None:
    """Serve one connection after the other."""
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(b"+OK ready\r\n")
            while commands := connection.recv(4096):
                said = (canned.get(line[:4], b"-ERR\r\n") for line in commands.splitlines())
                connection.sendall(b"".join(said))


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        serve(listener, answers(int(sys.argv[1]), int(sys.argv[2])))
