"""What the client has sent, cut into lines as the server means them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pop3scenarios import ServerSection

#: Security limit: RFC 2449 asks for 255 octets, RFC 5034 for more in a SASL response.
MAX_LINE = 16_384

_SPACES = re.compile(r" +")


class Input:
    """The octets of the client that have not been dealt with.

    Args:
        server: What ends a line, how long it may be, and what white space is tolerated.
    """

    def __init__(self, server: ServerSection) -> None:
        self._octets = bytearray()
        self._after_cr = False
        self.follow(server)

    def follow(self, server: ServerSection) -> None:
        """Cut what comes from here on as another server does.

        Args:
            server: As in the constructor.
        """
        self._ends = server.line_ends or "lf"
        self._tolerates = server.tolerates or ()
        #: The most octets that a command line may have.
        self.limit = min(server.line_limit or MAX_LINE, MAX_LINE)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._octets)

    @property
    def endless(self) -> bool:
        """Whether there is more than any line may have, and no end of it."""
        # A CR may be the first half of its end.
        return len(self._octets) - self._octets.endswith(b"\r") > MAX_LINE

    def add(self, data: bytes) -> None:
        """Octets have come."""
        self._octets += data

    def clear(self) -> None:
        """What has come is lost."""
        self._octets.clear()

    @property
    def pending(self) -> str:
        """All of it; it stays."""
        return self._octets.decode("utf-8", "surrogateescape")

    def take(self) -> str:
        """All of it, whether it is a whole line or not."""
        line = self.pending
        self._octets.clear()
        return line

    def line(self) -> str | None:
        """The next line, without its end; None if none is complete."""
        if self._ends == "cr":
            line = self._by_cr()
        else:
            line = self._by(b"\r\n" if self._ends == "crlf" else b"\n")
            if line is not None and self._ends == "lf":
                line = line.removesuffix(b"\r")
        return None if line is None else line.decode("utf-8", "surrogateescape")

    def _by(self, mark: bytes) -> bytearray | None:
        end = self._octets.find(mark)
        if "nul-joins" in self._tolerates and b"\0" in self._octets[: max(end, 0)]:
            # What stands behind a NUL is not seen, the end of the line included.
            end = self._octets.find(mark, end + len(mark))
        if end < 0:
            return None
        line = self._octets[:end]
        del self._octets[: end + len(mark)]
        return line

    def _by_cr(self) -> bytearray | None:
        """Where a CR ends a line by itself, an LF behind it belongs to it."""
        if self._after_cr and self._octets:
            self._after_cr = False
            if self._octets.startswith(b"\n"):
                del self._octets[:1]
        found = re.search(rb"[\r\n]", self._octets)
        if found is None:
            return None
        self._after_cr = found[0] == b"\r"
        line = self._octets[: found.start()]
        del self._octets[: found.end()]
        return line

    def tidied(self, line: str) -> str:
        """A line with the white space that the server tolerates made single spaces.

        Args:
            line: The line as it came.
        """
        # A password may hold white space wherever it likes.
        if not self._tolerates or line[:5].upper() == "PASS ":
            return line
        if not {"nul", "nul-joins"}.isdisjoint(self._tolerates):
            line = line.partition("\0")[0]
        if "tabs" in self._tolerates:
            line = line.replace("\t", " ")
        if "carriage-returns" in self._tolerates:
            line = line.replace("\r", " ")
        if "leading-spaces" in self._tolerates:
            line = line.lstrip(" ")
        if "trailing-spaces" in self._tolerates:
            line = line.rstrip(" ")
        return _SPACES.sub(" ", line) if "repeated-spaces" in self._tolerates else line
