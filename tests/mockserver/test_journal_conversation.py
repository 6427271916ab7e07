"""An expected conversation held against the one that came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer, VerificationFailed
from pop3scenarios import loads

if TYPE_CHECKING:
    from pop3mock import Journal

HEAD = "pop3: 1\nname: test\nsummary: test\nmaildrop: [{octets: 120}, {octets: 200}]\n"
LOGIN = b"USER alice\r\nPASS secret\r\n"


def after(*connections: bytes, rules: str = "", end: str = "client closed") -> Journal:
    """The journal of a server after clients without a socket have said this, one by one."""
    server = MockServer(loads(HEAD + rules))
    for octets in connections:
        session = server.session()
        session.connected()
        session.receive(octets)
        session.log.end(end)
        session.lost()
    return server.journal


HOLDS = {
    "as-it-went": """
        S: +OK POP3 server ready ...
        C: USER alice
        S: +OK ...
        C: PASS ****
        S: +OK ...
        C: STAT
        S: +OK 2 320
        C: RETR 1
        S: +OK 120 octets
    """,
    "holes": """
        C: USER {user}
        S: +OK now the password for {user}
        C: PASS {secret}
        C: STAT
        S: +OK {count} {octets}
        C: RETR {n}
    """,
    "commands-alone": "C: USER ...\nC: PASS ...\nC: STAT\nC: RETR 1",
    "keyword-in-any-case": "C: user alice\nC: pass ****\nC: stat\nC: retr 1",
    "optional": "C?: CAPA\nS: +OK\nC: USER ...\nC?: PASS ...\nC: STAT\nC: RETR 1\nC?: QUIT",
    "repeated": "C: USER ...\nC: PASS ...\nC*: NOOP\nC*: {any} ...\nC: RETR 1",
    "ambiguous": "C: USER ...\nC: PASS ...\nC: STAT\nC*: RETR {any}\nC: RETR 1\nC?: QUIT",
    "client-goes": "C: USER ...\nC: PASS ...\nC: STAT\nC: RETR 1\nC: <close>",
}


@pytest.mark.parametrize("text", HOLDS.values(), ids=HOLDS)
def test_holds(text: str) -> None:
    """Holes, open ends, what may be left out, and answers that are not written are as they are."""
    journal = after(LOGIN + b"STAT\r\nRETR 1\r\n")

    journal.assert_conversation(text)
    journal.last.assert_conversation(text)


def told(journal: Journal, text: str) -> list[str]:
    """The difference that is told."""
    with pytest.raises(VerificationFailed) as caught:
        journal.assert_conversation(text)
    return list(caught.value.details)


def test_command_instead_of_another() -> None:
    """The two stand side by side, with how they differ."""
    details = told(after(LOGIN + b"RETR 2\r\nQUIT\r\n"), """
        C: USER ...
        C: PASS ...
        C: RETR 1
        C: QUIT
    """)  # fmt: skip

    assert details == [
        "  C: USER alice",
        "  C: PASS ****",
        "- C: RETR 1",
        "+ C: RETR 2",
        "? expected C: RETR 1 (step 3 of 4); argument 1 is '2', not '1'",
        "+ S: +OK 200 octets",
        "  C: QUIT",
    ]


@pytest.mark.parametrize(
    ("octets", "details"),
    [
        (
            b"CAPA\r\nQUIT\r\n",
            [
                "- C: NOOP",
                (
                    "? expected C: NOOP (step 2 of 3); this is C: QUIT, step 3 (line:3), too early;"
                    " 1 exchange was left out: NOOP"
                ),
                "  C: QUIT",
            ],
        ),
        (b"CAPA\r\nNOOP\r\n", ["  C: NOOP", "- C: QUIT"]),
        (b"", ["- C: CAPA", "- C: NOOP", "- C: QUIT"]),
    ],
)
def test_command_that_is_missing(octets: bytes, details: list[str]) -> None:
    """A command that did not come is told where it should have."""
    journal = after(octets, rules="rules: [{when: NOOP, reply: +OK}]")

    assert told(journal, "C: CAPA\nC: NOOP\nC: QUIT")[-len(details) :] == details


def test_command_too_many() -> None:
    """One that nobody expected is told, also behind the end."""
    details = told(after(b"CAPA\r\nQUIT\r\n"), "C: CAPA")

    assert details[:2] == ["  C: CAPA", "+ C: QUIT"]
    assert details[2].startswith("? the script is over")


def test_hole_that_disagrees() -> None:
    """A hole that is bound must hold the same again; it is told where it was bound."""
    details = told(after(LOGIN + b"RETR 1\r\nDELE 2\r\n"), """
        C: USER ...
        C: PASS ...
        C: RETR {n}
        C: DELE {n}
    """)  # fmt: skip

    assert details[-2].endswith("argument 1 is '2', not '1' ({n} was bound to '1' on line 3)")


def test_answer_that_differs() -> None:
    """An answer that is written is compared, line by line, as far as it is written."""
    journal = after(LOGIN + b"LIST\r\n")
    head = "C: USER ...\nC: PASS ...\nC: LIST\nS: +OK ...\n"

    journal.assert_conversation(f"{head}S: 1 120\nS: 2 200\nS: .")
    details = told(journal, f"{head}S: 1 120\nS: 2 201\nS: .\nS: more")

    assert details[-5:] == [
        "- S: 2 201",
        "+ S: 2 200",
        "? argument 1 is '200', not '201'",
        "  S: .",
        "- S: more",
    ]


def test_end_of_the_connection() -> None:
    """How the server ended the connection is a line of its answer."""
    journal = after(b"NOOP\r\n", rules="rules: [{when: NOOP, reply: +OK, then: reset}]")

    journal.assert_conversation("C: NOOP\nS: +OK\nS: <reset>")

    assert told(journal, "C: NOOP\nS: +OK\nS: <close>")[-2:] == ["- S: <close>", "+ S: <reset>"]


def test_client_that_does_not_go() -> None:
    """A client that was to go away without a word, and said QUIT, did something else."""
    details = told(after(b"QUIT\r\n", end="close"), "C: <close>")

    assert details[:2] == ["- C: <close>", "+ C: QUIT"]


def test_several_connections() -> None:
    """All are claimed at once by names, in the order in which they came; holes are theirs all."""
    journal = after(b"CAPA\r\n", b"USER alice\r\n", b"USER bob\r\n")
    text = "[A] C: CAPA\n[B] C: USER {user}\n[C] C: USER {user}"

    assert told(journal, text)[:4] == ["[A]", "  … 1 the same", "[B]", "  … 1 the same"]
    journal.assert_conversation(text.replace("[C] C: USER {user}", "[C] C: USER bob"))
    journal.connection(2).assert_conversation("C: USER alice")


@pytest.mark.parametrize(
    ("connections", "text"),
    [([b"CAPA\r\n", b"CAPA\r\n"], "C: CAPA"), ([b"CAPA\r\n"], "[A] C: CAPA\n[B] C: CAPA")],
)
def test_other_number_of_connections(connections: list[bytes], text: str) -> None:
    """A connection that nobody expected, and one that never came, are told."""
    journal = after(*connections)

    with pytest.raises(VerificationFailed, match=f"connections?, {len(connections)} came"):
        journal.assert_conversation(text)


def test_nobody_came() -> None:
    """A conversation that never was lacks all its lines."""
    assert told(after(), "S: +OK\nC: QUIT") == ["- S: +OK", "- C: QUIT"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C: PASS sesame", r"line 1: expected PASS \{secret\}"),
        ("S: +OK\nX: CAPA", "line 2: expected a line beginning"),
        ("C: {n", "line 1: '{' is never closed"),
        ("C: AUTH PLAIN\nS: +\nC: c2VzYW1l", r"line 3: expected C: \(SASL response\)"),
        ("C: RETR 1\nS: +OK\nS: <message 1>", "line 3: .* got S: <message 1>, which no journal"),
        ("", "the script is empty"),
    ],
)
def test_text_that_is_wrong(text: str, message: str) -> None:
    """What cannot be asked is a mistake of the test, and told with its line; no secret is."""
    with pytest.raises(ValueError, match=message) as caught:
        after(b"CAPA\r\n").assert_conversation(text)

    assert "sesame" not in str(caught.value)
    assert "c2Vz" not in str(caught.value)


def test_sasl_response() -> None:
    """A response is told by what the journal shows in its place."""
    journal = after(
        b"AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n", rules="server: {capabilities: [SASL PLAIN]}"
    )

    for response in ("(SASL response)", "...", "{response:text}"):
        journal.assert_conversation(f"C: AUTH PLAIN\nS: + ...\nC: {response}\nS: +OK ...")


def test_answer_of_which_more_is_asked_than_is_kept() -> None:
    """Long answers are not kept whole: what is behind that cannot be claimed."""
    journal = after(
        LOGIN + b"RETR 1\r\n", rules="rules: [{when: RETR, reply: '+OK\n\n" + "x\n\n" * 300 + "'}]"
    )
    lines = "\n".join(["S: x"] * 200)

    with pytest.raises(ValueError, match="its first 400 octets are kept"):
        journal.assert_conversation(f"C: USER ...\nC: PASS ...\nC: RETR 1\nS: +OK\n{lines}")
