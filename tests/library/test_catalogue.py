"""The catalogue of quirks: every row is played by a file, or is left out for a reason."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pop3scenarios import UnknownScenario, expand

pytestmark = pytest.mark.once

FOLDER = Path(__file__).parent


def rows() -> list[str]:
    """The ids of the catalogue."""
    groups = yaml.safe_load((FOLDER / "catalogue.yaml").read_text("utf-8"))
    return [row for group in groups.values() for row in group]


def players() -> dict[str, list[str] | str]:
    """For each id the scenarios that play it, or the reason for which nothing does."""
    told: dict[str, list[str] | str] = {}
    for path in sorted((FOLDER / "rows").glob("*.yaml")):
        told |= yaml.safe_load(path.read_text("utf-8"))
    return told


def missing() -> list[str]:
    """The rows that nothing plays and nothing excuses."""
    told = players()
    return [row for row in rows() if not told.get(row)]


def unknown() -> list[str]:
    """The scenarios that are named and are not there."""
    wrong = []
    for named in players().values():
        for reference in named if isinstance(named, list) else ():
            try:
                expand(reference)
            except UnknownScenario:
                wrong.append(reference)
    return wrong


def test_nothing_is_missing() -> None:
    """Each row has the files that play it, or the reason why only a client or a person shows it."""
    assert missing() == []


def test_nothing_is_invented() -> None:
    """What is told is about rows of the catalogue, and each once."""
    ids = rows()

    assert len(set(ids)) == len(ids)
    assert set(players()) <= set(ids)


def test_files_are_there() -> None:
    """Each file that a row names is shipped, with the variant that is named."""
    assert unknown() == []


def test_reasons_are_given() -> None:
    """A row that no file plays says why in a sentence."""
    reasons = [told for told in players().values() if isinstance(told, str)]

    assert [reason for reason in reasons if len(reason.split()) < 6] == []


@pytest.mark.parametrize(("row", "ending"), [("", (0, "")), ("wire-99", (1, "wire-99\n"))])
def test_script(tmp_path: Path, row: str, ending: tuple[int, str]) -> None:
    """Run as a script, it prints the rows that are missing, and fails if there are any."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    if row:
        with (tmp_path / "catalogue.yaml").open("a", encoding="utf-8") as file:
            file.write(f"more:\n  - {row}\n")

    done = subprocess.run(
        [sys.executable, tmp_path / "test_catalogue.py"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == ending


if __name__ == "__main__":
    rows_missing = missing()
    sys.stdout.write("".join(f"{row}\n" for row in rows_missing))
    sys.exit(1 if rows_missing else 0)
