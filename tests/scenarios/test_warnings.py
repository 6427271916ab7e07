"""What lint warns of: files that are right and still not as they should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pop3scenarios import Problem, _mistakes, _warnings, check, shipped
from pop3scenarios.tools import WARNINGS, review

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "pop3: 1\nname: own\nsummary: own\n"


@pytest.fixture
def of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Problem]]:
    """The warnings of a file with some text, other files beside it."""
    monkeypatch.chdir(tmp_path)

    def make(text: str, **others: str) -> list[Problem]:
        for name, content in {"own": text, **others}.items():
            head = f"pop3: 1\nname: {name}\nsummary: own\n"
            (tmp_path / f"{name}.pop3.yaml").write_text(head + content, encoding="utf-8")
        path = tmp_path / "own.pop3.yaml"
        assert check(path) == []
        return review([path.relative_to(tmp_path)])

    return make


def test_shipped_files_have_none() -> None:
    """The shipped files show how it is done: nothing in them deserves a second look."""
    assert [f"{each} [{each.kind}]" for each in review(shipped().values())] == []


def test_every_warning_is_known() -> None:
    """A warning is one of those that the reference explains."""
    source = "".join(
        Path(str(module.__file__)).read_text(encoding="utf-8") for module in (_mistakes, _warnings)
    )

    assert all(source.count(f'"{kind}"') >= 2 for kind in WARNINGS)


def test_file_with_errors_has_no_warnings(tmp_path: Path) -> None:
    """While a file is wrong, its errors are what counts."""
    path = tmp_path / "bad.pop3.yaml"
    path.write_text(HEAD + "quirks: [no-top, no-top, nothing]\n", encoding="utf-8")

    assert review([path]) == []


# Shadowed quirks

SHADOWED = [
    ("quirks: [no-top]\nserver: {capabilities: [+TOP]}\n", ""),
    ("quirks: [no-top]\nserver: {capabilities: [TOP, USER]}\n", ""),
    ("quirks: [a]\nserver: {lock: none}\n", "server: {lock: exclusive}\n"),
    ("quirks: [a]\ntls: {mode: none}\n", "tls: {mode: implicit}\n"),
    ("quirks: [a]\nrules: [{when: RETR, octets: -1}]\n", "rules: [{when: RETR, octets: -5}]\n"),
    ("quirks: [a]\nrules: [{when: '*', delay: 1}]\n", "rules: [{when: RETR 1, delay: 2}]\n"),
    ("quirks: [a]\nrules: [{when: RETR, reply: -ERR}]\n", "rules: [{when: RETR, text: x}]\n"),
    (
        "quirks: [a]\nrules: [{when: RETR 1, octets: -1}, {when: RETR, octets: -2}]\n",
        "rules: [{when: RETR, octets: -5}]\n",
    ),
    ("quirks: [b, a]\n", "rules: [{when: RETR, octets: -5}]\n"),
    ("quirks: [a]\nvariants: {x: {tls: {mode: none}}, y: {tls: {mode: stls}}}\n",
     "tls: {mode: implicit}\n"),
]  # fmt: skip

NOT_SHADOWED = [
    ("quirks: [no-top]\n", ""),
    ("quirks: [no-top]\nserver: {capabilities: [UIDL, USER]}\n", ""),
    ("quirks: [no-top]\nserver: {capabilities: [-TOP]}\n", ""),
    ("quirks: [a]\nserver: {lock: none}\n", "server: {lock: none}\n"),
    ("quirks: [a]\nserver: {greeting: hi}\n", "server: {greeting: hello}\n"),
    ("quirks: [a]\nrules: [{when: RETR, octets: -5}]\n", "rules: [{when: RETR, octets: -5}]\n"),
    ("quirks: [a]\nrules: [{when: RETR, text: words}]\n", "rules: [{when: RETR, text: ''}]\n"),
    ("quirks: [a]\nrules: [{when: LAST, reply: -ERR a}]\n", "rules: [{when: LAST, reply: -ERR}]\n"),
    ("quirks: [a]\nrules: [{when: RETR 1, octets: -1}]\n", "rules: [{when: RETR, octets: -5}]\n"),
    ("quirks: [a]\nrules: [{when: RETR, delay: 1}]\n", "rules: [{when: RETR, octets: -5}]\n"),
    ("quirks: [a]\nrules: [{when: RETR, reply: <default>}]\n", "rules: [{when: RETR, text: x}]\n"),
    (
        "quirks: [a]\nrules: [{when: RETR 1, delay: 1}, {when: RETR, octets: -2}]\n",
        "rules: [{when: RETR, octets: -5}]\n",
    ),
    ("quirks: [a]\nrules: [{when: RETR, octets: -1}]\n",
     "rules: [{when: RETR, octets: -5}, {when: STAT, octets: -5}]\n"),
    ("quirks: [a]\nvariants: {x: {tls: {mode: none}}, y: {}}\n", "tls: {mode: implicit}\n"),
    ("quirks: [a]\n", "quirks: [no-top]\n"),
]  # fmt: skip

B = "rules: [{when: RETR, octets: -9}]\n"


@pytest.mark.parametrize(("text", "quirk"), SHADOWED)
def test_shadowed_quirk(of: Callable[..., list[Problem]], text: str, quirk: str) -> None:
    """A quirk of which stronger layers override everything, with something else, is told."""
    (warning,) = of(text, a=quirk or "why: x\n", b=B)

    assert warning.kind == "shadowed-quirk"
    assert (warning.file, warning.line) == ("own.pop3.yaml", 4)
    assert text.partition("\n")[0][warning.column - 1 :].startswith(("no-top", "a]"))


@pytest.mark.parametrize(("text", "quirk"), NOT_SHADOWED)
def test_quirk_that_shows(of: Callable[..., list[Problem]], text: str, quirk: str) -> None:
    """A quirk that still says something, or that names what the file says itself, is right."""
    assert of(text, a=quirk or "why: x\n") == []


# Idle, repeated and unused quirks


def test_idle_quirk(of: Callable[..., list[Problem]]) -> None:
    """A quirk about answers of a command that the server does not have is told."""
    (warning,) = of("quirks: [a, no-uidl]\n", a="rules: [{when: UIDL, entry: '{uid}'}]\n")

    assert (warning.kind, warning.line, warning.column) == ("idle-quirk", 4, 10)


@pytest.mark.parametrize(
    ("text", "quirk"),
    [
        ("quirks: [a]\n", "rules: [{when: UIDL, entry: '{uid}'}]\n"),
        ("quirks: [a, no-uidl]\n", "rules: [{when: [UIDL, LIST], entry: '{uid}'}]\n"),
        ("quirks: [a, no-uidl]\n", "rules: [{when: UIDL, reply: +OK}]\n"),
        ("quirks: [a, no-uidl]\n", "server: {lock: none}\nrules: [{when: UIDL, text: x}]\n"),
        ("quirks: [a, no-uidl]\nserver: {hidden: [UIDL]}\n", "rules: [{when: UIDL, text: x}]\n"),
    ],
)
def test_quirk_that_acts(of: Callable[..., list[Problem]], text: str, quirk: str) -> None:
    """A quirk that makes an answer of its own, or for which there is a command, is right."""
    assert of(text, a=quirk) == []


def test_repeated_quirk(of: Callable[..., list[Problem]]) -> None:
    """A quirk that is listed twice is told at its second place, however it is written."""
    (warning,) = of("quirks:\n  - no-top\n  - no-last\n  - quirks/no-top\n")

    assert (warning.kind, warning.line, warning.column) == ("repeated-quirk", 7, 5)
    assert "line 5" in warning.suggestion


def test_repeated_in_a_variant(of: Callable[..., list[Problem]]) -> None:
    """A variant need not name a quirk that its file names; two variants may name the same."""
    (warning,) = of(
        "quirks: [no-top]\nvariants:\n  x: {quirks: [no-last, no-top]}\n  y: {quirks: [no-last]}\n"
    )

    assert (warning.kind, warning.line) == ("repeated-quirk", 6)


def test_unused_quirk(tmp_path: Path) -> None:
    """A file of one's own folder of quirks that no other file names is told."""
    (tmp_path / "quirks").mkdir()
    files = {
        "quirks/used.pop3.yaml": "",
        "quirks/unused.pop3.yaml": "",
        "server.pop3.yaml": "quirks: [./quirks/used]\n",
    }
    for name, text in files.items():
        head = HEAD.replace("own", Path(name).name.partition(".")[0], 1)
        (tmp_path / name).write_text(head + text, encoding="utf-8")

    warnings = review([tmp_path / name for name in files])

    assert [(each.kind, each.file) for each in warnings] == [
        ("unused-quirk", str(tmp_path / "quirks/unused.pop3.yaml"))
    ]


# Deviations without a name


@pytest.mark.parametrize(
    "rule",
    [
        "{when: RETR, stuffing: off}",
        "{when: [RETR, TOP], stuffing: off}",
        "{when: LAST, reply: -ERR never heard of it}",
        "{when: UIDL, state: transaction, text: x}",
    ],
)
def test_unnamed_deviation(of: Callable[..., list[Problem]], rule: str) -> None:
    """Rules that are those of a shipped quirk are told by its name; others are one's own."""
    expected = {"[RETR, TOP]": ["no-stuffing"], "LAST": ["no-last"]}
    names = next((names for when, names in expected.items() if f"when: {when}," in rule), [])

    warnings = of(f"rules:\n  - {rule}\n")

    assert [each.kind for each in warnings] == ["unnamed-deviation"] * len(names)
    assert all(name in each.message for each, name in zip(warnings, names, strict=True))
    assert all(each.line == 5 for each in warnings)


def test_named_deviation(of: Callable[..., list[Problem]]) -> None:
    """Who names the quirk may have its rule in words of their own."""
    assert of("quirks: [no-last]\nrules: [{when: LAST, reply: -ERR never}]\n") == []


# What should be there


@pytest.mark.parametrize("key", ["why", "references"])
def test_undocumented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """A shipped file has to say why it is there and on what it rests; one's own need not."""
    path = tmp_path / "own.pop3.yaml"
    keys = {"why": "why: x\n", "references": "references: [x]\n"}
    del keys[key]
    path.write_text(HEAD + "".join(keys.values()), encoding="utf-8")
    assert review([path]) == []
    monkeypatch.setattr(_warnings, "kind_of", lambda _: "faults")

    (warning,) = review([path])

    assert (warning.kind, warning.message) == (
        "undocumented",
        f"a shipped file has to have {key!r}",
    )


# Secrets


def test_secret_is_told_where_it_stands(of: Callable[..., list[Problem]]) -> None:
    """A secret is told with its place, and is not repeated."""
    secret = "ya29." + "A0ARrdaM" * 5
    text = (
        "server:\n  users: {alice: secret, bob: x9$Kq2!vR7#p}\n"
        f"rules:\n  - when: AUTH\n    reply: |\n      +\n      -ERR {secret}\n"
    )

    password, token = of(text)

    assert {password.kind, token.kind} == {"real-secret"}
    assert (password.line, password.column) == (5, 31)
    assert "'bob'" in password.message
    assert (token.line, token.column) == (10, 12)
    assert not any(part in f"{password}{token}" for part in (secret, "x9$Kq2!vR7#p"))


def test_links_are_no_secrets(of: Callable[..., list[Problem]]) -> None:
    """A long word in a reference is a link."""
    assert of("references: [q7Zp3XvB9Lk2Wd8RtYf5Hn1McJ6sGxQa4E]\n") == []
