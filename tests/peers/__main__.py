"""Send real clients through all scenarios, and publish it: ``python -m tests.peers``.

It writes ``docs/clients/*.json`` and ``docs/clients.md`` anew; names of clients choose some.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs._clients import FOLDER, PAGE, page, published

from pop3kit._results import read, written

from ._exercised import EXERCISED

ROOT = Path(__file__).parents[2]

#: The command of this interpreter.
_PYTHON = (sys.executable, "-m", "pop3kit")


def renew(name: str) -> None:
    """Run a client, and keep what is worth keeping of the result."""
    client = EXERCISED[name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        done = subprocess.run(
            [
                *_PYTHON,
                "exercise",
                "--json",
                str(file),
                *client.options(name),
                "--",
                *client.command,
            ],
            cwd=ROOT,
            check=False,
        )
        if done.returncode not in (0, 1):
            sys.exit(done.returncode)
        (FOLDER / f"{name}.json").write_bytes(written(published(read(file))))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in sys.argv[1:] or EXERCISED:
        renew(each)
    PAGE.write_text(page(), encoding="utf-8")
