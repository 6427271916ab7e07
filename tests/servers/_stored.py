"""How a server had its mail: what stood in its folder, and what it puts into a message itself.

A server that keeps mail in a file of the mbox format serves other octets than those that were
delivered: what wrote the file has ended lines with LF, put ``>`` before ``From `` and an empty line
behind each message. Some then add header fields of their own, which are on the wire, and in the
sizes, as if the message had had them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.peers import _mail

if TYPE_CHECKING:
    from collections.abc import Callable

    _Way = Callable[[list[bytes], list[str]], list[bytes]]

_SEPARATOR = b"From sender@example.test Mon Jan  2 10:11:00 2023\n"


def stored(how: str, uids: list[str]) -> list[bytes]:
    """The messages, in order, as a server had them.

    Args:
        how: Empty for as they are, ``lf`` (with LF), ``imported`` (by an import that refuses NUL
            and has X for each octet of a header that is not ASCII), ``mbox`` (a file of that
            format), or that file as ``uw-ipop3d`` or ``mailutils`` shows it.
        uids: The unique-ids that the server gave them.
    """
    return _WAYS[how](list(_mail.messages().values()), uids)


def rewritten(how: str, uids: list[str]) -> list[bytes]:
    """The messages as the server has them once its first reader has gone.

    Args:
        how: As in :func:`stored`.
        uids: The unique-ids.
    """
    return _REWRITTEN.get(how, _WAYS[how])(list(_mail.messages().values()), uids)


def _as_is(messages: list[bytes], _uids: list[str]) -> list[bytes]:
    return messages


def _lf(messages: list[bytes], _uids: list[str]) -> list[bytes]:
    return [octets.replace(b"\r\n", b"\n") for octets in messages]


def _imported(messages: list[bytes], _uids: list[str]) -> list[bytes]:
    halves = (octets.replace(b"\0", b"").partition(b"\r\n\r\n") for octets in messages)
    return [re.sub(rb"[\x80-\xff]", b"X", head) + empty + body for head, empty, body in halves]


def _mbox(messages: list[bytes], uids: list[str]) -> list[bytes]:
    unquoted = map(_whole, _lf(messages, uids))
    return [re.sub(rb"^(>*From )", rb">\1", octets, flags=re.MULTILINE) for octets in unquoted]


def _whole(octets: bytes) -> bytes:
    """With an end of its last line, and of its header, which is the file's own empty line."""
    ended = octets if octets.endswith(b"\n") else octets + b"\n"
    return ended if b"\n\n" in ended else ended + b"\n"


def _uw_ipop3d(
    messages: list[bytes], uids: list[str], status: bytes = b"Status:  O\n"
) -> list[bytes]:
    """A CR is the end of a line or nothing, and each message has a Status field."""
    plain = (octets.replace(b"\r", b"") for octets in _mbox(messages, uids))
    return [_with_fields(octets, status) for octets in plain]


def _uw_ipop3d_later(messages: list[bytes], uids: list[str]) -> list[bytes]:
    return _uw_ipop3d(messages, uids, b"Status: RO\n")


def _mailutils(messages: list[bytes], uids: list[str]) -> list[bytes]:
    """As it shows them to the first who asks for unique-ids, and until he goes."""
    return _mailutils_with(messages, uids, ["X-UID: {n}", "Status: O", "X-UIDL: {uid}"])


def _mailutils_later(messages: list[bytes], uids: list[str]) -> list[bytes]:
    return _mailutils_with(messages, uids, ["X-UIDL: {uid}", "X-UID: {n}", "Status: OR"])


def _mailutils_with(messages: list[bytes], uids: list[str], fields: list[str]) -> list[bytes]:
    """The messages with header fields that keep what the server knows of them."""
    base = f"X-IMAPbase: 1795487188 {len(messages):20}"
    out: list[bytes] = []
    for n, (octets, uid) in enumerate(zip(_joined(messages), uids, strict=True), 1):
        lines = [base, *fields] if n == 1 else fields
        text = "".join(f"{line}\n" for line in lines).format(n=n, uid=uid)
        out.append(_with_fields(octets, text.encode()))
    return out


def _joined(messages: list[bytes]) -> list[bytes]:
    """The messages as its reader of mbox files tells them apart.

    A header alone has no end to it, so that the next message belongs to it, separator and all; an
    empty body is the file's own empty line, where others do not count that.
    """
    texts = _lf(messages, [])
    first = next(n for n, octets in enumerate(texts) if b"\n\n" not in octets)
    texts[first : first + 2] = [texts[first] + b"\n" + _SEPARATOR + texts[first + 1]]
    ended = map(_whole, texts)
    return [
        octets + b"\n" if octets.find(b"\n\n") == len(octets) - 2 else octets for octets in ended
    ]


def _with_fields(octets: bytes, fields: bytes) -> bytes:
    header, _, body = octets.partition(b"\n\n")
    return header + b"\n" + fields + b"\n" + body


_WAYS: dict[str, _Way] = {
    "": _as_is,
    "lf": _lf,
    "imported": _imported,
    "mbox": _mbox,
    "uw-ipop3d": _uw_ipop3d,
    "mailutils": _mailutils,
}

#: Those who change what they have.
_REWRITTEN: dict[str, _Way] = {
    "uw-ipop3d": _uw_ipop3d_later,
    "mailutils": _mailutils_later,
}
