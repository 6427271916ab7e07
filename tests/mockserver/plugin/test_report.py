"""Where a report of a failure goes: the terminal, JUnit XML, a folder, other processes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from pop3mock._pytest_report_files import file_name

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

FAILING = """
@pytest.mark.parametrize("how", ["plain", "a/b:é", "x" * 300])
def test(pop3_server, talk, how):
    talk(pop3_server, "USER alice", "PASS correct-horse", "XYZZY", "QUIT")
    assert how == ""

def test_pass(pop3_server, talk):
    talk(pop3_server, "QUIT")
"""


def reports(folder: Path) -> list[str]:
    """What the files of a folder say."""
    return [path.read_text("utf-8") for path in sorted(folder.iterdir())]


def properties(path: Path) -> list[str]:
    """The transcripts in a file of JUnit XML."""
    found = ET.parse(path).iter("property")  # noqa: S314  # our own
    return [each.attrib["value"] for each in found if each.attrib["name"] == "pop3_transcript"]


@pytest.mark.parametrize(
    "args",
    [(), ("--tb=short",), ("--tb=no",), ("-q", "-q"), ("-p", "no:terminal"), ("-n2", "-pxdist")],
    ids=" ".join,
)
def test_folder_and_xml(run: Run, pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    """Each failing test has a file and a property, however little the terminal shows."""
    run(FAILING, "--pop3-report-dir=out/pop3", "--junit-xml=junit.xml", *args)

    files = reports(pytester.path / "out/pop3")
    assert len(files) == 3
    for text in [*files, *properties(pytester.path / "junit.xml")]:
        for part in ("\n#1 +0.", " C: USER alice\n", "near miss:\n  #1 unexpected XYZZY: "):
            assert part in text
        assert "correct-horse" not in text
        assert "\x1b" not in text
    assert len(properties(pytester.path / "junit.xml")) == 3
    assert all(text.startswith("reproduce: pytest ") for text in files)


def test_file_names() -> None:
    """A name is safe everywhere, and no two tests share one, however alike they are."""
    nodes = ["t.py::test[a/b]", "t.py::test[a:b]", "t.py::test[A/b]", "t.py::test[é]", "../../x",
             "t.py::test[" + "x" * 400 + "]", "t.py::test[" + "x" * 401 + "]"]  # fmt: skip

    names = [file_name(node) for node in nodes]

    assert names[0].startswith("t.py-test-a-b-")
    assert len({name.lower() for name in names}) == len(nodes)
    assert all(name.isascii() and len(name) < 140 and "/" not in name for name in names)
    assert not any(name.startswith(".") for name in names)


def test_run_after_a_run(run: Run, pytester: pytest.Pytester) -> None:
    """A file holds what the last run said of the test."""
    run(FAILING, "--pop3-report-dir=out")
    run(FAILING.replace("XYZZY", "PLUGH"), "--pop3-report-dir=out")

    assert all("PLUGH" in text and "XYZZY" not in text for text in reports(pytester.path / "out"))


def test_folder_that_is_none(run: Run, pytester: pytest.Pytester) -> None:
    """A file in its place is a usage error; one that turns up later does not break the run."""
    (pytester.path / "out").write_text("")

    result = run(FAILING, "--pop3-report-dir=out")
    later = run(FAILING, "--pop3-report-dir=out/pop3")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *--pop3-report-dir: *out is no folder"])
    later.assert_outcomes(failed=3, passed=1)
    later.stdout.fnmatch_lines(["*- pop3 report -*", "could not be written: *"])


def test_phases(run: Run, pytester: pytest.Pytester) -> None:
    """Failures of setup, call and teardown are reported, those of one test in one file."""
    run(
        """
@pytest.fixture
def breaks(pop3_server, talk):
    talk(pop3_server, "CAPA", "QUIT")
    raise RuntimeError

@pytest.fixture
def late(pop3_server, talk):
    yield
    talk(pop3_server, "LANG", "QUIT")
    raise RuntimeError

def test_setup(breaks): ...

def test_call_and_teardown(pop3_server, late, talk):
    talk(pop3_server, "CAPA", "QUIT")
    raise RuntimeError
""",
        "--pop3-report-dir=out",
        "--junit-xml=junit.xml",
    )

    call, setup = reports(pytester.path / "out")
    assert "test_setup (setup)" in setup
    assert call.index("(call)") < call.index("C: CAPA") < call.index("(teardown)")
    assert call.index("(teardown)") < call.index("C: LANG")
    assert [text.count("C: CAPA") for text in (call, setup)] == [1, 1]
    assert "C: LANG" in "".join(properties(pytester.path / "junit.xml"))


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests are pytest 9's")
def test_subtests(run: Run, pytester: pytest.Pytester) -> None:
    """Each failing subtest shows what it did itself."""
    result = run(
        """
def test(pop3_server, talk, subtests):
    for command in ("CAPA", "XYZZY", "LANG"):
        with subtests.test(command):
            talk(pop3_server, command, "QUIT")
            assert command == "LANG"
""",
        "--pop3-report-dir=out",
    )

    text = str(result.stdout)
    assert [text.count(f" C: {command}\n") for command in ("CAPA", "XYZZY")] == [1, 1]
    assert text.index("C: CAPA") < text.index("C: XYZZY")
    assert reports(pytester.path / "out")[0].count("(call)") >= 2


@pytest.mark.parametrize(
    "args", [("--pop3-show-secrets",), ("-opop3_show_secrets=true",)], ids=["option", "ini"]
)
def test_secrets_that_are_asked_for(run: Run, args: tuple[str, ...]) -> None:
    """Transcripts show secrets if asked to; what a test asks of the journal stays as it was."""
    result = run(
        """
@pytest.mark.pop3(users={"alice": "correct-horse"})
def test(pop3_server, talk):
    talk(pop3_server, "USER alice", "PASS correct-horse", "QUIT")
    talk(pop3_server, "AUTH PLAIN", "AGFsaWNlAHNlY3JldA==", "QUIT")
    assert pop3_server.journal.connection(1) == ["USER alice", "PASS ****", "QUIT"]
    assert "horse" not in pop3_server.transcript()
    raise RuntimeError
""",
        *args,
    )

    result.stdout.fnmatch_lines(["#1 * C: PASS correct-horse", "#2 * C: AGFsaWNlAHNlY3JldA=="])
    result.stdout.fnmatch_lines(["E *RuntimeError"])


def test_failure_in_a_thread(run: Run) -> None:
    """An assert in a thread that fails the test brings the transcript too."""
    result = run("""
import threading

@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test(pop3_server, talk):
    def work():
        talk(pop3_server, "CAPA", "QUIT")
        assert pop3_server.journal == ["STAT"]
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
""")

    result.stdout.fnmatch_lines(["*- pop3 transcript -*", "#1 * C: CAPA"])
