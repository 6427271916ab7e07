"""The answer to CAPA, as a mapping with typed access (RFC 2449 section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

__all__ = ["Capabilities", "CapabilitySnapshots", "Expire", "LoginDelay"]

_NUMBER = re.compile(r"[0-9]{1,18}")


class Expire(NamedTuple):
    """How long the server keeps mail (RFC 2449 section 6.7).

    Attributes:
        days: minimum retention in days; 0 means that mail may be gone after this session;
            None means for ever (``NEVER``).
        per_user: true if the value may be another one after login.
    """

    days: int | None
    per_user: bool = False


class LoginDelay(NamedTuple):
    """How long to wait between two logins (RFC 2449 section 6.5).

    Attributes:
        seconds: minimum time between logins, in seconds.
        per_user: true if the value may be another one after login.
    """

    seconds: int
    per_user: bool = False


class Capabilities(Mapping[str, tuple[str, ...]]):
    """What the server says that it can do. Names are found in any case.

    A server may leave out what it can do and may change its list after STLS and after login;
    this is a snapshot of one answer. It is false if the server has no CAPA.

    Args:
        lines: the lines of the answer, as octets without line ends.
    """

    __slots__ = ("_entries",)

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self._entries: dict[str, tuple[str, ...]] = {}
        for line in lines:
            name, *arguments = line.decode("utf-8", "backslashreplace").split() or [""]
            if name:
                # A capability given twice (SASL on two lines, say) is one with all arguments.
                known = self._entries.get(name.upper(), ())
                self._entries[name.upper()] = (*known, *arguments)

    def without(self, ignored: Iterable[str]) -> Capabilities:
        """Leave out capabilities, or single arguments of them.

        Args:
            ignored: names, such as ``"UTF8"``, and names with an argument, such as
                ``"SASL CRAM-MD5"``, in any case of letters.
        """
        rest = Capabilities()
        rest._entries = dict(self._entries)
        for item in ignored:
            name, _, argument = item.upper().partition(" ")
            if not argument:
                rest._entries.pop(name, None)
            elif name in rest._entries:
                kept = (each for each in rest._entries[name] if each.upper() != argument.strip())
                rest._entries[name] = tuple(kept)
        return rest

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._entries[name.upper()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.upper() in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Capabilities({self._entries!r})"

    @property
    def top(self) -> bool:
        """TOP works (RFC 2449 section 6.1)."""
        return "TOP" in self

    @property
    def user(self) -> bool:
        """USER and PASS are offered (RFC 2449 section 6.2)."""
        return "USER" in self

    @property
    def sasl(self) -> tuple[str, ...]:
        """The SASL mechanisms that AUTH takes, in upper case (RFC 5034 section 3)."""
        return tuple(mechanism.upper() for mechanism in self.get("SASL", ()))

    @property
    def resp_codes(self) -> bool:
        """A text that starts with ``[`` is a response code (RFC 2449 section 6.4)."""
        return "RESP-CODES" in self

    @property
    def auth_resp_code(self) -> bool:
        """``[AUTH]`` tells wrong credentials from other failures (RFC 3206 section 6)."""
        return "AUTH-RESP-CODE" in self

    @property
    def pipelining(self) -> bool:
        """Several commands may be sent at once (RFC 2449 section 6.6)."""
        return "PIPELINING" in self

    @property
    def uidl(self) -> bool:
        """UIDL works (RFC 2449 section 6.8)."""
        return "UIDL" in self

    @property
    def stls(self) -> bool:
        """The connection can be upgraded to TLS (RFC 2595 section 4)."""
        return "STLS" in self

    @property
    def utf8(self) -> bool:
        """UTF8 mode can be asked for (RFC 6856 section 2)."""
        return "UTF8" in self

    @property
    def lang(self) -> bool:
        """The language of texts can be chosen (RFC 6856 section 3)."""
        return "LANG" in self

    @property
    def implementation(self) -> str | None:
        """Name and version of the server, or None (RFC 2449 section 6.9)."""
        words = self.get("IMPLEMENTATION")
        return None if words is None else " ".join(words)

    @property
    def login_delay(self) -> LoginDelay | None:
        """The pause between logins, or None if not given or not understood."""
        number, *rest = self.get("LOGIN-DELAY", ()) or ("",)
        if not _NUMBER.fullmatch(number):
            return None
        return LoginDelay(int(number), _is_per_user(rest))

    @property
    def expire(self) -> Expire | None:
        """How long mail is kept, or None if not given or not understood."""
        days, *rest = self.get("EXPIRE", ()) or ("",)
        if days.upper() == "NEVER":
            return Expire(None, _is_per_user(rest))
        return Expire(int(days), _is_per_user(rest)) if _NUMBER.fullmatch(days) else None


class CapabilitySnapshots(NamedTuple):
    """The answers to CAPA in each stage of a session, which may differ.

    Attributes:
        before_tls: in the clear, before login.
        after_tls: inside TLS, before login.
        after_login: after login.

    None stands for a stage in which CAPA was not asked, or was refused.
    """

    before_tls: Capabilities | None = None
    after_tls: Capabilities | None = None
    after_login: Capabilities | None = None


def _is_per_user(arguments: list[str]) -> bool:
    return "USER" in (argument.upper() for argument in arguments)
