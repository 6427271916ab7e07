"""``pop3kit check --list`` and ``--explain``: what can be told without a server."""

from __future__ import annotations

import pytest

from pop3scenarios import load

from ._checking import invoke


def test_list_everything() -> None:
    """Every case is a line: id, level, title, what it takes and what it does."""
    lines = invoke(["--list"]).output.splitlines()

    assert len(lines) > 300
    assert len({line.split()[0] for line in lines}) == len(lines)
    marked = next(line for line in lines if line.startswith("RFC1939-5-37 "))
    assert "does: marks" in marked
    gated = next(line for line in lines if line.startswith("RFC1939-7-05 "))
    assert "if: TOP" in gated
    assert load("rfc1939-7-05").summary in gated


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["RFC1939-5", "--skip", "rfc1939-5-01"], "RFC1939-5-02"),
        (["--level", "must", "RFC1939-7-05"], "RFC1939-7-05"),
        (["RFC1939", "--tag", "top"], "RFC1939-7-01"),
    ],
)
def test_list_selection(arguments: list[str], first: str) -> None:
    """The list is of what the same words would ask."""
    lines = invoke(["--list", *arguments]).output.splitlines()

    assert lines[0].split()[0] == first


def test_tag_narrows() -> None:
    """--tag leaves of the selection what has the tag, as a selector it adds."""
    narrowed = invoke(["--list", "RFC1939-7", "--tag", "uidl"]).output.splitlines()
    tagged = invoke(["--list", "uidl"]).output.splitlines()

    assert 0 < len(narrowed) < len(tagged)
    assert all(line.startswith("RFC1939-7-") for line in narrowed)


def test_explain_script() -> None:
    """A case tells why, where it is said, how it is asked, and who is known to break it."""
    output = invoke(["--explain", "rfc1939-3-14"]).output

    assert output.startswith("RFC1939-3-14  an unknown command does not end the session\n")
    assert "requirement:  After an unknown command the session goes on.\n" in output
    assert "section:      RFC 1939 section 3\n" in output
    assert "known servers: gmail" in output
    assert "capa-closes" in output
    assert "\nC: XYZZ\nS: -ERR ...\n" in output


def test_explain_code() -> None:
    """What no script can say is asked by code; effects and gates are told."""
    output = invoke(["--explain", "RFC1939-5-19"]).output

    assert output.endswith("asked by code\n")
    assert "effects:      reads\n" in output
    assert "if not met:   FAIL\n" in output
