"""The progress bar: octets that came, of how many; on a terminal only."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

from pop3client import POP3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pop3client import POP3Client, ScanListing


@contextmanager
def bar(client: POP3Client) -> Iterator[Callable[[int, int, int | None], object] | None]:
    """Show a bar on standard error as long as the block runs.

    Args:
        client: Logged in. It is asked for the sizes of its messages.

    Returns:
        What to give the client as its ``progress``; None where standard error is no terminal.
    """
    if not _is_terminal():
        yield None
        return
    # What can fail before the maildrop is open fails sooner without it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    listing = _listing(client)
    # What has been passed over counts as done, so that the bar tells where in the maildrop it is.
    ends = list(accumulate((entry.octets for entry in listing), initial=0))
    before = {entry.number: end for entry, end in zip(listing, ends, strict=False)}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("Fetching", total=ends[-1] if listing else None)

        def advance(number: int, came: int, _: int | None) -> None:
            progress.update(
                task,
                description=f"Message {number}",
                completed=before.get(number, ends[-1]) + came,
            )

        yield advance
        # The sizes that servers tell are not always those of what they send.
        progress.update(task, total=ends[-1], completed=ends[-1])


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _listing(client: POP3Client) -> Sequence[ScanListing]:
    try:
        return client.list()
    except POP3Error as error:
        if error.ends_session:
            raise
        return []
