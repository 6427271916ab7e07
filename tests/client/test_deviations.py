"""What is tolerated is recorded by name, once for each command; strict clients refuse it."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client

RAW = b"one\r\n"
OK = b"+OK\r\n"


def run_retr(client: Any) -> None:
    """Fetch the first message."""
    client.retr(1)


def run_oauth(client: Any) -> None:
    """Log in with a token."""
    client.authenticate(pop3client.XOAuth2("alice", "token"))


def serve(fake: Any, answers: dict[str, Any], greeting: Any, cut: int | None) -> Any:
    """A server; an answer to ``AUTH X`` is an exchange."""
    exchanges = {key[5:]: value for key, value in answers.items() if key.startswith("AUTH ")}
    return fake(answers, greeting=greeting or b"+OK ready\r\n", cut=cut, exchanges=exchanges)


def refused(call: Any, *arguments: Any) -> None:
    """See that the server refuses this."""
    with pytest.raises(pop3client.CommandError):
        call(*arguments)


def lost(call: Any, *arguments: Any) -> None:
    """See that client and server lose each other over this."""
    with pytest.raises(pop3client.BadStatusLine):
        call(*arguments)


def run_refused_login(client: Any) -> None:
    """Log in, in vain."""
    refused(client.login, "a", "b")


STEP_BY_STEP = (run_oauth, run_refused_login)

# quirk, where, answers, greeting, call, and whether it breaks an RFC
SIGHTINGS: list[tuple[str, str, dict[str, Any], Any, Any, bool]] = [
    ("greeting-bare", "greeting", {}, b"+OK\r\n", None, False),
    ("greeting-bare", "greeting", {}, b"+OK \r\n", None, False),
    ("no-capa", "CAPA", {"CAPA": b"-ERR\r\n"}, None, None, False),
    ("capa-closes", "CAPA", {"CAPA": "<close>"}, None, None, True),
    ("no-last", "LAST", {}, None, lambda c: c.retrieve("next"), False),
    ("last-zero", "LAST", {"LAST": b"+OK 0\r\n"}, None, lambda c: (c.retr(1), c.last()), False),
    ("no-uidl", "UIDL", {}, None, lambda c: refused(c.uidl), False),
    (
        "no-uidl",
        "UIDL",
        {},
        None,
        lambda c: refused(c.uidl, 1),
        False,
    ),
    (
        "no-top",
        "TOP",
        {},
        None,
        lambda c: refused(c.top, 1, 0),
        False,
    ),
    ("retr-without-size", "RETR", {"RETR 1": b"+OK\r\none\r\n.\r\n"}, None, run_retr, False),
    (
        "retr-size-not-a-number",
        "RETR",
        {"RETR 1": b"+OK x octets\r\none\r\n.\r\n"},
        None,
        run_retr,
        False,
    ),
    (
        "retr-size-too-small",
        "RETR",
        {"RETR 1": b"+OK 4 octets\r\none\r\n.\r\n"},
        None,
        run_retr,
        False,
    ),
    (
        "retr-size-too-large",
        "RETR",
        {"RETR 1": b"+OK 6 octets\r\none\r\n.\r\n"},
        None,
        run_retr,
        False,
    ),
    (
        "list-single-refused",
        "LIST",
        {"LIST 1": b"-ERR\r\n"},
        None,
        lambda c: refused(c.list, 1),
        True,
    ),
    ("list-sizes-wrong", "LIST", {"LIST": b"+OK\r\n1 -1\r\n.\r\n"}, None, lambda c: c.list(), True),
    (
        "list-gaps",
        "LIST",
        {"LIST": b"+OK\r\n1 5\r\n4 5\r\n9 7\r\n.\r\n"},
        None,
        lambda c: c.list(),
        True,
    ),
    (
        "list-gaps",
        "UIDL",
        {"UIDL": b"+OK\r\n2 a\r\n3 b\r\n4 c\r\n.\r\n"},
        None,
        lambda c: c.uidl(),
        True,
    ),
    ("stat-negative", "STAT", {"STAT": b"+OK 3 -1\r\n"}, None, None, True),
    ("lf-only", "greeting", {}, b"+OK hi\n", None, True),
    ("lf-only", "NOOP", {"NOOP": b"+OK\n"}, None, lambda c: c.noop(), True),
    ("lf-only", "RETR", {"RETR 1": b"+OK 4\none\n.\n"}, None, run_retr, True),
    ("lf-only", "LIST", {"LIST": b"+OK\n1 5\n.\n"}, None, lambda c: c.list(), True),
    ("lf-only", "UIDL", {"UIDL": b"+OK\r\n1 a\n.\r\n"}, None, lambda c: c.uidl(), True),
    ("dot-lf", "RETR", {"RETR 1": b"+OK 5\r\none\r\n.\n"}, None, run_retr, True),
    ("dot-lf", "LIST", {"LIST": b"+OK\r\n1 5\r\n.\n"}, None, lambda c: c.list(), True),
    ("no-stuffing", "RETR", {"RETR 1": b"+OK 6\r\n.one\r\n.\r\n"}, None, run_retr, True),
    ("retr-empty", "RETR", {"RETR 1": b"+OK 5 octets\r\n.\r\n"}, None, run_retr, True),
    (
        "top-double-ok",
        "TOP",
        {"TOP 1 0": b"+OK\r\n+OK top follows\r\na: b\r\n\r\n.\r\n"},
        None,
        lambda c: c.top(1, 0),
        True,
    ),
    (
        "top-extra-lines",
        "TOP",
        {"TOP 1 1": b"+OK\r\na: b\r\n\r\none\r\ntwo\r\n.\r\n"},
        None,
        lambda c: c.top(1, 1),
        True,
    ),
    (
        "no-stuffing",
        "TOP",
        {"TOP 1 0": b"+OK\r\na\r\n.b\r\n.\r\n"},
        None,
        lambda c: c.top(1, 0),
        True,
    ),
    ("reply-blank-line", "DELE", {"DELE 1": b"\r\n+OK\r\n"}, None, lambda c: c.dele(1), True),
    (
        "first-line-blank",
        "UIDL",
        {"UIDL": b"+OK\r\n\r\n1 a\r\n.\r\n"},
        None,
        lambda c: c.uidl(),
        True,
    ),
    (
        "uidl-extra-spaces",
        "UIDL",
        {"UIDL": b"+OK\r\n1   a\r\n.\r\n"},
        None,
        lambda c: c.uidl(),
        True,
    ),
    ("uidl-extra-spaces", "UIDL", {"UIDL 1": b"+OK 1 a \r\n"}, None, lambda c: c.uidl(1), True),
    (
        "uidl-ok-prefix",
        "UIDL",
        {"UIDL": b"+OK\r\n+OK 1 a\r\n.\r\n"},
        None,
        lambda c: c.uidl(),
        True,
    ),
    ("uidl-one-no-number", "UIDL", {"UIDL 1": b"+OK 0a14\r\n"}, None, lambda c: c.uidl(1), True),
    (
        "uidl-long",
        "UIDL",
        {"UIDL": b"+OK\r\n1 " + 71 * b"a" + b"\r\n.\r\n"},
        None,
        lambda c: c.uidl(),
        True,
    ),
    ("uidl-odd-octets", "UIDL", {"UIDL 1": b"+OK 1 a b\r\n"}, None, lambda c: c.uidl(1), True),
    (
        "uidl-duplicate",
        "UIDL",
        {"UIDL": b"+OK\r\n1 a\r\n2 b\r\n3 a\r\n.\r\n"},
        None,
        lambda c: c.uidl(),
        True,
    ),
    (
        "list-arg-ignored",
        "LIST",
        {"LIST 2": b"+OK 3 messages\r\n1 5\r\n2 5\r\n3 7\r\n.\r\n"},
        None,
        lambda c: c.list(2),
        True,
    ),
    (
        "list-arg-ignored",
        "UIDL",
        {"UIDL 2": b"+OK ids follow\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n"},
        None,
        lambda c: c.uidl(2),
        True,
    ),
    (
        "pipelined-race",
        "RETR",
        {"CAPA": b"+OK\r\nPIPELINING\r\n.\r\n", "RETR 2": b"what\r\n"},
        None,
        lambda c: lost(c.retrieve, "start", "end"),
        True,
    ),
    ("uidl-blank", "UIDL", {"UIDL": b"+OK\r\n1 \r\n.\r\n"}, None, lambda c: c.uidl(), True),
    (
        "quit-err",
        "QUIT",
        {"QUIT": b"-ERR\r\n"},
        None,
        lambda c: refused(c.quit),
        False,
    ),
    ("quit-silent", "QUIT", {"QUIT": "<close>"}, None, lambda c: c.quit(), True),
    (
        "mech-advertised-broken",
        "PLAIN",
        {"CAPA": b"+OK\r\nSASL PLAIN\r\n.\r\n", "AUTH PLAIN": [b"-ERR not supported\r\n"]},
        None,
        None,
        True,
    ),
    ("sasl-ok-for-plus", "AUTH", {"AUTH XOAUTH2": [OK, OK]}, None, run_oauth, True),
    ("sasl-plus-no-space", "AUTH", {"AUTH XOAUTH2": [b"+\r\n", OK]}, None, run_oauth, True),
    (
        "sasl-text-challenge",
        "AUTH",
        {"AUTH XOAUTH2": [b"+ go ahead\r\n", OK]},
        None,
        run_oauth,
        True,
    ),
    (
        "close-on-bad-auth",
        "PASS",
        {"PASS": (b"-ERR no\r\n", "<close>")},
        None,
        run_refused_login,
        False,
    ),
]
IDS = [f"{sighting[0]}-{sighting[1]}" for sighting in SIGHTINGS]


@pytest.mark.parametrize(
    ("quirk", "where", "answers", "greeting", "call", "breaks"), SIGHTINGS, ids=IDS
)
def test_tolerated(
    fake: Any,
    cut: int | None,
    quirk: str,
    where: str,
    answers: Any,
    greeting: Any,
    call: Any,
    breaks: bool,
) -> None:
    """Each quirk is put up with and recorded, with the clause that it breaks."""
    server = serve(fake, answers, greeting, cut)

    client = server.client() if call in STEP_BY_STEP else server.connect()
    if call:
        call(client)

    (entry,) = client.deviations
    assert (entry.quirk, entry.where, entry.count) == (quirk, where, 1)
    assert entry.breaks == pop3client.QUIRKS[quirk].breaks
    assert bool(entry.breaks) == breaks


@pytest.mark.parametrize(
    ("quirk", "where", "answers", "greeting", "call", "breaks"), SIGHTINGS, ids=IDS
)
def test_strict(
    fake: Any,
    cut: int | None,
    quirk: str,
    where: str,
    answers: Any,
    greeting: Any,
    call: Any,
    breaks: bool,
) -> None:
    """With strict=True what breaks an RFC is an error, and what does not is none."""
    server = serve(fake, answers, greeting, cut)

    if quirk == "close-on-bad-auth":
        client = server.client(strict=True)
        call(client)  # a refusal stays the error that it is
        return
    if quirk == "pipelined-race":
        call(server.connect(strict=True))  # and so does the loss of each other
        return

    def run() -> None:
        client = server.client(strict=True) if call is run_oauth else server.connect(strict=True)
        if call:
            call(client)
        if quirk == "list-single-refused":
            client.noop()  # a refusal stays the error that it is, and has no echo

    if breaks and quirk != "list-single-refused":
        with pytest.raises(pop3client.DeviationError, match=quirk) as caught:
            run()
        assert caught.value.deviation.quirk == quirk
    else:
        run()


def test_all_quirks_are_sighted() -> None:
    """The table above has every quirk that the client knows."""
    assert {sighting[0] for sighting in SIGHTINGS} == set(pop3client.QUIRKS)


def test_one_entry_with_a_count(fake: Any) -> None:
    """The same quirk in the same command is one entry, with a count."""
    answers = {f"RETR {n}": b"+OK\r\n.x\r\n.\r\n" for n in (1, 2, 3)} | {
        "TOP 1 0": b"+OK\r\n.y\r\n.\r\n"
    }
    with fake(answers).connect(retr_mode=pop3client.RetrMode.SLOW) as client:
        client.retrieve(1, "end")
        client.top(1, 0)

        assert [(e.quirk, e.where, e.detail, e.count) for e in client.deviations] == [
            ("no-stuffing", "RETR", ".x", 3),
            ("no-stuffing", "TOP", ".y", 1),
        ]


def test_strict_keeps_the_message(fake: Any) -> None:
    """A message that came with a deviation is in the error; the session goes on."""
    server = fake({"RETR 2": b"+OK 4\r\n.x\r\n.\r\n"})
    with server.connect(strict=True) as client:
        with pytest.raises(pop3client.DeviationError, match="RFC 1939 section 3") as caught:
            client.retrieve(1, "end")

        assert [m.raw for m in caught.value.retrieved] == [b"one\r\n", b".x\r\n"]
        assert client.retr(3).raw == b"three\r\n"


def test_values_survive_the_quirk(fake: Any) -> None:
    """What is tolerated is also understood."""
    listing = b"+OK\r\n1   2011071307\r\n+OK 2 b\r\n3\r\n\r\n4 a b \r\n.\r\n"
    with fake({"UIDL": listing, "UIDL 1": b"+OK 1\r\n"}).connect() as client:
        assert [(item.number, item.uid) for item in client.uidl()] == [
            (1, b"2011071307"),
            (2, b"b"),
            (3, b""),
            (4, b"a b"),
        ]
        assert client.uidl(1) == pop3client.UniqueId(1, b"")


def test_a_regular_server_shows_nothing(fake: Any, cut: int | None) -> None:
    """A server that obeys has no deviations, however its octets are cut."""
    refusals = {f"{command} {n}": b"-ERR no\r\n" for command in ("UIDL", "LIST") for n in (9, 10)}
    listings = {"UIDL": b"+OK\r\n1 a\r\n.\r\n", "LIST": b"+OK\r\n1 5\r\n.\r\n"}
    server = fake(refusals | listings, cut=cut)
    with server.connect(strict=True) as client:
        client.retrieve("start", "end")
        client.list()
        client.uidl()
        for number in (9, 10):  # refused rightly
            with pytest.raises(pop3client.CommandError):
                client.top(number, 0)
            with pytest.raises(pop3client.CommandError):
                client.uidl(number)
            with pytest.raises(pop3client.CommandError):
                client.list(number)
    assert client.deviations == ()


def test_a_top_loses_its_second_status_line(fake: Any, cut: int | None) -> None:
    """What stands in the header stays there; a message may have lines that begin with +OK."""
    answers = {
        "TOP 1 1": b"+OK\r\n+OK\r\nSubject: a\r\n\r\n+OK\r\n.\r\n",
        "TOP 2 0": b"+OK\r\n+OKAY: a\r\n\r\n.\r\n",
    }
    with fake(answers, cut=cut).connect() as client:
        assert client.top(1, 1).raw == b"Subject: a\r\n\r\n+OK\r\n"
        assert client.top(2, 0).raw == b"+OKAY: a\r\n\r\n"
        assert [deviation.quirk for deviation in client.deviations] == ["top-double-ok"]


@pytest.mark.parametrize(
    ("raw", "lines", "detail"),
    [
        (b"a: b\r\n\r\n", 0, None),
        (b"a: b\r\n", 0, None),
        (b"\r\n", 0, None),
        (b"\r\nbody\r\n", 1, None),
        (b"\r\nbody\r\n", 0, "0 asked for, 1 more came"),
        (b"a: b\r\n\r\n1\r\n\r\n3\r\n", 3, None),
        (b"a: b\r\n\r\n1\r\n\r\n3\r\n", 2, "2 asked for, 1 more came"),
        (b"a: b\r\n\r\n1\n2\n3\r\n", 1, None),
        (b"a: b\r\n\r\n\r\n", 0, "0 asked for, 1 more came"),
    ],
)
def test_lines_of_a_top(fake: Any, raw: bytes, lines: int, detail: str | None) -> None:
    """Lines of the body are those behind the first empty line; all that came is given."""
    with fake({f"TOP 1 {lines}": fake.message(raw)}).connect() as client:
        message = client.top(1, lines)

        assert message.raw == raw
        assert [deviation.detail for deviation in client.deviations] == [detail] * bool(detail)


def test_an_empty_message_that_is_announced_as_such(fake: Any) -> None:
    """A message of no octets may be one; then the retrieval mode has no reason to fall."""
    with fake(mail=(b"", b"two\r\n")).connect(strict=True) as client:
        assert [message.raw for message in client.retrieve("start", "end")] == [b"", b"two\r\n"]
        assert client.config.retr_mode is pop3client.RetrMode.RETR


@pytest.mark.parametrize("command", ["list", "uidl"])
@pytest.mark.parametrize("listed", [True, False])
def test_all_listed_where_one_was_asked_for(
    fake: Any, cut: int | None, command: str, listed: bool
) -> None:
    """The message is found in the listing, if it is there; either way the session goes on."""
    listing = b"+OK here it is\r\n1 10\r\n3 30\r\n" + b"2 20\r\n" * listed + b".\r\n"
    with fake({f"{command.upper()} 2": listing}, cut=cut).connect() as client:
        if listed:
            number, value = getattr(client, command)(2)
            assert (number, value) == (2, 20 if command == "list" else b"20")
        else:
            with pytest.raises(pop3client.MalformedReply, match=f"{command.upper()} 2"):
                getattr(client, command)(2)

        assert client.retr(1).raw == b"one\r\n"
        assert [deviation.quirk for deviation in client.deviations] == ["list-arg-ignored"]


def test_an_empty_listing_where_one_was_asked_for(fake: Any, cut: int | None) -> None:
    """A listing of nothing is read to its end as well."""
    with fake({"LIST 2": b"+OK here it is\r\n.\r\n"}, cut=cut).connect() as client:
        with pytest.raises(pop3client.MalformedReply):
            client.list(2)

        assert client.retr(1).raw == b"one\r\n"


def test_octets_of_the_partial_message(fake: Any, cut: int | None) -> None:
    """A message whose end is not to be seen is in the error, as far as it came."""
    with fake({"RETR 1": b"+OK 5\r\nHello.\r\n."}, cut=cut).connect() as client:
        with pytest.raises(pop3client.POP3TimeoutError) as caught:
            client.retrieve(1)

        assert caught.value.received == b"Hello.\r\n."
