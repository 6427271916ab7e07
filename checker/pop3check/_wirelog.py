"""The octets of a conversation as they are shown: line by line, secrets masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MASK = "********"

#: So much of one entry is kept; a message may be of any size.
_SHOWN = 2000

#: Commands whose last word proves who somebody is (RFC 1939, section 7; RFC 5034, section 4).
_PROOFS = re.compile(r"(?is)\A(PASS |APOP [^ ]* |AUTH[ \t]+[^ \t]+[ \t]+)(.+?)(\r?\n?)\Z")

#: A challenge by which the server proves in SCRAM that it knows the password: ``v=`` in Base64. Who
#: has seen it can try passwords at leisure.
_SERVER_PROOF = re.compile(r"(?s)\A\+ dj[01].*\Z")


@dataclass(frozen=True, slots=True)
class WireLine:
    """One line that crossed the wire.

    Attributes:
        sender: ``C`` the checker, ``S`` the server.
        text: Its octets, with escapes for what is not printable ASCII.
        tls: Whether it went inside TLS.
        connection: The name of the connection where there are several; else empty.
    """

    sender: Literal["C", "S"]
    text: str
    tls: bool
    connection: str = ""

    def __str__(self) -> str:
        name = f"[{self.connection}] " if self.connection else ""
        return f"{name}{self.sender}{'*' if self.tls else ':'} {self.text}"


class WireLog:
    """Writes down what is said, and never a secret.

    Args:
        secrets: Texts that must not be shown wherever they come.
    """

    def __init__(self, *secrets: str) -> None:
        known = sorted({text for text in secrets if text}, key=len, reverse=True)
        self._secrets = (
            re.compile("|".join(map(re.escape, known)), re.IGNORECASE) if known else None
        )
        self._lines: list[WireLine] = []
        self._asked_for_proof: set[str] = set()

    @property
    def lines(self) -> tuple[WireLine, ...]:
        """Everything so far."""
        return tuple(self._lines)

    def sent(self, data: bytes, *, tls: bool, connection: str = "", proof: bool = False) -> None:
        """The checker has sent a line.

        Args:
            data: Its octets.
            tls: Whether it went inside TLS.
            connection: The name of the connection.
            proof: Whether it is a SASL response, whatever came before it.
        """
        text = _PROOFS.sub(rf"\1{MASK}\3", _text(data))
        if (proof or connection in self._asked_for_proof) and text.strip() != "*":
            text = MASK + "\r\n"
        self._asked_for_proof.discard(connection)
        self._add("C", text, tls=tls, connection=connection)

    def received(self, data: bytes, *, tls: bool, connection: str = "") -> None:
        """The server has sent a line, a message, or something that is neither."""
        # RFC 5034, section 4: after a challenge the next line is the proof.
        self._asked_for_proof.discard(connection)
        if data.startswith(b"+") and not data.startswith(b"+OK"):
            self._asked_for_proof.add(connection)
        text = _SERVER_PROOF.sub(f"+ {MASK}\r\n", _text(data))
        self._add("S", text, tls=tls, connection=connection)

    def masked(self, text: str) -> str:
        """The text with every known secret replaced."""
        return text if self._secrets is None else self._secrets.sub(MASK, text)

    def _add(self, sender: Literal["C", "S"], text: str, *, tls: bool, connection: str) -> None:
        # Masked before it is cut: a cut through a secret would show half of it.
        safe = self.masked(text).removesuffix("\r\n")
        shown = printable(safe[:_SHOWN])
        if len(safe) > _SHOWN:
            shown += f"… ({len(safe)} characters)"
        self._lines.append(WireLine(sender, shown, tls, connection))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def printable(text: str) -> str:
    r"""The text with ``\r``, ``\n`` and whatever cannot be printed as escapes."""
    octets = text.encode("utf-8", "surrogateescape")
    if octets.isascii() and text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    known = {"\r": r"\r", "\n": r"\n", "\t": r"\t"}
    if character in known:
        return known[character]
    octets = character.encode("utf-8", "surrogateescape")
    return "".join(f"\\x{octet:02x}" for octet in octets)
