"""``pop3kit demo``: the reference client in every scenario that the kit ships."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pop3scenarios import Scenario

    from ._trial import Outcome

    Show = Callable[[Iterable[Outcome], int], list[Outcome]]

#: Most of the time goes into waiting for servers that say nothing.
_SIDE_BY_SIDE = 4


@click.command(short_help="See the client survive every scenario.")
@click.option("--only", "patterns", metavar="PATTERN", multiple=True,
              help="A scenario, a file, or a glob: 'faults/*', './*.pop3.yaml'; "
                   "may be repeated.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0, 60, min_open=True), default=1.0,
              show_default=True, help="Seconds that the client waits for an answer.")  # fmt: skip
@click.option("--plain", is_flag=True,
              help="A line for each scenario; so also without a terminal.")  # fmt: skip
@click.pass_context
def demo(context: click.Context, patterns: tuple[str, ...], timeout: float, plain: bool) -> None:
    """Fetch all mail from the mock server in every shipped scenario.

    Shows for each what the server did, how the client's retrieval mode fell, what departures from
    the usual the client noticed, and how many messages came octet for octet as they are. Needs no
    network.

    Exit status: 0 every scenario ended as its file says; 1 some did not, and why stands below the
    table; 64 wrong usage.
    """
    # Only this subcommand, when it runs, needs a table.
    from . import _table
    from ._selection import select

    scenarios = select(patterns)
    began = time.monotonic()
    show: Show = _table.show_lines if plain or not sys.stdout.isatty() else _table.show_table
    outcomes = show(_run_all(scenarios, timeout), len(scenarios))
    wrong = _table.explain(outcomes)
    click.echo(_verdict(len(scenarios), wrong, time.monotonic() - began))
    context.exit(1 if wrong else 0)


def _verdict(total: int, wrong: int, seconds: float) -> str:
    if wrong:
        return f"{wrong} of {total} scenarios did not end as their files say ({seconds:.1f} s)"
    return f"{total} of {total} scenarios ended as their files say ({seconds:.1f} s)"


def _run_all(scenarios: list[Scenario], timeout: float) -> Iterator[Outcome]:
    """The outcomes in the order of the scenarios, each as soon as it and those before are there."""
    from concurrent.futures import ThreadPoolExecutor

    from . import _trial

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        runs = [pool.submit(_trial.run, scenario, timeout=timeout) for scenario in scenarios]
        try:
            for future in runs:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
