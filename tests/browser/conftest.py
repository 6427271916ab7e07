"""Debian's Chromium, without a window, for the pages that the kit writes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Literal

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from playwright.async_api import Page

#: Milliseconds in which the browser has to start.
PATIENCE = 60_000

NOTHING = "about:blank"

Scheme = Literal["light", "dark"]


class Visit:
    """Opens pages as a reader does, and notes what they ask for and complain of.

    Attributes:
        asked: The addresses that pages have asked for.
        complaints: What stood in the console, and errors of scripts.
    """

    def __init__(self, windows: Mapping[Scheme, Page]) -> None:
        self._windows = windows
        self.asked: list[str] = []
        self.complaints: list[str] = []
        for page in windows.values():
            page.on("request", lambda request: self.asked.append(request.url))
            page.on("console", lambda message: self.complaints.append(message.text))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self, file: Path, scheme: Scheme = "light") -> Page:
        """Open a file from the disk.

        Args:
            file: The page.
            scheme: What the reader prefers.
        """
        page = self._windows[scheme]
        await page.goto(file.as_uri())
        return page

    async def leave(self) -> None:
        """Make the windows as they were before anything was opened."""
        for page in self._windows.values():
            if page.url != NOTHING:
                await page.emulate_media(media="screen")
                await page.goto(NOTHING)
        self.asked.clear()
        self.complaints.clear()


def chromium() -> str:
    """The program; where there is none the test is skipped, and fails where CI promises it."""
    program = shutil.which("chromium")
    if program is None:
        reason = "no browser: install the Debian package chromium"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Visit]:
    """One browser for all tests, with a window for who likes it light and for who likes it dark.

    Its loop rests between tests, so that others can have their own.
    """
    program = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, timeout=PATIENCE)
        schemes: tuple[Scheme, ...] = ("light", "dark")
        yield Visit(
            {
                scheme: await started.new_page(
                    color_scheme=scheme, viewport={"width": 1000, "height": 600}
                )
                for scheme in schemes
            }
        )
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Visit) -> AsyncIterator[Visit]:
    """Opens pages; they are left when the test is over."""
    yield browser
    await browser.leave()
