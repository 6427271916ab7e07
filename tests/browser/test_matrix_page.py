"""The page of ``pop3kit exercise`` in a browser: what it shows, filters, keys, walls."""

from __future__ import annotations

import contextlib
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pop3kit._comparison import Liberty
from pop3kit._handover import Handover
from pop3kit._matrixpage import matrix_page
from pop3kit._results import Exercise, Kind, Messages, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Locator, Page

    from .conftest import Scheme, Visit

pytestmark = [pytest.mark.once, pytest.mark.asyncio(loop_scope="session")]

#: What a server may say to whoever shows it.
EVIL = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>&amp;<!--"

CLIENTS = ("curl", "my <b>client</b>")


def result(
    scenario: str, verdict: Verdict, *kinds: Kind, best: Verdict = Verdict.SURVIVED
) -> Result:
    """A result of which not much matters."""
    return Result(
        scenario=scenario,
        group="quirks",
        summary=f"what {scenario} does {EVIL}",
        tls="stls",
        verdict=verdict,
        best=best,
        kinds=kinds,
        reasons=(f"since {EVIL}", "and so on"),
        messages=Messages(total=3, intact=2, altered=1, missing=0, duplicated=0, gone=0),
        status=1,
        seconds=1.5,
        words=f"it said\n{EVIL}",
        transcript=f"C: RETR 1\nS: {EVIL}",
    )


RESULTS = {
    "alpha": (result("alpha", Verdict.SURVIVED), result("alpha", Verdict.SURVIVED)),
    "beta": (
        result("beta", Verdict.REFUSED, best=Verdict.REFUSED),
        result("beta", Verdict.MISHANDLED, Kind.LEAKED, Kind.HUNG, best=Verdict.REFUSED),
    ),
    "gamma[late]": (result("gamma[late]", Verdict.REFUSED), None),
    **{f"more-{n:02}": (result(f"more-{n:02}", Verdict.SURVIVED), None) for n in range(40)},
}


def exercise(index: int) -> Exercise:
    """What one of the clients came to."""
    column = [both[index] for both in RESULTS.values()]
    return Exercise(
        exercise=1,
        client=CLIENTS[index],
        version="8.0",
        command=("run", "{port}", EVIL),
        handover=Handover.FOLDER,
        allowed=(Liberty.FIELDS,),
        limit=30.0,
        began=datetime(2026, 11, 24, tzinfo=UTC),
        kit="0.1.0",
        results=tuple(each for each in column if each is not None),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    path = tmp_path_factory.mktemp("page") / "matrix.html"
    path.write_text(matrix_page([exercise(0), exercise(1)]), encoding="utf-8")
    return path


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Somebody on the network who would hear of the reader."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as sock:
        sock.setblocking(False)
        yield sock


async def rows(page: Page) -> list[str]:
    """The names of the rows that are shown."""
    return await page.locator("tbody tr:visible th .name").all_inner_texts()


async def focused(page: Page) -> str:
    """Where the keys are: the row and the column."""
    return str(
        await page.evaluate(
            "() => { const cell = document.activeElement; const row = cell.closest('tr');"
            " return row ? `${row.querySelector('.name').textContent} ${cell.cellIndex}`"
            " : cell.tagName; }"
        )
    )


def cell(page: Page, row: str, column: int) -> Locator:
    """A cell by the name of its row and the number of its column, from 1."""
    return page.locator("tbody tr").filter(has=page.get_by_text(row, exact=True)).locator("td").nth(
        column - 1
    )  # fmt: skip


async def test_content(visit: Visit, file: Path) -> None:
    """Each scenario has a row, each client a column, each cell a sign and a word."""
    page = await visit.open(file)

    assert await rows(page) == list(RESULTS)
    assert await page.locator("thead .name").all_inner_texts() == list(CLIENTS)
    assert await cell(page, "alpha", 1).inner_text() == "✓ survived"
    assert await cell(page, "beta", 1).inner_text() == "⊘ refused, rightly"
    assert await cell(page, "beta", 2).inner_text() == "✗ leaked, hung"
    assert await cell(page, "gamma[late]", 1).inner_text() == "– refused"
    assert await cell(page, "gamma[late]", 2).inner_text() == "no result"
    assert await page.locator("output").inner_text() == "43 of 43 rows"


async def test_nothing_is_markup(visit: Visit, file: Path) -> None:
    """What servers, clients and users say is shown as it is, and is no part of the page."""
    page = await visit.open(file)
    await cell(page, "beta", 2).click()

    assert await page.title() == "POP3 clients in all scenarios"
    assert await page.locator("img, b").count() == 0
    assert f"what alpha does {EVIL}" in await page.locator("tbody th").first.inner_text()
    assert f"S: {EVIL}" in await page.locator("dialog pre").last.inner_text()
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("text", "left"),
    [("BETA", ["beta"]), ("late gamma", ["gamma[late]"]), ("leaked", ["beta"]), ("nowhere", [])],
)
async def test_filter_by_text(visit: Visit, file: Path, text: str, left: list[str]) -> None:
    """Rows stay that hold all words of the text, in whatever case, and how many is told."""
    page = await visit.open(file)

    await page.get_by_label("Rows with the text").fill(text)

    assert await rows(page) == left
    assert await page.locator("output").inner_text() == f"{len(left)} of 43 rows"


async def test_filter_by_outcome(visit: Visit, file: Path) -> None:
    """Rows stay that have a cell of a chosen kind; kinds that nobody has cannot be chosen."""
    page = await visit.open(file)

    await page.get_by_label("survived").uncheck()
    without = await rows(page)
    await page.get_by_label("refused, rightly").uncheck()
    await page.get_by_label("mishandled").uncheck()

    assert without == ["beta", "gamma[late]"]
    assert await rows(page) == ["gamma[late]"]
    assert await page.get_by_label("passed over").count() == 0


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        (["ArrowDown"], "beta 1"),
        (["ArrowDown", "ArrowRight", "ArrowRight"], "beta 2"),
        (["ArrowUp", "ArrowLeft"], "alpha 1"),
        (["End", "ArrowDown", "Home"], "beta 1"),
        (["PageDown"], "more-07 1"),
        (["PageDown", "PageUp"], "alpha 1"),
        (["Control+End"], "more-39 2"),
        (["Control+End", "Control+Home"], "alpha 1"),
        (["ArrowDown", "Tab", "Shift+Tab"], "beta 1"),
    ],
)
async def test_keys(visit: Visit, file: Path, keys: list[str], where: str) -> None:
    """Tab leads to one cell, and keys from it; who leaves comes back to the same cell."""
    page = await visit.open(file)
    await page.locator("input[type=checkbox]").last.focus()
    await page.keyboard.press("Tab")
    start = await focused(page)

    for key in keys:
        await page.keyboard.press(key)

    assert start == "alpha 1"
    assert await focused(page) == where


async def test_keys_pass_over_what_is_hidden(visit: Visit, file: Path) -> None:
    """Keys lead through the rows that are shown, and the first of them is where Tab leads."""
    page = await visit.open(file)
    await page.get_by_label("survived").uncheck()

    await page.locator("input[type=checkbox]").last.focus()
    await page.keyboard.press("Tab")
    first = await focused(page)
    await page.keyboard.press("Control+End")

    assert first == "beta 1"
    assert await focused(page) == "gamma[late] 2"


async def test_focus_is_seen(visit: Visit, file: Path) -> None:
    """The cell that has the keys is marked, inside the window, and not under the headers."""
    page = await visit.open(file)
    await page.locator("input[type=checkbox]").last.focus()
    for key in ("Tab", "Control+End", "PageUp", "PageUp", "ArrowUp", "ArrowUp"):
        await page.keyboard.press(key)

    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    on_top = await page.evaluate(
        "() => { const box = document.activeElement.getBoundingClientRect();"
        " const there = document.elementFromPoint(box.left + 4, box.top + 4);"
        " return document.activeElement.contains(there); }"
    )

    header = await page.locator("thead th").first.bounding_box()
    assert outline == "solid"
    assert on_top
    assert header is not None
    assert header["y"] >= 0


@pytest.mark.parametrize("key", ["Enter", "Space"])
async def test_detail(visit: Visit, file: Path, key: str) -> None:
    """A cell opens by a key, tells all that is known, and Esc leads back to it."""
    page = await visit.open(file)
    await cell(page, "beta", 2).focus()

    await page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name="beta – my <b>client</b>")
    told = await dialog.inner_text()
    await page.keyboard.press("Escape")

    for text in ("✗ leaked, hung", "and so on", "an error, since no client can", "status 1",
                 "1.50 s", "3 total, 2 intact, 1 altered", "it said", "C: RETR 1"):  # fmt: skip
        assert text in told
    assert await page.get_by_role("dialog").count() == 0
    assert await focused(page) == "beta 2"


async def test_detail_of_nothing(visit: Visit, file: Path) -> None:
    """A cell without a result opens nothing."""
    page = await visit.open(file)
    await cell(page, "gamma[late]", 2).focus()

    await page.keyboard.press("Enter")

    assert await page.get_by_role("dialog").count() == 0


async def test_headers_stay(visit: Visit, file: Path) -> None:
    """However far one scrolls, the names of scenario and client stay in sight."""
    page = await visit.open(file)
    header = page.locator("thead th").nth(1)
    before = await header.bounding_box()

    await page.locator(".scroll").evaluate("each => each.scrollTop = 500")

    assert await page.locator(".scroll").evaluate("each => each.scrollTop") == 500
    assert await header.bounding_box() == before


async def test_no_network(visit: Visit, file: Path, elsewhere: socket.socket) -> None:
    """The page asks for nothing but itself, and what would get into it could ask for nothing."""
    page = await visit.open(file)
    host, port = elsewhere.getsockname()
    before = list(visit.asked)

    forbidden = await page.evaluate(
        """async (url) => {
            const said = new Set();
            document.addEventListener("securitypolicyviolation",
                (event) => said.add(event.effectiveDirective));
            const tried = [fetch(url).catch(() => null)];
            for (const [name, key] of [["img", "src"], ["script", "src"], ["link", "href"]]) {
                tried.push(new Promise((done) => {
                    const made = document.createElement(name);
                    if (name === "link") made.rel = "stylesheet";
                    made.onload = made.onerror = done;
                    made[key] = url;
                    document.head.append(made);
                }));
            }
            await Promise.all(tried);
            return [...said].sort();
        }""",
        f"http://{host}:{port}/x",
    )

    assert before == [file.as_uri()]
    assert forbidden == ["connect-src", "img-src", "script-src-elem", "style-src-elem"]
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


async def contrast(where: Locator) -> float:
    """How much text stands out from its ground (WCAG 2.1, 1.4.3), from 1 to 21."""
    colours = await where.evaluate(
        "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"
    )
    ink, paper = sorted(map(luminance, colours))
    return (paper + 0.05) / (ink + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of ``rgb(…)``."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_light_and_dark(visit: Visit, file: Path, scheme: Scheme) -> None:
    """The page follows what the reader prefers, and text is easy to read in either."""
    page = await visit.open(file, scheme)

    paper = await page.locator("body").evaluate("each => getComputedStyle(each).backgroundColor")
    contrasts = [
        await contrast(where)
        for where in (cell(page, "alpha", 1), cell(page, "beta", 2), cell(page, "gamma[late]", 1))
    ]

    assert (luminance(paper) < 0.2) == (scheme == "dark")
    assert min(contrasts) >= 4.5


async def test_print(visit: Visit, file: Path) -> None:
    """On paper the table is whole, and what only a screen needs is gone."""
    page = await visit.open(file, "dark")

    await page.emulate_media(media="print")

    assert not await page.locator(".filters").is_visible()
    assert (
        await page.locator(".scroll").evaluate("each => each.scrollHeight - each.clientHeight") <= 1
    )
    assert await rows(page) == list(RESULTS)
