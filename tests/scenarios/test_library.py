"""Finding scenario files, and the files that are shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3scenarios import (
    ScenarioError,
    UnknownScenario,
    _loader,
    check,
    expand,
    find,
    kind_of,
    load,
    shipped,
)
from pop3scenarios._library import FOLDERS, split_reference

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

FILE = "pop3: 1\nname: own\nsummary: s\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one scenario of the user's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.pop3.yaml").write_text(FILE)
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("gmail", ("gmail", None)),
        ("stls-broken[expired]", ("stls-broken", "expired")),
        ("./a/b.pop3.yaml", ("./a/b.pop3.yaml", None)),
        ("a[1]/b.pop3.yaml", ("a[1]/b.pop3.yaml", None)),
        ("a[1]/b.pop3.yaml[v]", ("a[1]/b.pop3.yaml", "v")),
        ("x[", ("x[", None)),
        ("x[]", ("x[]", None)),
    ],
)
def test_split_reference(reference: str, expected: tuple[str, str | None]) -> None:
    """A variant is what stands in brackets at the very end."""
    assert expected == split_reference(reference)


def test_empty_reference() -> None:
    """Nothing is no reference."""
    with pytest.raises(UnknownScenario, match="'' is no scenario: expected name"):
        split_reference("")


def test_find_shipped() -> None:
    """A shipped scenario is found by its name, and by folder and name."""
    assert find("default") == find("servers/default") == shipped()["default"]
    assert kind_of(find("default")) == "servers"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("defualt", r"unknown scenario 'defualt' \(did you mean 'default'\?\)"),
        ("quirks/default", "unknown scenario 'quirks/default'"),
        ("zzzzz", r"unknown scenario 'zzzzz' \(pop3kit scenarios list shows them all\)"),
        ("./nothing", r"there is no file ./nothing"),
        ("nothing.pop3.yaml", r"there is no file nothing.pop3.yaml"),
        ("/", "there is no file /"),
        ("..", "there is no file .."),
        ("~nobody-has-this-name/x", "there is no file ~nobody-has-this-name/x"),
        ("a" * 5000, "unknown scenario"),
        ("./" + "a" * 5000, "there is no file"),
        ("./a\0b", "there is no file"),
    ],
)
def test_find_nothing(folder: Path, name: str, message: str) -> None:
    """Whatever the name, a scenario that is not there is an UnknownScenario."""
    with pytest.raises(UnknownScenario, match=message):
        find(name)


@pytest.mark.parametrize("name", ["own", "./own", "own.pop3.yaml", "./own.pop3.yaml", "../{}/own"])
def test_find_own(folder: Path, name: str) -> None:
    """A file of the user's own is found by its path, and by its name beside another."""
    found = find(name.format(folder.name))

    assert found.samefile(folder / "own.pop3.yaml")
    assert kind_of(found) == "own"


def test_find_beside(folder: Path) -> None:
    """Names and paths are relative to the folder that is given."""
    (folder / "sub").mkdir()
    (folder / "sub" / "other.pop3.yaml").write_text(FILE)

    assert find("other", folder / "sub") == find("./other", folder / "sub")


def test_find_in_a_folder_with_brackets(tmp_path: Path) -> None:
    """A path with brackets is a path, not a variant."""
    folder = tmp_path / "a[1]"
    folder.mkdir()
    (folder / "own.pop3.yaml").write_text(FILE)

    assert load(folder / "own.pop3.yaml").name == "own"


def test_own_wins_not_over_shipped(folder: Path) -> None:
    """A name that is shipped means the shipped file, wherever one is."""
    (folder / "default.pop3.yaml").write_text(FILE)

    assert shipped()["default"] == find("default")
    assert find("./default").samefile(folder / "default.pop3.yaml")


def test_shipped_files_are_right() -> None:
    """Each shipped file is called as its scenario, and nothing is wrong in any."""
    wrong = [str(problem) for path in shipped().values() for problem in check(path)]

    assert wrong == []
    for name, path in shipped().items():
        assert name == load(expand(name)[0]).file.name
        assert path.parent.name in FOLDERS


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_file_says_why(name: str) -> None:
    """Each shipped file says why it is there and what it rests on."""
    file = load(expand(name)[0]).file

    assert file.why
    assert file.references


def test_second_load_is_cheap(folder: Path) -> None:
    """A file that has not changed is not parsed again."""
    _loader._parse.cache_clear()
    load("./own")
    parsed = _loader._parse.cache_info().misses

    again = load("./own")

    assert parsed == _loader._parse.cache_info().misses
    assert again.file is load("./own").file


def test_changed_file_is_seen(folder: Path) -> None:
    """A file is what it says now, even if neither its size nor its time has changed."""
    path = folder / "own.pop3.yaml"
    first = load("./own").summary

    path.write_text(FILE.replace("summary: s", "summary: t"))

    assert (first, load("./own").summary) == ("s", "t")


def test_mail_file_that_comes_later_is_seen(folder: Path) -> None:
    """An error about something beside the file does not outlive it."""
    (folder / "own.pop3.yaml").write_text(FILE + "maildrop: [{file: m.eml}]\n")
    with pytest.raises(ScenarioError, match=r"there is no file m\.eml"):
        load("./own")

    (folder / "m.eml").write_bytes(b"Subject: x\r\n\r\n")

    assert len(load("./own").mail("alice")) == 1


def test_expand_glob() -> None:
    """A glob over folder/name, or over names, stands for all that match, variants and all."""
    faults = expand("faults/*")

    names = [name for name, path in shipped().items() if kind_of(path) == "faults"]
    assert set(names) == {split_reference(reference)[0] for reference in faults}
    assert "stls-broken[expired]" in faults
    assert "stls-broken" not in faults
    assert expand("stls-brok?n") == expand("stls-broken")


@pytest.mark.parametrize(
    ("pattern", "references"),
    [
        ("default", ["default"]),
        ("stls-broken[expired]", ["stls-broken[expired]"]),
        ("serv*/defaul?", ["default"]),
    ],
)
def test_expand(pattern: str, references: list[str]) -> None:
    """A name stands for itself, and a variant for that variant."""
    assert references == expand(pattern)


@pytest.mark.parametrize(
    ("pattern", "references"),
    [
        ("./o*.pop3.yaml", ["./one.pop3.yaml[a]", "./one.pop3.yaml[b]", "./own.pop3.yaml"]),
        ("o*.pop3.yaml", ["one.pop3.yaml[a]", "one.pop3.yaml[b]", "own.pop3.yaml"]),
        ("./t?o*", ["./two.pop3.yaml"]),
        ("./**/three.*", ["./deep/three.pop3.yaml"]),
        ("{}/tw*", ["{}/two.pop3.yaml"]),
    ],
)
def test_expand_glob_of_paths(folder: Path, pattern: str, references: list[str]) -> None:
    """A glob that looks like a path stands for scenario files of one's own, and nothing else."""
    (folder / "deep").mkdir()
    (folder / "one.pop3.yaml").write_text(FILE + "variants: {a: {}, b: {}}\n")
    (folder / "two.pop3.yaml").write_text(FILE)
    (folder / "two.txt").write_text("no scenario")
    (folder / "deep" / "three.pop3.yaml").write_text(FILE)

    assert [text.format(folder) for text in references] == expand(pattern.format(folder))


def test_expand_beside(folder: Path, tmp_path: Path) -> None:
    """Paths and names are looked up from a folder; what is found there can be loaded elsewhere."""
    beside = tmp_path / "some[1]where"
    beside.mkdir()
    own = beside / "own.pop3.yaml"
    own.write_text(FILE + "variants: {a: {}, b: {}}\n")

    for pattern in ("./own.pop3.yaml", "own", "./*", "*.pop3.yaml"):
        assert expand(pattern, beside=beside) == [f"{own}[a]", f"{own}[b]"]
    assert expand("own", "b", beside=beside) == [f"{own}[b]"]
    assert expand("gmail", beside=beside) == ["gmail"]
    assert load(f"{own}[a]").variant == "a"


@pytest.mark.parametrize("pattern", ["stls-broken", "stls-broken[expired]"])
def test_expand_variant(pattern: str) -> None:
    """A variant may be named in brackets, beside them, or twice."""
    assert expand(pattern, "expired") == ["stls-broken[expired]"]


def test_expand_two_variants() -> None:
    """Two variants of which one was asked for are a contradiction, and a glob has not one."""
    with pytest.raises(
        UnknownScenario, match=r"names the variant 'expired', and variant='refused'"
    ):
        expand("stls-broken[expired]", "refused")
    with pytest.raises(UnknownScenario, match=r"variant='x' needs one scenario, not 'faults/\*'"):
        expand("faults/*", "x")


def test_expand_own(folder: Path) -> None:
    """A file of the user's own is expanded by its path."""
    (folder / "own.pop3.yaml").write_text(FILE + "variants: {a: {}, b: {}}\n")

    assert expand("./own") == ["./own[a]", "./own[b]"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("./nothing*", r"no file matches './nothing\*' \(paths are relative to "),
        ("nothing/*", r"no scenario matches 'nothing/\*' \(globs go over folder/name: faults/\*\)"),
        ("defalt", r"did you mean 'default'\?"),
        ("stls-broken[expird]", r"no variant 'expird' \(did you mean 'expired'\?\)"),
        ("default[x]", r"'default' has no variant 'x' \(it has none\)"),
    ],
)
def test_expand_nothing(pattern: str, message: str) -> None:
    """What stands for nothing is an error, before anything is started."""
    with pytest.raises(UnknownScenario, match=message):
        expand(pattern)
