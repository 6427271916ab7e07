"""What pytest says of a comparison with a journal: two conversations side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

HEAD = """
def test(pop3_server, talk):
    talk(pop3_server, "USER alice", "QUIT")
    journal = pop3_server.journal
"""


@pytest.mark.parametrize(
    "comparison",
    [
        'journal == ["STAT", "QUIT"]',
        'journal.commands == ["STAT", "QUIT"]',
        'journal.last == ["STAT", "QUIT"]',
        '["STAT", "QUIT"] == journal.last.commands',
    ],
)
def test_commands(run: Run, comparison: str) -> None:
    """A journal, a connection and their commands say what was expected, and what came instead."""
    result = run(f"{HEAD}    assert {comparison}\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *commands differ from number 1 on (- expected, + came)",
            "E *- C: STAT",
            "E *+ C: USER alice",
            "E *  S: +OK now the password for alice",
            "E *  C: QUIT",
        ],
        consecutive=True,
    )


def test_secret_that_is_spelt_out(run: Run) -> None:
    """A list that has a secret is told so, and the explanation does not repeat it."""
    result = run("""
EXPECTED = ["USER alice", "PASS secret", "QUIT"]

def test(pop3_server, talk):
    talk(pop3_server, "USER alice", "PASS secret", "QUIT")
    assert pop3_server.journal.commands == EXPECTED
""")

    result.stdout.fnmatch_lines(
        ["E *from number 2 on *", "E *+ C: PASS [*][*][*][*]", "E *[?] *not kept: write *"]
    )
    result.stdout.no_fnmatch_line("E *PASS secret*")


def test_what_is_the_same_is_left_out(run: Run) -> None:
    """Of a long conversation only what surrounds the difference is shown."""
    result = run("""
def test(pop3_server, talk):
    talk(pop3_server, "USER alice", "PASS secret", *["NOOP"] * 50, "QUIT")
    assert pop3_server.journal.commands == ["USER alice", "PASS ****", *["NOOP"] * 50]
""")

    result.stdout.fnmatch_lines(["E *from number 53 on *", "E * … 102 the same", "E *+ C: QUIT"])


def test_transcripts(run: Run) -> None:
    """Transcripts are compared without what is never the same again."""
    result = run("""
def test_other(pop3_server, talk):
    talk(pop3_server, "USER alice", "QUIT")
    assert pop3_server.transcript() == pop3_server.transcript().replace("C: USER alice", "C: STAT")

def test_time(pop3_server, talk):
    talk(pop3_server, "QUIT")
    assert pop3_server.transcript() == pop3_server.transcript().replace(" +0.0", " +9.0")
""")

    result.stdout.fnmatch_lines(
        ["E *- #1 C: STAT", "E *+ #1 C: USER alice", "E *in their times and addresses alone*"]
    )


def test_claim(run: Run) -> None:
    """A claim fails where the test makes it, with what differs; none of our code is shown."""
    result = run(f'{HEAD}    journal.assert_conversation("C: STAT\\nC: QUIT")\n')

    result.stdout.fnmatch_lines(
        [
            ">       journal.assert_conversation(*",
            "E       pop3mock._verification.VerificationFailed: expected the conversation as *",
            "E         - C: STAT",
            "E         + C: USER alice",
        ]
    )
    result.stdout.no_fnmatch_line("*raise VerificationFailed*")


@pytest.mark.parametrize("other", ["[1]", "None", "{'CAPA'}"])
def test_other_comparisons(run: Run, other: str) -> None:
    """What is no list of commands is explained as pytest does."""
    result = run(f"{HEAD}    assert journal == {other}\n")

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*commands differ*")
