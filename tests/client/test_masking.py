"""What is left of a text that quotes a secret."""

from __future__ import annotations

import pytest

from pop3client._masking import mask, mask_octets

SECRET = "correct horse battery"


@pytest.mark.parametrize(
    ("text", "secret", "shown"),
    [
        ("nothing to hide", SECRET, "nothing to hide"),
        (f"PASS {SECRET}", SECRET, "PASS *****"),
        (f"{SECRET}{SECRET} twice", SECRET, "********** twice"),
        # Servers cut off what they echo.
        (SECRET[:8], SECRET, "*****"),
        (f"bad: {SECRET[:12]}...", SECRET, "bad: *****..."),
        (SECRET[:7], SECRET, SECRET[:7]),
        (f"{SECRET[:9]}x{SECRET}", SECRET, "*****x*****"),
        # What begins it is within it once more, and so is what stands for it.
        ("abcdefghabcdefghxyz", "abcdefghabcdefghxyz", "*****"),
        ("********* and *****", "****", f"{'*' * 11} and {'*' * 6}"),
        ("short: abc, ab", "abc", "short: *****, ab"),
        ("no secret", "", "no secret"),
    ],
)
def test_what_shows(text: str, secret: str, shown: str) -> None:
    """Neither the secret nor eight characters or more of its beginning show."""
    assert mask(text, secret) == shown
    assert mask_octets(text.encode(), secret.encode()) == shown.encode()


def test_octets_of_any_kind() -> None:
    """Octets that are no text are masked as well, and others are left as they are."""
    secret = "pässwörd-ß".encode()

    assert mask_octets(b"\xff\x00 " + secret + b"\xfe", secret) == b"\xff\x00 *****\xfe"
