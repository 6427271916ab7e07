"""The house rules that no tool checks: the rooms, the arrows between them, what a test may do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pop3scenarios import kind_of, shipped
from pop3scenarios.tools import schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent


class Room(NamedTuple):
    """A folder of the repository that holds one package."""

    folder: str
    package: str
    arrows: frozenset[str]  # what it may import besides the standard library

    @property
    def path(self) -> Path:
        """The package's folder."""
        return ROOT / self.folder / self.package

    def modules(self) -> list[Path]:
        """Its modules."""
        return sorted(self.path.rglob("*.py"))


ROOMS = [
    Room("client", "pop3client", frozenset({"scramp", "asn1crypto"})),  # late: the extra "scram"
    Room("scenarios", "pop3scenarios", frozenset({"yaml", "pydantic", "pydantic_core"})),
    Room(
        "mockserver", "pop3mock", frozenset({"pop3scenarios", "scramp", "trustme", "cryptography"})
    ),
    # SCRAM late: the extra "scram"; Locust in the one module that the extra "load" is for.
    Room(
        "checker",
        "pop3check",
        frozenset({"pop3scenarios", "pydantic", "scramp", "locust", "trustme"}),
    ),
    Room(
        "cli",
        "pop3kit",
        frozenset({"pop3client", "pop3scenarios", "pop3mock", "pop3check", "click", "rich"})
        | {"jinja2", "markupsafe", "psutil", "pydantic"},
    ),
]
PACKAGES = [room.package for room in ROOMS]

#: The modules that pytest itself loads: they may know pytest.
PYTEST_SIDE = "_pytest_"

#: Packages whose public names load on first use: pytest imports the mock in every run.
LAZY = {"pop3mock"}

TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """A module's tree; several rules look at each."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """What a module imports: the top-level name, and whether it does so as it loads."""
    return list(_imports(parsed(path)))


def _imports(node: ast.AST, *, late: bool = False) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.partition(".")[0], not late) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield (child.module or "").partition(".")[0], not late
        elif not isinstance(child, ast.expr):  # no import stands in an expression
            yield from _imports(child, late=late or _is_late(child))


def _is_late(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _id(item: object) -> str:
    return item.package if isinstance(item, Room) else str(item)


@pytest.mark.parametrize("room", ROOMS, ids=_id)
def test_arrows_between_rooms(room: Room) -> None:
    """A room imports the standard library, itself, and what its arrows say; nothing else."""
    allowed = room.arrows | sys.stdlib_module_names | {room.package}

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in room.modules()
        for name, _ in imports(path)
        if name not in allowed and not (name in {"pytest", "xdist"} and _is_pytest_side(path))
    ]

    assert room.modules()
    assert wrong == []


def _is_pytest_side(path: Path) -> bool:
    return path.name == "plugin.py" or path.name.startswith(PYTEST_SIDE)


@pytest.mark.parametrize("room", ROOMS, ids=_id)
def test_relative_imports_stay_inside(room: Room) -> None:
    """A module reaches its neighbours with one dot: packages are flat."""
    levels = {
        node.level
        for path in room.modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
    }

    assert levels <= {0, 1}


def test_client_and_mock_do_not_know_each_other() -> None:
    """A mistake that both made would cancel out, so they share nothing, not even by name."""
    for room in ROOMS[:4]:
        names = {name for path in room.modules() for name, _ in imports(path)}
        others = {"pop3client", "pop3mock"} - {room.package}
        assert not names & others


#: The name of a scenario, perhaps with a variant, after which Python code could ask.
SCENARIO_NAMES = re.compile(r"(?:[a-z]+[+/])?([a-z0-9.-]+)(?:\[[^\]]*\])?")


def named_scenarios(tree: ast.AST, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """The names of scenarios that stand as strings in code, and on which line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = SCENARIO_NAMES.fullmatch(node.value)
            if found and found[1] in known:
                yield found[1], node.lineno


def language_words(schema: object) -> Iterator[str]:
    """The words that the scenario language itself knows as values."""
    if isinstance(schema, dict):
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
        yield from (word for part in schema.values() for word in language_words(part))
    elif isinstance(schema, list):
        yield from (word for part in schema for word in language_words(part))


def test_no_quirk_has_code_of_its_own() -> None:
    """What a quirk, a fault or a server does stands in its file: the mock knows none by its name.

    The default server is the RFCs' and departs from nothing; and a word of the language, such as
    ``eol: crcrlf``, may be what a quirk is called after.
    """
    kinds = {"servers", "quirks", "faults"}
    names = {name for name, path in shipped().items() if kind_of(path) in kinds}
    known = names - {"default"} - set(language_words(schema()))

    wrong = [
        f"{path.relative_to(ROOT)}:{line} names {name}"
        for path in ROOMS[2].modules()
        for name, line in named_scenarios(parsed(path), known)
    ]

    assert len(known) > len(names) - 5
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("if name == 'no-uidl': pass", ["no-uidl"]),
        ("load('stls-broken[expired]')", ["stls-broken"]),
        ("{'quirks/no-uidl': 1, 'quirk+no-uidl': 2}", ["no-uidl", "no-uidl"]),
        ("'no-uidl and more'; no_uidl", []),
        ("f'{x}no-uidl'", ["no-uidl"]),
    ],
)
def test_scenario_names_are_recognised(code: str, found: list[str]) -> None:
    """The rule above sees what it is about."""
    names = [name for name, _ in named_scenarios(ast.parse(code), shipped())]

    assert found == names


def test_trustme_only_when_needed() -> None:
    """TLS certificates are made by a library that loads when TLS is first used."""
    early = {name for path in ROOMS[2].modules() for name, now in imports(path) if now}

    assert not early & {"trustme", "cryptography"}


def test_plugin_is_light() -> None:
    """Loading the plugin loads none of what plays or reads scenarios."""
    code = (
        "import sys, pytest; before = set(sys.modules); import pop3mock.plugin;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(new - {'pop3mock'} & {'yaml', 'pydantic', 'trustme', 'pop3scenarios',"
        " 'scramp',"
        " 'pop3client', 'pop3check', 'pop3kit', 'asyncio', 'ssl'} | {name for name in sys.modules"
        " if name in ('pop3mock._server', 'pop3mock._session')} - before))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_plugin_imports_nothing_heavy_at_the_top() -> None:
    """What the plugin needs of scenarios and the mock it imports where it needs it."""
    heavy = {"yaml", "pydantic", "trustme", "pop3scenarios", "asyncio", "ssl"}
    early = {name for name, now in imports(ROOMS[2].path / "plugin.py") if now}

    assert not early & heavy


@pytest.mark.parametrize("room", ROOMS, ids=_id)
def test_room_is_no_package(room: Room) -> None:
    """A room holds one package beside no ``__init__.py``: that would break type checkers."""
    assert not (ROOT / room.folder / "__init__.py").exists()
    assert [room.path] == [path.parent for path in (ROOT / room.folder).glob("*/__init__.py")]
    assert (room.path / "py.typed").is_file()


def test_nobody_imports_a_room() -> None:
    """Packages are imported by their names, not through the folders in which they stand."""
    everywhere = [path for room in ROOMS for path in room.modules()] + TEST_FILES
    # A benchmark may be called after the room that it measures.
    everywhere += [p for p in (ROOT / "benchmarks").glob("*.py") if p.name != "run.py"]
    folders = {room.folder for room in ROOMS}

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in everywhere
        for name, _ in imports(path)
        if name in folders
    ]

    assert wrong == []


@pytest.mark.parametrize("room", ROOMS, ids=_id)
def test_init_is_the_public_surface(room: Room) -> None:
    """A package's ``__init__`` holds its docstring, imports and ``__all__``, and nothing else."""
    tree = parsed(room.path / "__init__.py")

    others = [ast.unparse(node) for node in tree.body[1:] if not _is_surface(node)]

    assert ast.get_docstring(tree)
    if room.package in LAZY:
        others = [text for text in others if not text.startswith(("_HOME = ", "def __getattr__("))]
    assert others == []


def _is_surface(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return _is_late(node) and all(map(_is_surface, node.body)) and not node.orelse
    if isinstance(node, ast.Assign):
        return all(isinstance(name, ast.Name) and name.id == "__all__" for name in node.targets)
    return isinstance(node, ast.Import | ast.ImportFrom)


@pytest.mark.parametrize("room", ROOMS, ids=_id)
def test_all_is_there(room: Room) -> None:
    """What ``__all__`` promises is there."""
    package = __import__(room.package)

    names = list(getattr(package, "__all__", []))

    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(package, name)] == []


def _tests() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in TEST_FILES:
        for node in ast.walk(parsed(path)):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and node.name.startswith("test_") and path.name.startswith("test_"):
                yield path, node


def test_every_test_states_its_rule() -> None:
    """Every test has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}::{node.name}"
        for path, node in _tests()
        if not ast.get_docstring(node)
    ]

    assert silent == []


def test_no_test_sleeps() -> None:
    """No test waits for time to pass: not by ``time.sleep``, nor ``asyncio.sleep`` but of 0."""
    sleepers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in TEST_FILES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and _sleeps(node)
    ]

    assert sleepers == []


def _sleeps(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name not in ("time.sleep", "asyncio.sleep", "sleep", "anyio.sleep"):
        return False
    return [ast.unparse(argument) for argument in call.args] != ["0"]


@pytest.mark.parametrize(
    ("code", "sleeps"),
    [
        ("time.sleep(0.1)", True),
        ("asyncio.sleep(1)", True),
        ("sleep(x)", True),
        ("asyncio.sleep(0)", False),
        ("clock.advance(1)", False),
    ],
)
def test_sleeping_is_recognised(code: str, sleeps: bool) -> None:
    """The rule above sees what it is about."""
    call = ast.parse(code, mode="eval").body

    assert isinstance(call, ast.Call)
    assert sleeps == _sleeps(call)


def test_imports_are_recognised(tmp_path: Path) -> None:
    """The rules above see imports in all their forms, and when they happen."""
    module = tmp_path / "m.py"
    module.write_text(
        "import a.b, c\nfrom d.e import f\nfrom . import g\n"
        "if TYPE_CHECKING:\n    import h\ndef i():\n    import j\n"
    )

    assert {("a", True), ("c", True), ("d", True), ("h", False), ("j", False)} == set(
        imports(module)
    )
