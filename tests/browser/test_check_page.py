"""The page of ``pop3kit check`` in a browser: one server, several servers, links to a case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pop3check import Facts, Limits, Outcome, Record, Report, Target, Verdict, WireLine
from pop3kit._checkpage import check_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Locator, Page

    from .conftest import Visit

pytestmark = [pytest.mark.once, pytest.mark.asyncio(loop_scope="session")]

#: What a server may say to whoever shows it.
EVIL = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>&amp;<!--"

#: What two servers do; None where a case was not asked.
FOUND: dict[str, tuple[Outcome | None, Outcome | None]] = {
    "SEC-01": (Outcome.FAIL, Outcome.PASS),
    "RFC1939-5-01": (Outcome.PASS, Outcome.PASS),
    "RFC1939-5-02": (Outcome.FAIL, Outcome.NON_STRICT),
    **{f"RFC1939-7-{n:02}": (Outcome.SKIP, Outcome.INFO) for n in range(1, 40)},
    "RFC2449-5-01": (Outcome.PASS, None),
}

TARGET = Target(host="mail.example", user="alice", password="secret")


def verdict(case: str, outcome: Outcome) -> Verdict:
    """A verdict of which not much matters."""
    texts: dict[str, Any] = (
        {"expected": "+OK", "actual": EVIL} if outcome is Outcome.FAIL else {"reason": "so"}
    )
    return Verdict(
        case=case,
        title=f"what {case} is about",
        outcome=outcome,
        requirement="what it asks",
        references=("RFC 1939 section 5",),
        why="it matters",
        security=case.startswith("SEC"),
        wire=(WireLine("S", EVIL, tls=False),),
        **texts,
    )


def record(which: int, name: str, *lost: str) -> Record:
    """What one of the servers does."""
    verdicts = tuple(
        verdict(case, outcome) for case, each in FOUND.items() if (outcome := each[which])
    )
    facts = Facts(greeting=f"+OK {EVIL}", stages={"first": ("TOP",)}, logged_in=True, no_login="")
    return Record.of(
        Report("mail.example:110", facts, verdicts, lost),
        TARGET,
        Limits(),
        began=datetime(2026, 3, 1, tzinfo=UTC),
        seconds=1,
        name=name,
        reproduce=lambda case: f"pop3kit check pop3://alice@mail.example {case}",
    )


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a server that has lost mail."""
    path = tmp_path_factory.mktemp("page") / "one.html"
    path.write_text(check_page([record(0, "first", "uid-7")]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two servers."""
    path = tmp_path_factory.mktemp("page") / "two.html"
    page = check_page([record(0, "first"), record(1, "<b>second</b>")])
    path.write_text(page, encoding="utf-8")
    return path


async def rows(page: Page) -> list[str]:
    """The names of the cases that are shown."""
    return await page.locator("tbody tr.row:visible th .name").all_inner_texts()


async def groups(page: Page) -> list[str]:
    """The names of the sections that are shown."""
    return await page.locator("tbody tr.group:visible th").all_inner_texts()


def cell(page: Page, case: str, column: int = 1) -> Locator:
    """A cell by the id of its case and the number of its column, from 1."""
    return page.locator(f"tr[id='{case}'] td").nth(column - 1)


async def test_sections(visit: Visit, two: Path) -> None:
    """Cases stand below their sections, those of RFCs first, with counts for each server."""
    page = await visit.open(two)

    counts = await page.locator("tr.group").first.locator("td").all_text_contents()

    assert await groups(page) == [
        "RFC 1939 section 5",
        "RFC 1939 section 7",
        "RFC 2449 section 5",
        "security",
    ]
    assert (await rows(page))[:2] == ["RFC1939-5-01", "RFC1939-5-02"]
    assert [" ".join(each.split()) for each in counts] == [
        "✗FAIL 1 ✓PASS 1",
        "~NON-STRICT 1 ✓PASS 1",
    ]
    assert await cell(page, "SEC-01").inner_text() == "✗ FAIL (security)"
    assert await cell(page, "RFC2449-5-01", 2).inner_text() == "no result"


async def test_filter_by_section(visit: Visit, two: Path) -> None:
    """A section can be chosen; sections without a row that is shown are not shown."""
    page = await visit.open(two)

    await page.get_by_label("Section").select_option("RFC 1939 section 5")
    chosen = await groups(page), await rows(page)
    await page.get_by_label("Section").select_option("all")
    await page.get_by_label("Rows with the text").fill("SEC-01")

    assert chosen == (["RFC 1939 section 5"], ["RFC1939-5-01", "RFC1939-5-02"])
    assert await groups(page) == ["security"]
    assert await rows(page) == ["SEC-01"]


async def test_filter_by_outcome(visit: Visit, two: Path) -> None:
    """Cases stay that some server fails, if only failures are wanted."""
    page = await visit.open(two)

    for word in ("NON-STRICT", "INFO", "PASS", "SKIP"):
        await page.get_by_label(word).uncheck()

    assert await rows(page) == ["RFC1939-5-02", "SEC-01"]
    assert await page.locator("output").inner_text() == "2 of 43 rows"


async def test_keys_pass_over_sections(visit: Visit, two: Path) -> None:
    """Arrow keys lead from the last case of a section to the first of the next."""
    page = await visit.open(two)
    await cell(page, "RFC1939-5-02").focus()

    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")

    focused = await page.evaluate("document.activeElement.closest('tr').id")
    assert focused == "RFC1939-7-01"


async def test_detail(visit: Visit, two: Path) -> None:
    """A cell opens to all that is known, the wire, and the command; nothing in it is markup."""
    page = await visit.open(two)

    await cell(page, "SEC-01").click()
    told = await page.get_by_role("dialog", name="SEC-01 – first").inner_text()

    for text in ("what it asks", "RFC 1939 section 5", "it matters", "not connected", "+OK",
                 f"S: {EVIL}", "pop3kit check pop3://alice@mail.example SEC-01"):  # fmt: skip
        assert text in told
    assert await page.title() == "POP3 conformance of servers"
    assert await page.locator("img, b").count() == 0
    assert visit.complaints == []


async def test_link_to_a_case(visit: Visit, two: Path) -> None:
    """The address of an open case leads whoever follows it to the same case."""
    page = await visit.open(two)
    await cell(page, "RFC1939-7-30").click()
    address = page.url

    await page.goto("about:blank")
    await page.goto(address)

    assert address.endswith("#RFC1939-7-30")
    assert await page.get_by_role("dialog", name="RFC1939-7-30 – first").is_visible()


async def test_link_on_the_page(visit: Visit, two: Path) -> None:
    """An address that changes leads on; one that names no case leads nowhere."""
    page = await visit.open(two)

    await page.evaluate("location.hash = 'detail'")
    await page.evaluate("location.hash = 'nowhere'")
    nothing = await page.get_by_role("dialog").count()
    await page.evaluate("location.hash = 'SEC-01'")
    await page.get_by_role("dialog", name="SEC-01 – first").wait_for()

    assert nothing == 0
    assert visit.complaints == []


async def test_lost_mail_comes_first(visit: Visit, one: Path) -> None:
    """Lost mail is an alarm above everything else; the facts of one server are told."""
    page = await visit.open(one)

    alarm = page.get_by_role("alert")

    first = await page.locator("header > *").nth(1).inner_text()
    assert await alarm.inner_text() == first
    assert "mail was lost" in first
    assert "uid-7" in first
    assert f"+OK {EVIL}" in await page.locator("header .facts").inner_text()
    assert await page.title() == "POP3 conformance of first"


async def test_no_network(visit: Visit, one: Path) -> None:
    """The page asks for nothing but itself."""
    await visit.open(one)

    assert visit.asked == [one.as_uri()]


async def test_narrow(visit: Visit, two: Path) -> None:
    """On a telephone the page is no wider than the window, and a result is beside its case."""
    page = await visit.open(two)
    try:
        await page.set_viewport_size({"width": 390, "height": 800})

        wide = await page.evaluate("document.documentElement.scrollWidth")
        box = await cell(page, "RFC1939-5-01").bounding_box()
    finally:
        await page.set_viewport_size({"width": 1000, "height": 600})

    assert wide <= 390
    assert box is not None
    assert box["x"] + 90 <= 390
