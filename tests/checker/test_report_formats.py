"""JUnit and Markdown of a run."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from pop3check import Baseline, Entry, Outcome, WireLine, junit, markdown

from ._records import EVIL, record, verdict

EACH = tuple(verdict(f"RFC1939-5-0{n}", outcome) for n, outcome in enumerate(Outcome, 1))


def parsed(document: bytes) -> ET.Element:
    """The root of a document of our own making."""
    return ET.fromstring(document)  # noqa: S314 - nobody else wrote it


def cases(document: bytes) -> dict[str, ET.Element]:
    """The test cases of a document, by the id with which their names begin."""
    return {each.attrib["name"].split()[0]: each for each in parsed(document).iter("testcase")}


def test_junit_suites() -> None:
    """A suite is a section; it counts what is in it, and says when and where."""
    document = junit(record(*EACH, verdict("SEC-01", Outcome.PASS)))

    suites = {each.attrib.pop("name"): each.attrib for each in parsed(document)}

    assert suites["RFC 1939 section 5"] == {
        "tests": "6",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "0.000",
        "timestamp": "2026-03-01T12:30:00",
        "hostname": "mail.example",
    }
    assert suites["security"]["tests"] == "1"


def test_junit_order_of_children() -> None:
    """As the usual schemas want it: one of failure, error, skipped, and then what was printed."""
    found = {
        name: [child.tag for child in each] for name, each in cases(junit(record(*EACH))).items()
    }

    assert found == {
        "RFC1939-5-01": [],
        "RFC1939-5-02": ["system-out"],
        "RFC1939-5-03": ["system-out"],
        "RFC1939-5-04": ["failure"],
        "RFC1939-5-05": ["skipped"],
        "RFC1939-5-06": ["error"],
    }


def test_junit_failure() -> None:
    """A failure says in one line what is wrong, and below it all that is needed to mend it."""
    failure = cases(junit(record(*EACH)))["RFC1939-5-04"].find("failure")

    assert failure is not None
    assert failure.attrib == {"message": "expected +OK, got -ERR no", "type": "FAIL"}
    assert failure.text is not None
    for text in ("what RFC1939-5-04 asks", "C: NOOP\nS* -ERR no", "again: pop3kit check"):
        assert text in failure.text


def test_junit_known_failure() -> None:
    """What the baseline knows is skipped with its reason; what is new to it does not break CI."""
    baseline = Baseline(cases={"RFC1939-5-04": Entry(outcome=Outcome.FAIL, reason="bug 7")})
    new = verdict("RFC1939-5-09", Outcome.FAIL)

    found = cases(junit(record(*EACH, new, baseline=baseline)))

    for name, message in (("RFC1939-5-04", "known: bug 7"), ("RFC1939-5-09", "pending: ")):
        skipped = found[name].find("skipped")
        assert skipped is not None
        assert skipped.attrib["message"].startswith(message)
        assert [child.tag for child in found[name]] == ["skipped", "system-out"]


def test_junit_holds_whatever_a_server_says() -> None:
    """Octets that XML cannot hold are escaped."""
    document = junit(record(verdict("SEC-01", Outcome.FAIL, actual=EVIL)))

    failure = cases(document)["SEC-01"].find("failure")

    assert failure is not None
    assert failure.attrib["message"] == "expected +OK, got " + EVIL.replace("\x01", "\\x01")


def test_markdown_content() -> None:
    """Counts, facts, and each finding with the command that asks again; PASS is only counted."""
    text = markdown(record(*EACH))

    assert "| FAIL | 1 |" in text
    assert "- greeting: +OK hello" in text
    assert re.findall(r"### (\S+):", text) == ["RFC1939-5-04", "RFC1939-5-06", "RFC1939-5-02"]
    assert "```text\nC: NOOP\nS* -ERR no\n```" in text
    assert "```sh\npop3kit check pop3://alice@mail.example RFC1939-5-04\n```" in text


def test_markdown_loss_comes_first() -> None:
    """Lost mail is the first line."""
    assert markdown(record(lost=("uid-1",))).startswith("**Mail was lost**")


@pytest.mark.parametrize("evil", [EVIL, "# a *b* [c](d) `e`\n\n# f", "```\n<b>x</b>\n```"])
def test_markdown_nothing_is_markup(evil: str) -> None:
    """What a server says is shown as it is, in a line or in a block."""
    wire = (WireLine("S", evil, tls=False),)
    failed = verdict("SEC-01", Outcome.FAIL, actual=evil, wire=wire)

    tokens = MarkdownIt("commonmark").parse(markdown(record(failed)))

    fences = [token.content for token in tokens if token.type == "fence"]
    inline = {child.type for token in tokens for child in token.children or ()}
    assert fences[0] == f"S: {evil}\n"
    assert "html_block" not in {token.type for token in tokens}
    assert inline <= {"text", "softbreak", "strong_open", "strong_close", "text_special"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", "h2", "h3"]
