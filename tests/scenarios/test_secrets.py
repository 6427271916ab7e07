"""Secrets that look real are told from examples."""

from __future__ import annotations

import base64

import pytest

from pop3scenarios import shipped
from pop3scenarios._secrets import is_real_password, secrets_in
from pop3scenarios.tools import review

#: Put together here, so that no scanner takes this file for a leak.
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
RANDOM = "q7Zp3XvB" + "9Lk2Wd8R" + "tYf5Hn1M" + "cJ6sGxQa4E"
BEARER = "ya29." + "A0ARrdaM" * 5

REAL = [
    (JWT, "a JSON web token"),
    (BEARER, "a Google access token"),
    ("1//" + "0gAbCdEf" * 5, "a Google refresh token"),
    ("AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r", "a Google API key"),
    ("AKIA" + "IOSFODNN7EXAMPLE", "an AWS key id"),
    ("ghp_" + "a1B2c3D4e5F6" * 3, "a GitHub token"),
    ("glpat-" + "xyz123ABC456def789GH", "a GitLab token"),
    ("xoxb-" + "123456789012-abcdefghij", "a Slack token"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "a private key"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a private key"),
    (RANDOM, "a random key"),
]

EXAMPLES = [
    "secret",
    "this-is-a-long-example-of-a-token-that-everybody-can-read",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "c" * 64,
    "d41d8cd98f00b204e9800998ecf8427e",
    "AGFsaWNlAHNlY3JldA==",
    "dXNlcj1hbGljZUBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciBleGFtcGxlLXRva2VuAQE=",
    "<1896.697170952@dbc.mtview.ca.us>",
    "-----BEGIN CERTIFICATE-----",
    "----=_NextPart_000_0012_01C4B5A7.0A1B2C3D",
    "=_NextPart_000_0012_01C4B5A7_0A1B2C3D",
    "The quick brown fox jumps over the lazy dog",
    "",
]


@pytest.mark.parametrize(("text", "kind"), REAL)
def test_real(text: str, kind: str) -> None:
    """A secret of a known form, or a long random word, is found where it stands, once."""
    found = list(secrets_in(f"reply: {text} x"))

    assert found == [(7, kind)]


@pytest.mark.parametrize("text", EXAMPLES)
def test_example(text: str) -> None:
    """Words, digests and encoded examples are no secrets."""
    assert list(secrets_in(text)) == []


def test_secret_behind_base64() -> None:
    """A bearer token in a SASL response is found although it is encoded."""
    response = base64.b64encode(f"user=a\1auth=Bearer {BEARER}\1\1".encode()).decode()

    assert [kind for _, kind in secrets_in(response)] == ["a Google access token, in base64"]


def test_attachment() -> None:
    """A line of base64 among others is the attachment of a mail."""
    assert list(secrets_in(f"Content-Type: x\n\n{RANDOM}\n{RANDOM}\n")) == []
    assert [kind for _, kind in secrets_in(f"{RANDOM}\n")] == ["a random key"]


@pytest.mark.parametrize("password", [RANDOM, "abcd efgh ijkl mnop", "x9$Kq2!vR7#p", JWT])
def test_real_password(password: str) -> None:
    """A password that a generator or a provider has made looks real."""
    assert is_real_password(password)


@pytest.mark.parametrize(
    "password", ["", "secret", "hunter2", "correct horse battery staple", "Correct-Horse-1!", "007"]
)
def test_example_password(password: str) -> None:
    """A password of words, or a short one, is an example."""
    assert not is_real_password(password)


def test_shipped_files_are_clean() -> None:
    """No shipped file holds what looks like a real secret."""
    found = [str(each) for each in review(shipped().values()) if each.kind == "real-secret"]

    assert found == []
