"""Rules that keep others from being reached."""

from __future__ import annotations

import pytest

from pop3scenarios import ScenarioError, loads

HEAD = "pop3: 1\nname: x\nsummary: s\n"


def covers(first: str, later: str) -> bool:
    """Whether a file with these two rules is refused because the later one is unreachable."""
    try:
        loads(HEAD + f"rules:\n  - {{{first}}}\n  - {{{later}}}\n")
    except ScenarioError as error:
        (problem,) = error.problems
        assert (problem.line, problem.column) == (6, 5)
        assert problem.message == "unreachable rule: the rule on line 5 always answers first"
        return True
    return False


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("RETR", "RETR"),
        ("RETR", "retr"),
        ("RETR", "RETR 1"),
        ("RETR", "'RETR {n}'"),
        ("RETR", "RETR ..."),
        ("'*'", "RETR"),
        ("'*'", "'RETR {n}'"),
        ("'*'", "'*'"),
        ("greeting", "GREETING"),
        ("RETR 1", "RETR 1"),
        ("RETR 1", "retr 1"),
        ("'RETR {n}'", "RETR 1"),
        ("'RETR {n}'", "'RETR {m:int}'"),
        ("'RETR {n}'", "'RETR {n}'"),
        ("RETR ...", "RETR"),
        ("RETR ...", "RETR 1"),
        ("RETR ...", "'RETR {n}'"),
        ("RETR ...", "RETR ..."),
        ("TOP 1 ...", "TOP 1 0"),
        ("TOP 1 ...", "'TOP 1 {lines}'"),
        ("'TOP {n} ...'", "'TOP {n} {lines}'"),
        ("'TOP {n} ...'", "'TOP {m:int} ...'"),
        ("'XX {a} {a}'", "'XX {b} {b}'"),
        ("'XX {{a}}'", "'XX {{a}}'"),
        ("[RETR, TOP]", "TOP"),
        ("[RETR, TOP]", "[TOP 1 1, RETR 2]"),
        ("'*'", "[RETR, TOP]"),
    ],
)
def test_pattern_that_covers(first: str, later: str) -> None:
    """A rule is unreachable if an earlier one means every line that it means."""
    assert covers(f"when: {first}", f"when: {later}")


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("RETR", "TOP"),
        ("RETR 1", "RETR"),
        ("RETR 1", "RETR 2"),
        ("USER alice", "USER Alice"),
        ("'RETR {n}'", "RETR"),
        ("'RETR {n}'", "RETR x"),
        ("'RETR {n}'", "'RETR {n:word}'"),
        ("'RETR {n}'", "RETR ..."),
        ("RETR 1", "RETR 1 ..."),
        ("TOP 1 ...", "TOP 12 0"),
        ("TOP 1 ...", "'TOP {n} 0'"),
        ("'TOP {n} ...'", "'TOP {n}5 x'"),
        ("'XX {a} {a}'", "'XX {a} {b}'"),
        ("'*'", "greeting"),
        ("greeting", "'*'"),
        ("RETR", "'*'"),
        ("RETR", "[RETR, TOP]"),
    ],
)
def test_pattern_that_does_not_cover(first: str, later: str) -> None:
    """A rule that means any line that no earlier one means can be reached."""
    assert not covers(f"when: {first}", f"when: {later}")


@pytest.mark.parametrize("key", ["state: transaction", "tls: yes", "user: alice"])
def test_narrower_occasion_does_not_cover(key: str) -> None:
    """A rule that holds only sometimes covers those that hold no oftener."""
    assert not covers(f"when: A, {key}", "when: A")
    assert covers("when: A", f"when: A, {key}")
    assert covers(f"when: A, {key}", f"when: A, {key}")


def test_any_user_covers_each() -> None:
    """A rule for any user name holds wherever one for a certain name does, and not the reverse."""
    assert covers("when: A, user: '*'", "when: A, user: bob")
    assert not covers("when: A, user: bob", "when: A, user: '*'")
    assert not covers("when: A, user: '*'", "when: A")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("state: transaction", "state: authorization"),
        ("tls: yes", "tls: no"),
        ("user: alice", "user: bob"),
        ("state: transaction", "tls: yes"),
    ],
)
def test_other_occasion_does_not_cover(mine: str, theirs: str) -> None:
    """Rules for different occasions do not get in each other's way."""
    assert not covers(f"when: A, {mine}", f"when: A, {theirs}")


@pytest.mark.parametrize(
    ("mine", "theirs", "covered"),
    [
        ("when: A, nth: 2", "when: A", False),
        ("when: A", "when: A, nth: 2", True),
        ("when: A, nth: 2", "when: A, nth: 2", True),
        ("when: A, nth: 2..", "when: A, nth: [3, 5]", True),
        ("when: A, nth: 2..", "when: A, nth: 2..4", True),
        ("when: A, nth: 2..4", "when: A, nth: 2..", False),
        ("when: A, nth: 2", "when: A, nth: 3", False),
        ("when: A, nth: 2, scope: server", "when: A, nth: 2", False),
        ("when: A, nth: 2, scope: server", "when: A, nth: 2, scope: server", True),
        # They do not count the same things, so the second A 1 need not be the second A.
        ("when: A, nth: 2", "when: A 1, nth: 2", False),
        ("when: A, nth: 2", "when: A, nth: 2, user: alice", False),
        ("when: 'A {n}', nth: 2", "when: 'A {m:int}', nth: 2", True),
    ],
)
def test_counted_rules(mine: str, theirs: str, covered: bool) -> None:
    """A counted rule covers only what counts the same occasions and means none besides its own."""
    assert covered == covers(mine, theirs)


def test_variants_are_their_own_layer() -> None:
    """A rule of the file does not make a variant's rule unreachable, nor the other way round."""
    text = HEAD + "rules: [{when: A}]\nvariants: {v: {rules: [{when: A}]}}\n"

    assert len(loads(text, variant="v").rules) == 2


def test_tls_versions_that_leave_none() -> None:
    """A minimum above the maximum leaves no version to speak, and is told with its place."""
    text = "pop3: 1\nname: t\nsummary: t\ntls: {minimum: TLSv1.3, maximum: TLSv1.2}\n"

    with pytest.raises(ScenarioError, match=r":4:6: no version is from TLSv1.3 to TLSv1.2"):
        loads(text)
