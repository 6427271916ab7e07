"""Secrets of a login, and the forms in which they must not come back."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from pop3check._redaction import Redaction, Unredacted

PASSWORD = b"Corr3ct horse=1"


@pytest.fixture
def redaction() -> Redaction:
    """One that knows a password."""
    made = Redaction()
    made.password(PASSWORD)
    return made


@pytest.mark.parametrize(
    "octets",
    [
        PASSWORD,
        PASSWORD.upper(),
        PASSWORD[::-1],
        PASSWORD.hex().encode(),
        quote(PASSWORD).encode(),
        PASSWORD.replace(b"=", b"=3D"),
        base64.b64encode(PASSWORD),
        base64.b64encode(b"a" + PASSWORD + b"b"),
        base64.b64encode(b"ab" + PASSWORD),
        base64.urlsafe_b64encode(b"\0alice\0" + PASSWORD),
    ],
)
def test_derived_forms_are_found(octets: bytes, redaction: Redaction) -> None:
    """However a secret is written, and wherever it begins, it is found; and never shown."""
    with pytest.raises(Unredacted) as caught:
        redaction.guard(b"before " + octets + b" behind", "message 1")

    assert "message 1" in str(caught.value)
    assert PASSWORD.decode() not in str(caught.value) + repr(redaction)


@pytest.mark.parametrize("octets", [b"", b"Corr3ct", b"horses", base64.b64encode(b"other words")])
def test_other_octets_pass(octets: bytes, redaction: Redaction) -> None:
    """What is no secret is written as it is."""
    assert octets == redaction.guard(octets, "message 1")


@pytest.mark.parametrize(("octets", "stands"), [(b"a 12 b", True), (b"size 1234", False)])
def test_short_secrets_count_as_words(octets: bytes, stands: bool) -> None:
    """Three letters stand in any message; alone they are the secret."""
    redaction = Redaction()
    redaction.password(b"12")

    try:
        redaction.guard(octets, "x")
        found = False
    except Unredacted:
        found = True

    assert stands == found


@pytest.mark.parametrize(
    ("mechanism", "responses", "secret"),
    [
        ("PLAIN", [b"\0alice\0the-secret"], b"the-secret"),
        ("LOGIN", [b"alice", b"the-secret"], b"the-secret"),
        (
            "CRAM-MD5",
            [b"alice 0123456789abcdef0123456789abcdef"],
            b"0123456789abcdef0123456789abcdef",
        ),
        ("XOAUTH2", [b"user=alice\x01auth=Bearer to-ken-1\x01\x01"], b"to-ken-1"),
    ],
)
def test_sasl_responses_are_opened(mechanism: str, responses: list[bytes], secret: bytes) -> None:
    """What a response proves with is a secret by itself; the user name in it is none."""
    redaction = Redaction()
    for nth, response in enumerate(responses, 1):
        redaction.response(base64.b64encode(response), mechanism, nth)

    with pytest.raises(Unredacted):
        redaction.guard(b"<" + secret + b">", "x")
    assert redaction.guard(b"hello alice", "x") == b"hello alice"
