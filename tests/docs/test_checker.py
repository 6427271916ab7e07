"""``pop3kit check`` in the pages that tell of it, against the mock in place of the example."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pop3kit._group import cli
from pop3mock import MockServer

from .test_examples import EXAMPLES, Example, files_before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

PAGE = [
    each
    for each in EXAMPLES
    if each.page.name in ("checker.md", "ci.md")
    and each.language == "sh"
    and each.text.startswith("pop3kit check ")
]

#: What a command may come to where nothing can be seeded; never wrong usage, nor a failure.
ENDS = (0, 2)

#: Words that are cases, or stand for some.
SELECTOR = re.compile(r"RFC\d|.*\.pop3\.yaml\Z")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that stands for the one in the examples."""
    with MockServer() as server:
        yield server.port


@pytest.mark.parametrize("example", PAGE, ids=str)
def test_commands(
    example: Example, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line is a command that does what the page says, and ends with a verdict."""
    files_before(example, tmp_path)
    for folder in ("tmp", "new", "cur"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POP3KIT_PASSWORD", "secret")

    for line in example.text.splitlines():
        result = CliRunner().invoke(cli, words(line, port))

        assert result.exit_code in ENDS, f"{line}\n{result.output}"


def words(line: str, port: int) -> list[str]:
    """The words of a command, turned to our server and in a hurry."""
    local = re.sub(r"pop3://alice@mail\.example", f"pop3://alice@127.0.0.1:{port}", line)
    found = shlex.split(local.replace("mail.example", "127.0.0.1"))
    hurry = ["--seed-wait", "0.1"] if "--seed-" in line else []
    # A few cases stand for all, which other tests ask.
    few = ["RFC1939-5"] if "://" in line and not any(map(SELECTOR.match, found)) else []
    return [*found[1:], *few, *hurry]
