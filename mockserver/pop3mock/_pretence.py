"""What a server says in place of the TLS handshake, if a scenario has it fail."""

from __future__ import annotations

#: What is said: by a server that does not speak TLS, and by one that has nothing in common with the
#: client, a fatal handshake_failure (RFC 5246, section 7.2.2).
_LAST_WORDS = {
    "garbage": b"This is not a TLS handshake.\r\n",
    "alert": b"\x15\x03\x03\x00\x02\x02\x28",
}

#: The type of the records in which a handshake comes, and the octets before their contents.
_HANDSHAKE_RECORD, _RECORD_HEADER = 22, 5


class Pretence:
    """Hears a client out that begins a handshake, and then says something else.

    Args:
        how: One of :attr:`WAYS`.

    Attributes:
        how: What is said in place of the handshake.
    """

    WAYS = frozenset(_LAST_WORDS)

    __slots__ = ("_hello", "how")

    def __init__(self, how: str) -> None:
        self.how = how
        self._hello = bytearray()

    def hear(self, data: bytes) -> bytes | None:
        """What is said to what should be a ClientHello; None while that is not complete.

        Args:
            data: Octets of the client.
        """
        self._hello += data
        # What is closed while the client is still speaking is reset, and the alert gets lost.
        if self.how == "garbage" or self._whole:
            return _LAST_WORDS[self.how]
        return None

    @property
    def _whole(self) -> bool:
        """Whether a record of the handshake is complete; what is no such record is complete too."""
        if not self._hello.startswith(bytes([_HANDSHAKE_RECORD])):
            return True
        length = int.from_bytes(self._hello[3:_RECORD_HEADER], "big")
        return len(self._hello) >= _RECORD_HEADER + length
