"""The other end of a socket: is it this machine, and what is asked of a socket before use?"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["SocketFactory", "is_local", "names_this_machine", "send_at_once"]

SocketFactory: TypeAlias = Callable[[str, int, float], socket.socket]


def send_at_once(sock: socket.socket) -> None:
    """Switch Nagle's algorithm off.

    A command is one small segment that must not wait for the acknowledgement of the one before:
    Nagle's algorithm and delayed ACK cost 40 ms each time.
    """
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def names_this_machine(host: str) -> bool:
    """True for ``localhost`` and for loopback addresses."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_local(sock: socket.socket) -> bool:
    """True if the peer is this machine: a loopback address, or no network at all."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return sock.family == getattr(socket, "AF_UNIX", None)
    try:
        return names_this_machine(sock.getpeername()[0].partition("%")[0])
    except OSError:
        return False
