"""Targets, and what selects the cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3check import Target, TargetError, UnknownCase, select

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("pop3://alice@127.0.0.1:1110", ("127.0.0.1", 1110, "none", "alice")),
        ("pop3://localhost", ("localhost", 110, "none", "")),
        ("pop3://a%40b@mail.example", ("mail.example", 110, "stls", "a@b")),
        ("pop3s://alice@mail.example", ("mail.example", 995, "implicit", "alice")),
        ("pop3+stls://localhost", ("localhost", 110, "stls", "")),
        ("pop3+stls://alice@mail.example:1110", ("mail.example", 1110, "stls", "alice")),
        ("pops://[::1]:9950/", ("::1", 9950, "implicit", "")),
    ],
)
def test_from_url(url: str, expected: tuple[str, int, str, str]) -> None:
    """A URL gives host, port, user and the safe way to connect."""
    target = Target.from_url(url)

    assert expected == (target.host, target.port, target.tls, target.user)


def test_tls_by_choice() -> None:
    """The way to connect can be said, and decides the usual port."""
    assert Target.from_url("pop3://mail.example", tls="implicit").port == 995
    assert Target.from_url("pop3://mail.example", tls="none").tls == "none"


@pytest.mark.parametrize(
    "url",
    ["mail.example", "http://mail.example", "pop3://", "pop3://h:x", "pop3://h/inbox", "pop3://h?x=1",
     "pop3://u%0d%0aQUIT@h", "pop3://[::1"],
)  # fmt: skip
def test_wrong_url(url: str) -> None:
    """A URL that is none of POP3 is refused."""
    with pytest.raises(TargetError):
        Target.from_url(url)


def test_password_in_url() -> None:
    """A password in a URL is refused, and not repeated."""
    with pytest.raises(TargetError) as caught:
        Target.from_url("pop3://alice:hunter2@mail.example")

    assert "hunter2" not in str(caught.value)


def test_repr_shows_no_password() -> None:
    """A target does not show its password."""
    assert "hunter2" not in repr(Target(host="h", user="bob", password="hunter2"))


@pytest.mark.parametrize("timeout", [0, -1])
def test_every_wait_is_bounded(timeout: float) -> None:
    """A timeout of nothing is refused."""
    with pytest.raises(TargetError):
        Target(host="h", timeout=timeout)


def test_unreadable_authorities(tmp_path: Path) -> None:
    """A file of authorities that is not there is the caller's mistake."""
    with pytest.raises(TargetError):
        Target(host="h", ca=tmp_path / "none.pem").context()


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (["RFC1939-5-06"], ["rfc1939-5-06"]),
        (["rfc1939-5-07", "RFC1939-5-07"], ["rfc1939-5-07"]),
        (["rfc1939-5-07", "rfc1939-5-06"], ["rfc1939-5-07", "rfc1939-5-06"]),
        (["default"], ["default"]),
    ],
)
def test_select(selectors: list[str], expected: list[str]) -> None:
    """Cases are selected by id, beginning of an id, or name, each once."""
    assert expected == [scenario.name for scenario in select(selectors)]


def test_select_a_file(tmp_path: Path) -> None:
    """A user's own file is selected by its path."""
    path = tmp_path / "own.pop3.yaml"
    path.write_text('pop3: 1\nname: own\nsummary: own\nscript: "S: +OK ..."\n')

    assert [scenario.name for scenario in select([str(path)])] == ["own"]


@pytest.mark.parametrize("selector", ["rfc1939-99", "rfc19", "nonsense", "./none.pop3.yaml"])
def test_select_nothing(selector: str) -> None:
    """A selector that stands for nothing is an error: it must not look like success."""
    with pytest.raises(UnknownCase, match="selects no case"):
        select([selector])


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("uidle", "did you mean 'uidl'?"),
        ("rfc1939-5-0", "did you mean 'RFC1939-"),
        ("zzz", "or a tag of apop, auth, capa, "),
    ],
)
def test_select_nothing_says_what_there_is(selector: str, said: str) -> None:
    """Ids and tags are suggested, and where all of them are told."""
    with pytest.raises(UnknownCase) as caught:
        select([selector])

    assert said in str(caught.value)
    assert "'pop3kit check --list'" in str(caught.value)
