"""Mail of every kind that a maildrop may name."""

from __future__ import annotations

import contextlib
import mailbox
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3scenarios import Mail, ScenarioError, _folder, load, loads
from pop3scenarios._content import CHUNK

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


@pytest.mark.parametrize(
    ("item", "octets"),
    [
        ("{raw: 'A: b', line-ends: lf}", b"A: b"),
        ('{raw: "A: b\\n\\nx\\n", line-ends: lf}', b"A: b\n\nx\n"),
        ('{raw: "A: b\\n\\nx\\n", line-ends: crlf}', b"A: b\r\n\r\nx\r\n"),
    ],
)
def test_line_ends(item: str, octets: bytes) -> None:
    """A message that stands in the scenario is stored with the line ends that it asks for."""
    assert data(f"  - {item}\n") == [octets]


def test_line_ends_of_an_inline_message() -> None:
    """Its header is stored as its body is."""
    (message,) = data('  - {subject: S, body: "x\\ny", line-ends: lf}\n')

    assert message.endswith(b"\n\nx\ny")
    assert b"\r" not in message


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
    messages = mail("  - {raw: a, uid: one}\n  - raw: b\n")

    assert [(each.data, each.uid) for each in messages] == [(b"a", "one"), (b"b", None)]


def test_generated_message_of_many_chunks() -> None:
    """A message of any size is made in chunks, and has exactly so many octets."""
    for size in range(CHUNK - 100, CHUNK + 300):
        (message,) = mail(f"  - {{octets: {size}}}\n")
        chunks = list(message.content.chunks())

        assert size == message.content.octets == sum(map(len, chunks))
        assert max(map(len, chunks)) < 2 * CHUNK
        assert b"".join(chunks).count(b"\r\n") == b"".join(chunks).count(b"\n")
        assert chunks[-1].endswith(b"\r\n")


def test_generated_message_is_not_made_before_it_is_asked_for() -> None:
    """A maildrop of huge messages costs nothing until somebody retrieves one."""
    (*_, message) = mail("  - {octets: 1000000000000, count: 3}\n")

    first = next(message.content.chunks())

    assert message.content.octets == 10**12
    assert b"Subject: Message 3\r\n" in first


@pytest.mark.parametrize(
    ("items", "identities"),
    [
        ("  - {raw: a}\n", ["40f89e395b66422f"]),
        ("  - {body: a, count: 2}\n", ["fbc3feca6a391955-1", "fbc3feca6a391955-2"]),
    ],
)
def test_identity(items: str, identities: list[str]) -> None:
    """What stands for a message in its unique-id is the same in every run."""
    assert identities == [message.content.identity for message in mail(items)]


def test_identity_tells_messages_apart() -> None:
    """Messages that differ in anything differ in their identity; equal ones do not."""
    items = ["{body: a}", "{body: b}", "{body: a, subject: a}", "{octets: 200}", "{octets: 201}"]
    items += ["{raw: a}", "{raw: b}", "{from: a, subject: ba}", "{from: ab, subject: a}"]

    once = [message.content.identity for item in items for message in mail(f"  - {item}\n")]
    again = [message.content.identity for item in items for message in mail(f"  - {item}\n")]

    assert len(items) == len(set(once))
    assert once == again


def test_sessions() -> None:
    """A message can be there in some sessions of its user only."""
    first, second, always = mail(
        "  - {raw: a, sessions: 1}\n  - {raw: b, sessions: 2..}\n  - raw: c"
    )

    assert first.sessions is not None
    assert second.sessions is not None
    assert [1 in first.sessions, 2 in first.sessions] == [True, False]
    assert [1 in second.sessions, 2 in second.sessions, 99 in second.sessions] == [
        False,
        True,
        True,
    ]
    assert always.sessions is None


def test_file_that_is_gone_is_no_message(folder: Path) -> None:
    """A file that somebody has removed since the scenario was loaded is left out."""
    (folder / "m.eml").write_bytes(b"m")
    (folder / "n.eml").write_bytes(b"n")
    scenario = loads(HEAD + "  - {file: m.eml}\n  - {file: n.eml}\n")
    (folder / "m.eml").unlink()

    assert [message.data for message in scenario.mail("alice")] == [b"n"]


def test_mail_on_disk(folder: Path) -> None:
    """The part of a maildrop that others may change is what lies in files, as it is now."""
    (folder / "m.eml").write_bytes(b"m")
    mailbox.Maildir(folder / "Mail").close()
    scenario = loads(HEAD + "  - {raw: r}\n  - {file: m.eml}\n  - {maildir: Mail}\n")
    (folder / "Mail" / "new" / "1").write_bytes(b"new")

    assert [message.data for message in scenario.mail_on_disk("alice")] == [b"m", b"new"]


def test_origin_changes_with_the_file(folder: Path) -> None:
    """A file that has changed is another message; one that has not is the same."""
    (folder / "m.eml").write_bytes(b"one")
    scenario = loads(HEAD + "  - {file: m.eml}\n")
    (before,), (same,) = scenario.mail("alice"), scenario.mail("alice")
    (folder / "m.eml").write_bytes(b"two, longer")
    (after,) = scenario.mail("alice")

    assert before == same
    assert before.origin != after.origin


def test_file_that_changes_while_it_is_read(folder: Path) -> None:
    """Octets that are not those whose size was told are never given."""
    (folder / "m.eml").write_bytes(b"x" * 3 * CHUNK)
    (message,) = mail("  - {file: m.eml}\n")
    chunks = message.content.chunks()
    next(chunks)
    os.truncate(folder / "m.eml", CHUNK)

    with pytest.raises(OSError, match="changed since it was found"):
        list(chunks)
    with pytest.raises(OSError, match="changed since it was found"):
        _ = message.data


def test_maildir_uids(folder: Path) -> None:
    """In a Maildir the part of a name before the colon, which never changes, is the unique-id."""
    mailbox.Maildir(folder / "Mail").close()
    for name in ("new/1.a", "cur/2.b:2,S", "cur/3 space", f"cur/4{'x' * 80}"):
        (folder / "Mail" / name).write_bytes(b"")

    uids = [message.uid for message in mail("  - maildir: Mail\n")]

    assert uids[:2] == ["1.a", "2.b"]
    assert all(re.fullmatch(r"[0-9a-f]{16}", uid or "") for uid in uids[2:])
    assert len(set(uids)) == 4


def test_maildir_update(folder: Path) -> None:
    """What is taken out of a Maildir goes, whatever its flags are by now; the rest stays."""
    mailbox.Maildir(folder / "Mail").close()
    for name in ("new/1.a", "new/2.b", "new/3.c"):
        (folder / "Mail" / name).write_bytes(name.encode())
    first, second, _ = mail("  - {maildir: Mail, update: yes}\n")
    (folder / "Mail" / "new" / "2.b").rename(folder / "Mail" / "cur" / "2.b:2,RS")

    take_out(first, second)

    assert data("  - maildir: Mail\n") == [b"new/3.c"]


@given(
    st.lists(
        st.sampled_from([b"From a\n", b"From ", b"\n", b"\r\n", b"x", b"x\n", b">From b\n", b"F"])
    ).map(b"".join),
    st.integers(1, 9),
)
def test_mbox_like_the_library(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, chunk: int
) -> None:
    """Messages begin and end where Python's own mailbox says, wherever chunks end."""
    path = tmp_path_factory.getbasetemp() / "random.mbox"
    path.write_bytes(text)
    with contextlib.closing(mailbox.mbox(path, create=False)) as box:
        expected = [box.get_file(key).read() for key in box.keys()]  # noqa: SIM118 - no mapping

    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(_folder, "CHUNK", chunk)
        bounds = list(_folder._bounds(file))

    assert expected == [text[start:stop] for start, stop in bounds]


MBOX = b"From a\nSubject: 1\n\none\n\nFrom b\nSubject: 2\n\ntwo\n\nFrom c\nSubject: 1\n\none\n\n"


def test_mbox_uids(folder: Path) -> None:
    """In an mbox the octets of a message make its unique-id, and a second such has its own."""
    (folder / "box").write_bytes(MBOX)

    first, second, third = [message.uid for message in mail("  - mbox: box\n")]

    assert first is not None
    assert f"{first}.2" == third
    assert second not in (first, third)


def test_mbox_update(folder: Path) -> None:
    """What is taken out of an mbox goes; the rest stays octet for octet, with what came since."""
    path = folder / "box"
    path.write_bytes(MBOX)
    path.chmod(0o640)
    _, second, third = mail("  - {mbox: box, update: yes}\n")
    with path.open("ab") as file:
        file.write(b"From d\nSubject: 4\n\nfour\n\n")

    take_out(second, third)

    assert path.read_bytes() == b"From a\nSubject: 1\n\none\n\nFrom d\nSubject: 4\n\nfour\n\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in folder.iterdir()] == ["box"]


def test_mbox_that_another_has_locked(folder: Path) -> None:
    """While another program holds its lock, an mbox is not touched, and that is told."""
    path = folder / "box"
    path.write_bytes(MBOX)
    first, *_ = mail("  - {mbox: box, update: yes}\n")
    (folder / "box.lock").write_bytes(b"")

    with pytest.raises(OSError, match="box: dot lock unavailable"):
        take_out(first)

    assert path.read_bytes() == MBOX
    assert sorted(entry.name for entry in folder.iterdir()) == ["box", "box.lock"]


def test_mbox_that_grows(folder: Path) -> None:
    """Mail added to an mbox does not disturb what was found before; another file does."""
    path = folder / "box"
    path.write_bytes(MBOX)
    _, second, _ = mail("  - mbox: box\n")
    with path.open("ab") as file:
        file.write(b"From d\n\nmore\n")

    before = second.data
    (folder / "other").write_bytes(MBOX + MBOX)
    (folder / "other").replace(path)

    assert before == b"Subject: 2\n\ntwo\n"
    with pytest.raises(OSError, match="changed since it was found"):
        _ = second.data


def take_out(*messages: Mail) -> None:
    """Take messages out of the folder they lie in."""
    places = [message.place for message in messages]
    assert all(places)
    (folder,) = {place[0] for place in places if place}
    folder.remove({place[1] for place in places if place})


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
        ("{octets: 400, line-ends: lf}", "5:5", "line-ends go with a message that is written here"),
        ("{files: m, uid: u}", "5:5", "a uid is of one message"),
        ("{mbox: m, uid: u}", "5:5", "a uid is of one message"),
        ("{maildir: d, uid: u}", "5:5", "a uid is of one message"),
        ("{raw: a, update: yes}", "5:5", "update goes with mbox and maildir, and not with count"),
        ("{mbox: m, update: yes, count: 2}", "5:5", "update goes with mbox and maildir, and not"),
        ("{raw: a, sessions: 0}", "5:24", "'0' counts nothing"),
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
