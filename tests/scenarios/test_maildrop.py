"""Mail of every kind that a maildrop may name."""

from __future__ import annotations

import mailbox
from typing import TYPE_CHECKING

import pytest

from pop3scenarios import Mail, ScenarioError, load, loads

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "pop3: 1\nname: x\nsummary: s\nmaildrop:\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mail(items: str) -> list[Mail]:
    """The messages of a maildrop with these items."""
    return loads(HEAD + items).mail("alice")


def data(items: str) -> list[bytes]:
    """Their octets."""
    return [each.data for each in mail(items)]


def test_inline() -> None:
    """Header fields and a body make a message with CRLF, and what is not said is filled in."""
    (message,) = data(
        "  - from: a@b\n    to: c@d\n    subject: S\n    headers: {X-Y: z, Date: today}\n"
        "    body: |\n      one\n      .two\n"
    )

    assert (
        message
        == b"From: a@b\r\nTo: c@d\r\nSubject: S\r\nDate: today\r\nX-Y: z\r\n\r\none\r\n.two\r\n"
    )


@pytest.mark.parametrize(
    ("item", "body"),
    [
        ('{body: ""}', b""),
        ("{subject: S}", b""),
        ("{body: no line end}", b"no line end"),
        ('{body: "a\\r\\nb\\n"}', b"a\r\nb\r\n"),
        ("{body: Grüße}", "Grüße".encode()),
    ],
)
def test_inline_bodies(item: str, body: bytes) -> None:
    """The body is the text as it is, in UTF-8, with CRLF."""
    (message,) = data(f"  - {item}\n")

    head, empty, rest = message.partition(b"\r\n\r\n")
    assert empty == b"\r\n\r\n"
    assert body == rest
    assert [line.split(b":")[0] for line in head.split(b"\r\n")] == [
        b"From",
        b"To",
        b"Subject",
        b"Date",
    ]


def test_field_in_a_block_does_not_end_the_header() -> None:
    """The line end of a literal block is no empty line."""
    (message,) = data("  - subject: |\n      S\n    body: b\n")

    assert message.endswith(b"Subject: S\r\nDate: Mon, 02 Jan 2023 10:00:00 +0000\r\n\r\nb")


@pytest.mark.parametrize(
    ("item", "octets"),
    [("{raw: ''}", b""), ("{raw: x}", b"x"), ('{raw: "a\\nb\\r\\n"}', b"a\r\nb\r\n")],
)
def test_raw(item: str, octets: bytes) -> None:
    """A raw message is nothing but its text, with CRLF."""
    assert [octets] == data(f"  - {item}\n")


def test_count() -> None:
    """Copies of an inline message have their numbers; copies of others are the same."""
    messages = data("  - {body: b, count: 3}\n  - {raw: r, count: 2}\n")

    subjects = [message.split(b"\r\n")[2] for message in messages[:3]]
    assert subjects == [b"Subject: Message 1", b"Subject: Message 2", b"Subject: Message 3"]
    assert messages[3:] == [b"r", b"r"]


def test_generated_messages_have_their_size_exactly() -> None:
    """Of every size, a generated message has exactly so many octets, in lines with CRLF."""
    items = "".join(f"  - {{octets: {size}}}\n" for size in range(100, 5001))

    for size, message in zip(range(100, 5001), data(items), strict=True):
        assert size == len(message)
        assert b"\r\n\r\n" in message
        assert message.count(b"\r") == message.count(b"\n") == message.count(b"\r\n")
        assert b"\n." not in message
        assert max(map(len, message.split(b"\r\n"))) < 100


def test_generated_message_ends_in_a_line_end() -> None:
    """Unless its header leaves only one octet, a generated message ends in CRLF."""
    ends = [message[-2:] for message in data("  - {octets: 100}\n  - {octets: 4096}\n")]

    assert ends == [b"\r\n", b"\r\n"]


def test_generated_message_with_fields() -> None:
    """Fields that the author gives stay, however small the message."""
    (message,) = data("  - {octets: 120, subject: Hello, to: me@example.com}\n")

    assert len(message) == 120
    assert b"\r\nTo: me@example.com\r\nSubject: Hello\r\n" in message


def test_generated_message_smaller_than_its_header() -> None:
    """A size that the header alone exceeds is told, not missed."""
    with pytest.raises(ScenarioError) as caught:
        data(f"  - {{octets: 100, subject: {'x' * 100}}}\n")

    (problem,) = caught.value.problems
    assert (
        problem.line,
        problem.column,
        problem.message,
    ) == (5, 5, "its header alone has 139 octets")


def test_generated_count() -> None:
    """Many generated messages have the same size, also where the numbers grow."""
    assert {100} == {len(message) for message in data("  - {octets: 100, count: 1200}\n")}


def test_file_is_served_as_it_stands(folder: Path) -> None:
    """A file is neither converted nor altered."""
    octets = b"Subject: x\n\n\xff\r.\n"
    (folder / "m.eml").write_bytes(octets)

    assert [octets, octets] == data("  - {file: m.eml}\n  - {file: ./m.eml}\n")


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    """Mail beside a scenario file is found from wherever it is loaded, through quirks too."""
    sub = folder / "sub"
    sub.mkdir()
    (sub / "m.eml").write_bytes(b"here")
    (sub / "x.pop3.yaml").write_text(HEAD + "  - {file: m.eml}\n  - {files: '*.eml'}\n")
    (folder / "y.pop3.yaml").write_text("pop3: 1\nname: y\nsummary: s\nextends: ./sub/x\n")

    assert [each.data for each in load("./sub/x").mail("alice")] == [b"here", b"here"]
    assert load("./sub/x").mail("alice") == load("./y").mail("alice")


def test_files(folder: Path) -> None:
    """A pattern stands for the files that match, in the order of their names, and no folder."""
    (folder / "d" / "e.eml").mkdir(parents=True)
    for name in ("b", "a", "c"):
        (folder / "d" / f"{name}.eml").write_bytes(name.encode())
    (folder / "d" / "e.eml" / "z.eml").write_bytes(b"z")

    assert data("  - files: d/*.eml\n") == [b"a", b"b", b"c"]
    assert data(f"  - files: '{folder}/d/*.eml'\n") == [b"a", b"b", b"c"]
    assert data("  - files: 'd/[ab].eml'\n") == [b"a", b"b"]
    assert data("  - files: d/a.eml\n") == [b"a"]
    assert data("  - files: 'd/**/*.eml'\n") == [b"a", b"b", b"c", b"z"]


def test_files_in_a_folder_with_brackets(tmp_path: Path) -> None:
    """The folder of a scenario file is no part of the pattern."""
    folder = tmp_path / "a[1]*"
    folder.mkdir()
    (folder / "m.eml").write_bytes(b"here")
    (folder / "x.pop3.yaml").write_text(HEAD + "  - files: '*.eml'\n")

    assert [each.data for each in load(folder / "x.pop3.yaml").mail("alice")] == [b"here"]


def test_mbox(folder: Path) -> None:
    """An mbox gives its messages without its separators, and is not altered."""
    path = folder / "box"
    text = b"From a\nSubject: 1\n\none\n>From x\n\nFrom b\nSubject: 2\n\ntwo\n"
    path.write_bytes(text)
    before = path.stat()

    messages = data("  - mbox: box\n")

    assert messages == [b"Subject: 1\n\none\n>From x\n", b"Subject: 2\n\ntwo\n"]
    assert text == path.read_bytes()
    assert before.st_mtime_ns == path.stat().st_mtime_ns
    assert [entry.name for entry in folder.iterdir()] == ["box"]


def test_maildir(folder: Path) -> None:
    """A Maildir gives new and seen messages together, in the order of their names."""
    mailbox.Maildir(folder / "Mail").close()
    for name in ("cur/1700000001.a:2,S", "new/1700000000.b", "new/1700000002.c", "tmp/1", "new/.x"):
        (folder / "Mail" / name).write_bytes(name.encode())
    (folder / "Mail" / "cur" / "0").mkdir()

    assert data("  - maildir: Mail\n") == [
        b"new/1700000000.b",
        b"cur/1700000001.a:2,S",
        b"new/1700000002.c",
    ]
    assert (folder / "Mail" / "new" / "1700000000.b").exists()


def test_uid() -> None:
    """A message may have its unique-id; without, the server makes one."""
    assert [Mail(b"a", "one"), Mail(b"b")] == mail("  - {raw: a, uid: one}\n  - raw: b\n")


@pytest.mark.parametrize(
    ("item", "place", "message"),
    [
        ("{}", "5:5", "exactly one of body, raw, file, files, mbox, maildir, octets is needed"),
        ("{count: 2}", "5:5", "exactly one of body, raw, file"),
        (
            "{body: a, raw: b}",
            "5:5",
            "exactly one of body, raw, file, files, mbox, maildir, octets",
        ),
        ("{raw: a, subject: b}", "5:5", "header fields do not go with raw"),
        ("{file: m, from: a@b}", "5:5", "header fields do not go with file"),
        ("{raw: a, uid: u, count: 2}", "5:5", "a uid is of one message"),
        ("{files: m, uid: u}", "5:5", "a uid is of one message"),
        ("{mbox: m, uid: u}", "5:5", "a uid is of one message"),
        ("{maildir: d, uid: u}", "5:5", "a uid is of one message"),
        (
            "{file: gone.eml}",
            "5:12",
            "there is no file gone.eml; paths are relative to the scenario",
        ),
        ("{file: d}", "5:12", "there is no file d"),
        ("{mbox: d}", "5:12", "there is no file d"),
        ("{mbox: gone}", "5:12", "there is no file gone"),
        ("{maildir: m}", "5:15", "there is no folder m"),
        ("{maildir: gone}", "5:15", "there is no folder gone"),
        (
            "{files: 'gone/*.eml'}",
            "5:13",
            "no file matches 'gone/*.eml'; paths are relative to the",
        ),
        ("{files: '/gone/*.eml'}", "5:13", "no file matches '/gone/*.eml'"),
        ("{files: '*'}", None, ""),
        ("{files: ''}", "5:13", "no file matches ''"),
        ("{file: ''}", "5:12", "there is no file"),
        ('{file: "a\\0b"}', "5:12", "there is no file"),
        ("{file: ~nobody-has-this-name/x}", "5:12", "there is no file ~nobody-has-this-name/x"),
        (f"{{file: {'a' * 5000}}}", "5:12", "there is no file aaaa"),
        (f"{{files: {'a' * 5000}}}", "5:13", "no file matches"),
    ],
)
def test_wrong_items(folder: Path, item: str, place: str | None, message: str) -> None:
    """An item that makes no sense, or names a file that is not there, is told with its place."""
    (folder / "m").write_bytes(b"")
    (folder / "d").mkdir()
    if place is None:
        assert data(f"  - {item}\n") == [b""]
        return

    with pytest.raises(ScenarioError) as caught:
        loads(HEAD + f"  - {item}\n")

    (problem,) = caught.value.problems
    assert place == f"{problem.line}:{problem.column}"
    assert problem.message.startswith(message)
