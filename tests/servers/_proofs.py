"""A client's proof that it knows the password, made anew for what the mock has asked.

The digests of a transcript answer the timestamps and challenges of that day, which nobody gives a
second time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_USER, _PASSWORD = b"alice", b"secret"

#: What the client begins a SCRAM exchange with.
_CLIENT_FIRST = b"n=alice,r=fyko+d2lbbFgONRv9qkxdawL"


def proven(probe: str, sent: bytes, heard: bytes) -> bytes:
    """What the client says in a probe, with the digest that is right here.

    Args:
        probe: The name of the probe.
        sent: What the transcript's client said.
        heard: What the mock has said last.
    """
    match probe:
        case "APOP-good":
            return b"APOP %b %b\r\n" % (_USER, _apop(heard))
        case "APOP-uc":
            return b"APOP %b %b\r\n" % (_USER, _apop(heard).upper())
        case "CRAM-2":
            digest = hmac.new(_PASSWORD, _challenge(heard), "md5").hexdigest()
            return _response(_USER + b" " + digest.encode())
        case "SCRAM-SHA-1-2" | "SCRAM-SHA-256-2":
            return _response(_scram("sha1" if "SHA-1-" in probe else "sha256", _challenge(heard)))
        case _:
            return sent


def _apop(greeting: bytes) -> bytes:
    stamp = re.search(rb"<.*>", greeting)
    known = (stamp[0] if stamp else b"") + _PASSWORD
    return hashlib.md5(known, usedforsecurity=False).hexdigest().encode()


def _scram(name: str, server_first: bytes) -> bytes:
    """The client-final message (RFC 5802, section 3)."""
    asked = dict(part.split(b"=", 1) for part in server_first.split(b",") if b"=" in part)
    if not asked.keys() >= {b"r", b"s", b"i"}:
        return b""
    final = b"c=biws,r=" + asked[b"r"]
    salted = hashlib.pbkdf2_hmac(name, _PASSWORD, base64.b64decode(asked[b"s"]), int(asked[b"i"]))
    client_key = hmac.digest(salted, b"Client Key", name)
    message = b",".join((_CLIENT_FIRST, server_first, final))
    signature = hmac.digest(hashlib.new(name, client_key).digest(), message, name)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return final + b",p=" + base64.b64encode(proof)


def _challenge(heard: bytes) -> bytes:
    return base64.b64decode(heard[2:]) if heard.startswith(b"+ ") else b""


def _response(data: bytes) -> bytes:
    return base64.b64encode(data) + b"\r\n"
