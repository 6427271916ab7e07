"""Transcripts of real servers: what was said on the wire, probe by probe.

Each file under ``transcripts/`` says in its head how it is written. It is read here into probes,
and a probe into events: a connection is opened, the client says something, the server says
something, TLS begins, the connection ends.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "transcripts"

_LINE = re.compile(r"(?:\[([A-Z])\] )?([CS]): (.*)")
_REMARK = re.compile(r"   -- (?:\[([A-Z])\] )?(.*)")
_SHORTENED = re.compile(r"(.*) \.\.\.\[(\d+) octets, sha1 ([0-9a-f]+)\]\.\.\. (.*)", re.DOTALL)
_WHOLE = re.compile(
    r"\(\d+ lines, \d+ octets left out here; whole answer (\d+) octets, sha1 (\w+)\)"
)
_SUMMARY = re.compile(r"\d+ (?:octets back|answers)|stopped after")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|[rnt0\\])")
_ESCAPED = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


@dataclass(frozen=True, slots=True)
class Digest:
    """Octets that the transcript shortens: how many they are, and their SHA-1's beginning."""

    octets: int
    sha1: str

    def means(self, data: bytes) -> bool:
        """Whether these are the octets."""
        return len(data) == self.octets and hashlib.sha1(data).hexdigest().startswith(self.sha1)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: ``open``, ``login`` (opened and logged in), ``C``, ``S``, ``tls``, ``gone`` (the
            client went away), ``close``, ``reset``, ``summary`` (of what is not on record).
        connection: The name of the connection, where two are open.
        data: The octets of a line, with its line end.
        digest: In place of the octets, where they are shortened and cannot be told.
        whole: The digest is that of the whole answer.
    """

    kind: str
    connection: str = ""
    data: bytes = b""
    digest: Digest | None = None
    whole: bool = False


@dataclass(slots=True)
class Probe:
    """One thing that was tried.

    Attributes:
        name: Its name in the transcript.
        section: The section in which it stands: ``S06``.
        events: What happened.
    """

    name: str
    section: str
    events: list[Event] = field(default_factory=list)


def read(name: str) -> list[Probe]:
    """The probes of a transcript.

    Args:
        name: The name of the file, without ``.txt``.
    """
    probes: list[Probe] = []
    section = ""
    for line in (FOLDER / f"{name}.txt").read_text("utf-8").split("\n"):
        if line.startswith("== "):
            section = line.split(" ")[1]
        elif line.startswith("# ") and section:
            names = [probe.name for probe in probes]
            title = line[2:].split("  ", 1)[0]
            # Some names come twice.
            probes.append(Probe(title + "'" * names.count(title), section))
        elif probes:
            event = _event(line)
            if event is not None:
                probes[-1].events.append(event)
    return probes


def _event(line: str) -> Event | None:
    found = _LINE.match(line)
    if found is not None:
        return _said(found[1] or "", found[2], found[3])
    found = _REMARK.match(line)
    return _remark(found[1] or "", found[2]) if found is not None else None


def _said(connection: str, who: str, text: str) -> Event:
    shortened = _SHORTENED.fullmatch(text)
    if shortened is None:
        return Event(who, connection, _octets(text))
    head, tail = _octets(shortened[1]), _octets(shortened[4])
    digest = Digest(int(shortened[2]), shortened[3])
    filler = head[-1:] * (digest.octets - len(head) - len(tail))
    data = head + filler + tail
    return Event(who, connection, data if digest.means(data) else b"", digest)


def _remark(connection: str, text: str) -> Event | None:
    if text == "(new connection)":
        return Event("open", connection)
    if text.startswith("(new connection, logged in"):
        return Event("login", connection)
    if text.startswith("TLS handshake done"):
        return Event("tls", connection)
    if text == "client closed":
        return Event("gone", connection)
    if "reset (RST)" in text:
        return Event("reset", connection)
    if "closed by server" in text or text == "closed: FIN":
        return Event("close", connection)
    if _SUMMARY.match(text):
        return Event("summary", connection)
    whole = _WHOLE.fullmatch(text)
    if whole is not None:
        return Event("S", connection, digest=Digest(int(whole[1]), whole[2]), whole=True)
    return None


def _octets(text: str) -> bytes:
    out = bytearray()
    at = 0
    for found in _ESCAPE.finditer(text):
        out += text[at : found.start()].encode("utf-8")
        code = found[1]
        out += bytes([int(code[1:], 16)]) if code[0] == "x" else _ESCAPED[code]
        at = found.end()
    return bytes(out + text[at:].encode("utf-8"))
