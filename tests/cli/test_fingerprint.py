"""``pop3kit fingerprint``: a server asked how it answers, written down, and held against files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pop3check import Fingerprint, Observed, Probe, Target
from pop3check._observed import PASSWORD, USER
from pop3check._observed_mail import Maildrop, Message
from pop3kit._linting import findings
from pop3kit._played import played
from pop3kit._portrait import Painter, drift, painted
from pop3kit._scenariofile import put
from pop3mock import MockServer
from pop3scenarios import load, loads

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

pytestmark = pytest.mark.once

HEAD = "pop3: 1\nname: odd\nsummary: s\nmaildrop: [{subject: One, octets: 400}, {body: Two}]\n"
ODD = HEAD + "quirks: [retr-without-size, no-top, list-single-refused]\n"
#: A session that asks for the sizes.
LISTED = [
    Probe(line) for line in (b"", b"USER %b\r\n" % USER, b"PASS %b\r\n" % PASSWORD, b"LIST\r\n")
]


def observe(server: MockServer) -> Observed:
    """What a server answers to all questions."""
    user, password = server.credentials
    target = Target(host=server.host, port=server.port, user=user, password=password)
    return Fingerprint(target).take()


@pytest.fixture(scope="module")
def odd() -> Observed:
    """What a server with quirks answered."""
    with MockServer(loads(ODD)) as server:
        return observe(server)


def test_quirks_are_found(odd: Observed) -> None:
    """The quirks of the library that a server shows are named, and no others."""
    picture = painted(odd, "seen", "a host")

    assert {"retr-without-size", "no-top", "list-single-refused"} == set(picture.quirks)
    assert list(map(str, picture.differences)) == []


def test_file_plays_as_the_server(tmp_path: Path, run: Run) -> None:
    """Written by the command, played by the mock, it passes the comparison with itself."""
    path = tmp_path / "seen.pop3.yaml"
    with MockServer("dovecot") as server:
        user, password = server.credentials
        url = f"pop3://{user}@{server.host}:{server.port}"
        made = run("fingerprint", url, "-o", path, password=password)
    with MockServer(path) as mock:
        url = f"pop3://{mock.credentials.user}@{mock.host}:{mock.port}"
        compared = run("fingerprint", url, "--compare", path, password="secret")

    assert (made.exit_code, compared.exit_code) == (0, 0), compared.output
    assert findings([path]) == []
    assert {mock.credentials.user} == set(load(path).users)
    assert "no-apop" in load(path).file.quirks


@pytest.mark.parametrize(
    ("reference", "tls"),
    [("default", "none"), ("gmail", "implicit"), ("exchange-2003", "none")],
)
def test_no_drift_from_itself(reference: str, tls: str, tmp_path: Path, run: Run) -> None:
    """A mock answers as its own scenario: messages are small, sizes wrong, TLS can be bound to."""
    ca = tmp_path / "ca.pem"
    with MockServer(reference) as server:
        user, password = server.credentials
        ca.write_bytes(server.ca_pem)
        url = f"pop3{'s' if tls == 'implicit' else ''}://{user}@localhost:{server.port}"
        options = ("--compare", reference, "--tls", tls, "--cafile", ca)
        same = run("fingerprint", url, *options[: 4 if tls == "none" else 6], password=password)

    assert same.exit_code == 0, same.output


def test_sizes_are_kept_to_the_octet(tmp_path: Path) -> None:
    """A message that nobody fetched has in the file the size that the server told."""
    sizes = [400, 0, 2, 12, 13, 14, 61, 159, 160, 300]
    mail = Maildrop([Message(size) for size in sizes])
    said = [Probe(b"", b"+OK hi\r\n"), Probe(b"CAPA\r\n", b"+OK\r\nUSER\r\n.\r\n")]
    picture = painted(Observed([said], mail=mail), "seen", "a host")
    path = tmp_path / "seen.pop3.yaml"
    put(picture.written, path)

    announced = played(load(path), Observed([LISTED], user="alice"))[-1]

    assert sizes == [int(line.split()[1]) for line in announced.data.splitlines()[:-1]]


def test_capabilities_are_those_of_one_list(tmp_path: Path) -> None:
    """Where TLS brings others, a rule has them: no line of the list stands there twice."""
    with MockServer("default") as server:
        picture = painted(observe(server), "seen", "a host")
    path = tmp_path / "seen.pop3.yaml"
    put(picture.written, path)

    lines = load(path).file.server.capabilities or ()
    assert [line for line in lines if line.startswith("SASL")] == [
        "SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"
    ]
    assert list(map(str, picture.differences)) == []


def test_drift_is_told_once(run: Run) -> None:
    """An answer that was asked for again and again is one line, with how often it came."""
    with MockServer(loads(HEAD + 'rules: [{when: STAT, text: "{count} {octets} x"}]')) as server:
        user, password = server.credentials
        url = f"pop3://{user}@{server.host}:{server.port}"
        made = run("fingerprint", url, "--compare", "default", password=password)

    told = [line for line in made.stdout.splitlines() if line.startswith("STAT\\r\\n: ")]
    assert len(told) == 1
    assert re.search(r" \([0-9]{2} times\)$", told[0])


def test_drift_is_told(odd: Observed, run: Run) -> None:
    """A server that answers otherwise than the file says ends the command with 1, and how."""
    with MockServer("dovecot") as server:
        user, password = server.credentials
        url = f"pop3://{user}@{server.host}:{server.port}"
        same = run("fingerprint", url, "--compare", "dovecot", password=password)
        other = run("fingerprint", url, "--compare", "courier", password=password)

    assert (same.exit_code, other.exit_code) == (0, 1)
    assert "(greeting): server +OK Dovecot (Debian) ready." in other.output


def test_nothing_is_taken_from_the_server(odd: Observed) -> None:
    """No question marks, deletes or changes anything, and only the allowed logins fail."""
    sent = b"\n".join(probe.sent.upper() for probe in odd.probes)

    assert b"DELE" not in sent
    assert sum(probe.sent.startswith(b"PASS no-password") for probe in odd.probes) == 1


def test_no_login_fails_where_none_may(run: Run) -> None:
    """Without a budget no wrong password is sent, and the command says what it left out."""
    with MockServer("default") as server:
        user, password = server.credentials
        url = f"pop3://{user}@{server.host}:{server.port}"
        made = run(
            "fingerprint", url, "--compare", "default", "--login-failures", 0, password=password
        )
        refused = [e for e in server.journal.commands if e.startswith("PASS")]

    assert "left out: refused: no more logins may fail" in made.stderr
    assert "-ERR" not in " ".join(refused)


def test_wrong_password_is_inconclusive(run: Run) -> None:
    """Who is not let in learns why, and that is no verdict about the server."""
    with MockServer("default") as server:
        url = f"pop3://alice@{server.host}:{server.port}"
        made = run("fingerprint", url, "--compare", "default", password="not-the-password")

    assert made.exit_code == 2
    assert "the login was refused" in made.stderr
    assert "not-the-password" not in made.output


def test_password_in_an_answer_is_not_written(tmp_path: Path, run: Run) -> None:
    """A message with the password in it is no part of any file, and the error shows nothing."""
    password = "Xq7-real-password"
    text = f"{HEAD}server: {{users: {{alice: {password}}}}}\n".replace("Two", f"my {password}")
    with MockServer(loads(text)) as server:
        url = f"pop3://alice@{server.host}:{server.port}"
        made = run("fingerprint", url, "-o", tmp_path / "seen.pop3.yaml", password=password)

    assert (made.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "nothing was written" in made.stderr
    assert password not in made.output


def test_unknown_scenario(odd: Observed, run: Run, tmp_path: Path) -> None:
    """What is compared with must be there; and --compare writes nothing."""
    with MockServer("default") as server:
        user, password = server.credentials
        url = f"pop3://{user}@{server.host}:{server.port}"
        missing = run("fingerprint", url, "--compare", "nobody", password=password)
        both = run("fingerprint", url, "--compare", "x", "-o", "y", password=password)

    assert (missing.exit_code, both.exit_code) == (64, 64)


def test_search_keeps_what_agrees(odd: Observed, tmp_path: Path) -> None:
    """No step of the search makes an answer differ that agreed before."""
    painter = Painter(odd, "seen", tmp_path)
    outline = {score.exact for score in [painter.score_of(odd.probes)]}

    picture = painter.picture("a host")

    assert {frozenset(range(len(odd.probes)))} == outline
    assert picture.total == picture.agree


def test_drift_is_symmetric_to_the_file(odd: Observed) -> None:
    """The quirks alone make the difference to the default server."""
    differences = drift(odd, "default")

    asked = {difference.asked.split()[0] for difference in differences if difference.asked}
    assert {b"RETR", b"TOP", b"LIST", b"CAPA"} <= asked
