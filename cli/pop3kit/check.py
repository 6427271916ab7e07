"""``pop3kit check``: does this server keep the RFCs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ._check_options import all_options
from ._failures import UsageFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._check_options import Asked, Choice, Grading, Leave, Output, Reach, Seeding

_EPILOG = """
Exit status: 0 fine; 1 something fails, or is worse than the baseline; 2 inconclusive; 3 mail was
lost; 64 wrong usage; 74 a file cannot be read or written.
"""


@click.command(epilog=_EPILOG, short_help="Hold a live server to the RFCs.")
@click.argument("what", nargs=-1, metavar="[URL] [SELECTOR]...")
@all_options
@click.pass_context
def check(
    context: click.Context,
    what: tuple[str, ...],
    *,
    asked: Asked,
    output: Output,
    grading: Grading,
    seeding: Seeding,
    leave: Leave,
    choice: Choice,
    reach: Reach,
) -> None:
    """Hold the server at URL (pop3://user@host:port, pop3s://…) to the conformance cases.

    A SELECTOR is an id (RFC1939-5-06), the beginning of one (RFC1939-5), a tag (uidl), a scenario
    or a file; without any all cases are asked. Without a user only what needs no login is. Nothing
    is marked or deleted unless it is allowed, and never mail that the run has not brought itself.
    The password comes from --password-file, --password-command, POP3KIT_PASSWORD, or a prompt.
    """
    urls = [word for word in what if "://" in word]
    selectors = [word for word in what if "://" not in word]
    if asked.schema or asked.listed or asked.explained:
        _tell(asked, selectors, choice)
        return
    if not urls and output.others:
        context.exit(_compare(output, selectors))
    if not urls and (host := next(filter(_looks_like_host, selectors), None)):
        user, at, place = host.rpartition("@")
        shown = f"{user.partition(':')[0]}{at}{place}"  # no password
        raise UsageFailure(f"{shown!r} is no URL; pop3://{shown}?")
    if len(urls) != 1:
        raise UsageFailure(f"expected one URL, pop3://user@host:port, got {len(urls)}")
    from ._check_run import Wish, run

    wish = Wish(urls[0], tuple(selectors), reach, choice, leave, seeding, grading, output)
    context.exit(run(wish, context))


def _looks_like_host(word: str) -> bool:
    """Whether a word is an address, and neither a case nor a file."""
    if "/" in word or word.endswith((".yaml", ".yml")) or word.upper().startswith("RFC"):
        return False
    return word == "localhost" or not set(".:@").isdisjoint(word)


def _tell(asked: Asked, selectors: Sequence[str], choice: Choice) -> None:
    from pop3check import schema_text

    from ._check_selection import chosen, show_case, show_list

    if asked.schema:
        click.echo(schema_text(), nl=False)
    elif asked.explained:
        show_case(asked.explained)
    else:
        show_list(chosen(selectors, choice))


def _compare(output: Output, selectors: Sequence[str]) -> int:
    """Put earlier runs side by side, which judges nothing."""
    from ._check_output import read_all, summarised, write_page

    if selectors:
        raise UsageFailure(f"expected a URL before {selectors[0]}, or only --with")
    if output.html_file is None:
        raise UsageFailure("--with without URL needs --html, the page to write")
    if output.json_file or output.junit_file or output.markdown_file:
        raise UsageFailure("--json, --junit and --markdown are for a URL, and there is none")
    records = read_all(output.others)
    write_page(output.html_file, records)
    for record in records:
        click.echo(summarised(record))
    return 0
