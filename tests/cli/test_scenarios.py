"""``pop3kit scenarios``: the library listed, scenarios shown and compared, files checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pop3scenarios import expand, load, shipped
from pop3scenarios.tools import KINDS, SCHEMA_FILE, merged, reference, schema_text

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

pytestmark = pytest.mark.once

HEAD = "pop3: 1\nname: odd\nsummary: odd\n"


def test_list(run: Run) -> None:
    """The list has every shipped scenario under its folder, and the variants with their summary."""
    result = run("scenarios", "list")

    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert {line.split()[0] for line in lines} >= set(shipped())
    assert [line for line in lines if not line.startswith(" ")][:3] == [
        "servers/",
        "quirks/",
        "faults/",
    ]
    assert any(line.endswith("[expired] the certificate has expired") for line in lines)


def test_list_json(run: Run) -> None:
    """--json gives the same as data, with the path of each file."""
    entries = json.loads(run("scenarios", "list", "--json").output)

    assert [entry["name"] for entry in entries] == list(shipped())
    broken = next(entry for entry in entries if entry["name"] == "stls-broken")
    assert broken["kind"] == "faults"
    assert broken["variants"]["expired"] == "the certificate has expired"
    assert broken["path"] == str(shipped()["stls-broken"])


def test_show(run: Run, tmp_path: Path) -> None:
    """Show gives what the layers come to, each part with its file and line."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(f"{HEAD}quirks: [no-top, no-apop]\nserver: {{users: {{joe: x}}}}\n")

    result = run("scenarios", "show", file)

    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[:2] == [f"# {file}", "# odd, merged. Its layers, the strongest first:"]
    assert f"  users:  # {file}:5" in lines
    assert "\n".join(lines[1:]) + "\n" == merged(load(file))


def test_show_variant(run: Run) -> None:
    """Of a variant the layers are merged; without one the file stands there, and its variants."""
    one = run("scenarios", "show", "stls-broken[expired]").output
    all_ = run("scenarios", "show", "stls-broken").output

    assert "  certificate: expired  # faults/stls-broken.pop3.yaml:" in one
    assert shipped()["stls-broken"].read_text(encoding="utf-8") in all_
    assert all_.splitlines()[-len(expand("stls-broken")) :] == expand("stls-broken")


@pytest.mark.parametrize("name", [ref for name in shipped() for ref in expand(name)])
def test_show_shipped(run: Run, name: str) -> None:
    """Every shipped scenario can be shown."""
    assert run("scenarios", "show", name).exit_code == 0


@pytest.mark.parametrize("name", ["gmial", "stls-broken[old]", "faults/*", "./none.pop3.yaml"])
def test_show_unknown(run: Run, name: str) -> None:
    """A name that is none is wrong usage, in one line."""
    result = run("scenarios", "show", name)

    assert result.exit_code == 64
    assert len(result.stderr.splitlines()) == 1


def test_show_hidden_characters(run: Run, tmp_path: Path) -> None:
    """Characters that change how a terminal shows the others are shown as what they are."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(f"{HEAD}why: a\u202eb\n", encoding="utf-8")

    result = run("scenarios", "show", file)

    assert result.exit_code == 0
    assert "a\\u202eb" in result.output


@pytest.mark.parametrize("name", ["stls-broken", "stls-broken[expired]"])
def test_show_hides_no_layer(run: Run, name: str) -> None:
    """Whichever way a file is shown, what it holds for clients stands there."""
    assert "never-in-clear:" in run("scenarios", "show", name).output


# lint


def test_lint_right(run: Run, tmp_path: Path) -> None:
    """Files in which nothing is found end with 0."""
    (tmp_path / "odd.pop3.yaml").write_text(HEAD, encoding="utf-8")

    result = run("scenarios", "lint", "--strict", tmp_path)

    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 file(s), 0 error(s), 0 warning(s)" in result.stderr


def test_lint_library(run: Run) -> None:
    """In the shipped library nothing is found: no error, no warning, no contradiction."""
    result = run("scenarios", "lint", "--strict", shipped()["default"].parent.parent)

    assert (result.exit_code, result.stdout) == (0, "")


def test_lint_wrong(run: Run, tmp_path: Path) -> None:
    """Each error of each file is one line with file, line and column, and a suggestion."""
    folder = tmp_path / "deep"
    folder.mkdir()
    one = tmp_path / "one.pop3.yaml"
    two = folder / "two.pop3.yaml"
    one.write_text(
        "pop3: 1\nname: one\nsummary: x\nquirk: [no-top]\nrules:\n  - whne: RETR\n",
        encoding="utf-8",
    )
    two.write_text("pop3: 1\nname: two\nsummary: x\nquirks: [no-tpo]\n", encoding="utf-8")
    (tmp_path / "notes.yaml").write_text("not ours", encoding="utf-8")

    result = run("scenarios", "lint", tmp_path)

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert any(line.startswith(f"{one}:4:1: error: ") and "'quirks'" in line for line in lines)
    assert any(line.startswith(f"{one}:6:5: error: ") and "'when'" in line for line in lines)
    assert any(line.startswith(f"{two}:4:10: error: ") and "'no-top'" in line for line in lines)
    assert f"2 file(s), {len(lines)} error(s), 0 warning(s)" in result.stderr


def test_lint_shared_problem(run: Run, tmp_path: Path) -> None:
    """What is wrong with a quirk is told once, not for each file that uses it."""
    for name in ("a", "b"):
        text = f"pop3: 1\nname: {name}\nsummary: x\nquirks: [bad]\n"
        (tmp_path / f"{name}.pop3.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "bad.pop3.yaml").write_text("pop3: 1\nname: bad\n", encoding="utf-8")

    result = run("scenarios", "lint", tmp_path / "a.pop3.yaml", tmp_path / "b.pop3.yaml")

    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 1)


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 1)])
def test_lint_warns(run: Run, tmp_path: Path, options: list[str], status: int) -> None:
    """A warning has its name behind it, and fails only where that is asked for."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(f"{HEAD}quirks: [no-top, no-top]\n", encoding="utf-8")

    result = run("scenarios", "lint", *options, file)

    assert result.exit_code == status
    assert result.stdout == (
        f"{file}:4:18: warning: the quirk 'no-top' is listed twice (also on line 4)"
        " [repeated-quirk]\n"
    )
    assert "1 file(s), 0 error(s), 1 warning(s)" in result.stderr


def test_lint_plays(run: Run, tmp_path: Path) -> None:
    """A conversation that contradicts itself is wrong, and the line is told."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(HEAD + CONTRADICTION, encoding="utf-8")

    result = run("scenarios", "lint", file)

    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:12:1: error: odd: checker and mock do not agree: ")


CONTRADICTION = """\
script: |
  S: +OK ...
  C: USER {user}
  S: +OK ...
  C: PASS {password}
  S: +OK ...
  C: LIST
  S: +OK ...
  S: {number} {size:int=120}
  S: ...
  S: .
  C: QUIT
  S: +OK ...
"""


def test_lint_json(run: Run, tmp_path: Path) -> None:
    """--json gives the same as data, errors and warnings."""
    file = tmp_path / "odd.pop3.yaml"
    file.write_text(f"{HEAD}quirks: [no-top, no-top]\n", encoding="utf-8")

    result = run("scenarios", "lint", "--json", file)

    assert json.loads(result.stdout) == [
        {
            "file": str(file),
            "line": 4,
            "column": 18,
            "severity": "warning",
            "kind": "repeated-quirk",
            "message": "the quirk 'no-top' is listed twice",
            "suggestion": "also on line 4",
        }
    ]


def test_lint_nothing(run: Run, tmp_path: Path) -> None:
    """A folder without scenario files, or a path that is none, is wrong usage."""
    assert run("scenarios", "lint", tmp_path).exit_code == 64
    assert run("scenarios", "lint", tmp_path / "none").exit_code == 64
    assert run("scenarios", "lint").exit_code == 64


# diff


def test_diff(run: Run) -> None:
    """What differs is told part by part, and the status is that of diff."""
    result = run("scenarios", "diff", "default", "no-top")

    assert result.exit_code == 1
    assert result.output.startswith("capabilities:\n  TOP:\n    - TOP\nexpect:\n")


def test_diff_same(run: Run) -> None:
    """Between a scenario and itself nothing differs."""
    result = run("scenarios", "diff", "gmail", "servers/gmail")

    assert (result.exit_code, result.output) == (0, "")


def test_diff_json(run: Run) -> None:
    """--json gives the same as data."""
    result = run("scenarios", "diff", "--json", "default", "no-top")

    first, *_ = json.loads(result.output)
    assert result.exit_code == 1
    assert first == {"part": "capabilities", "key": "TOP", "first": "TOP", "second": None}
    assert json.loads(run("scenarios", "diff", "--json", "gmail", "gmail").output) == []


@pytest.mark.parametrize("name", ["gmial", "stls-broken", "./none.pop3.yaml"])
def test_diff_unknown(run: Run, name: str) -> None:
    """A name that is none, or no single scenario, is wrong usage."""
    assert run("scenarios", "diff", "gmail", name).exit_code == 64


# new


@pytest.mark.parametrize("kind", KINDS)
def test_new(run: Run, tmp_path: Path, kind: str) -> None:
    """New begins a file in which lint finds nothing, and prints its path."""
    made = run("scenarios", "new", "my-own", "--kind", kind, "--directory", tmp_path)

    path = tmp_path / "my-own.pop3.yaml"
    assert (made.exit_code, made.output) == (0, f"{path}\n")
    assert run("scenarios", "lint", "--strict", path).exit_code == 0


def test_new_extends(run: Run, tmp_path: Path) -> None:
    """What a file departs from has to be there."""
    good = run("scenarios", "new", "one", "--extends", "gmail", "--directory", tmp_path)
    bad = run("scenarios", "new", "two", "--extends", "gmial", "--directory", tmp_path)

    assert (good.exit_code, bad.exit_code) == (0, 64)
    assert load(tmp_path / "one.pop3.yaml").file.extends == "gmail"
    assert "'gmail'" in bad.stderr
    assert not (tmp_path / "two.pop3.yaml").exists()


def test_new_extends_a_variant(run: Run, tmp_path: Path) -> None:
    """Of a scenario with variants one has to be named, and the error says which there are."""
    none = run("scenarios", "new", "st", "--extends", "stls-broken", "--directory", tmp_path)
    bad = run("scenarios", "new", "st", "--extends", "stls-broken[old]", "--directory", tmp_path)
    before = list(tmp_path.iterdir())
    good = run(
        "scenarios", "new", "st", "--extends", "stls-broken[expired]", "--directory", tmp_path
    )

    path = tmp_path / "st.pop3.yaml"
    assert (none.exit_code, bad.exit_code, before, good.exit_code) == (64, 64, [], 0)
    assert all(reference in none.stderr for reference in expand("stls-broken"))
    assert len(none.stderr.splitlines()) == 1
    assert "'stls-broken' has no variant 'old'" in bad.stderr
    assert load(path).tls.certificate == "expired"
    assert run("scenarios", "lint", "--strict", path).exit_code == 0


@pytest.mark.parametrize("name", ["a: b #c", "x & y", "it's", "null"])
def test_new_extends_any_path(run: Run, tmp_path: Path, name: str) -> None:
    """What is extended may have any name that a file can have."""
    (tmp_path / f"{name}.pop3.yaml").write_text(HEAD, encoding="utf-8")

    made = run(
        "scenarios", "new", "st", "--extends", f"./{name}.pop3.yaml", "--directory", tmp_path
    )

    assert (made.exit_code, made.stderr) == (0, "")
    assert load(tmp_path / "st.pop3.yaml").file.extends == f"./{name}.pop3.yaml"


@pytest.mark.parametrize(
    ("kind", "extends", "reason"),
    [
        ("conversation", "retr-without-size", "its rules depart from the RFCs"),
        ("quirk", "delete-and-quit", "its rules depart from the RFCs"),
        ("server", "./wrong.pop3.yaml", "wrong.pop3.yaml:4:1: error: unknown key 'rulse'"),
    ],
)
def test_new_is_clean_or_nothing(
    run: Run, tmp_path: Path, kind: str, extends: str, reason: str
) -> None:
    """What lint would reject is not begun, and the reason is told."""
    (tmp_path / "wrong.pop3.yaml").write_text(f"{HEAD}rulse: []\n", encoding="utf-8")
    before = list(tmp_path.iterdir())

    made = run("scenarios", "new", "st", "--kind", kind, "--extends", extends,
               "--directory", tmp_path)  # fmt: skip

    assert made.exit_code == 64
    assert reason in made.stderr
    assert list(tmp_path.iterdir()) == before


def test_new_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    path = tmp_path / "mine.pop3.yaml"
    path.write_text("precious", encoding="utf-8")

    result = run("scenarios", "new", "mine", "--directory", tmp_path)

    assert (result.exit_code, path.read_text(encoding="utf-8")) == (64, "precious")
    assert "is there already" in result.stderr


@pytest.mark.parametrize("arguments", [["Bad Name"], ["../x"], ["x", "--kind", "y"], []])
def test_new_wrong(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """What cannot be a name, or is no kind, begins nothing."""
    result = run("scenarios", "new", *arguments, "--directory", tmp_path)

    assert result.exit_code == 64
    assert list(tmp_path.iterdir()) == []


# schema and reference


def test_schema(run: Run) -> None:
    """Schema prints the schema, or says where its file is."""
    printed = run("scenarios", "schema")
    path = run("scenarios", "schema", "--path")

    assert (printed.exit_code, printed.output) == (0, schema_text())
    assert (path.exit_code, path.output) == (0, f"{SCHEMA_FILE}\n")


def test_reference(run: Run) -> None:
    """Reference prints the page."""
    result = run("scenarios", "reference")

    assert (result.exit_code, result.output) == (0, reference())
