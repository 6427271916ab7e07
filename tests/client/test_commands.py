"""What each command sends and returns."""

from __future__ import annotations

from typing import Any

import pytest

import pop3client
from pop3client import Maildrop, Message, ScanListing, UniqueId

RAW = b"Subject: =?utf-8?q?na=C3=AFve?=\r\n\r\n.body\r\n"


def test_connect_speaks_in_this_order(fake: Any, cut: int | None) -> None:
    """CAPA, login, CAPA anew, STAT; a command is one write; close says QUIT."""
    server = fake(cut=cut)

    client = server.connect("alice", "se cret")
    client.close()

    assert server.sent == [
        b"CAPA\r\n",
        b"USER alice\r\n",
        b"PASS se cret\r\n",
        b"CAPA\r\n",
        b"STAT\r\n",
        b"QUIT\r\n",
    ]
    assert server.connection.closed


def test_constructor_says_nothing(fake: Any) -> None:
    """The constructor connects and listens; the steps are for the caller to take."""
    server = fake(greeting=b"+OK hello there\r\n")

    client = server.client()

    assert server.sent == []
    assert client.greeting == "hello there"
    client.login("alice", "secret")
    client.close()
    assert server.sent == [
        *(b"CAPA\r\n", b"USER alice\r\n", b"PASS secret\r\n", b"CAPA\r\n", b"STAT\r\n"),
        b"QUIT\r\n",
    ]


def test_status_and_stat(fake: Any, cut: int | None) -> None:
    """STAT gives count and octets, under both names; it can be unpacked."""
    with fake({"STAT": b"+OK 2 320 and more\r\n"}, cut=cut).connect() as client:
        assert client.stat() == client.status() == Maildrop(2, 320)
        count, octets = client.stat()
        assert (count, octets) == (2, 320)


def test_sizes_beyond_31_bits(fake: Any) -> None:
    """Big maildrops are big numbers."""
    with fake({"STAT": b"+OK 1 99999999999\r\n"}).connect() as client:
        assert client.stat().octets == 99_999_999_999


def test_list(fake: Any, cut: int | None) -> None:
    """LIST gives all, LIST n one; gaps in the numbers and more words are fine."""
    server = fake(
        {"LIST": b"+OK\r\n1 120\r\n3 200 more\r\n.\r\n", "LIST 3": b"+OK 3 200\r\n"}, cut=cut
    )

    with server.connect() as client:
        assert client.list() == [ScanListing(1, 120), ScanListing(3, 200)]
        assert client.list(3) == ScanListing(3, 200)


def test_uidl(fake: Any, cut: int | None) -> None:
    """UIDL gives unique-ids as octets."""
    server = fake({"UIDL": b"+OK\r\n1 a\xffb\r\n2 Qx\r\n.\r\n", "UIDL 2": b"+OK 2 Qx\r\n"}, cut=cut)

    with server.connect() as client:
        assert client.uidl() == [UniqueId(1, b"a\xffb"), UniqueId(2, b"Qx")]
        assert client.uidl(2) == UniqueId(2, b"Qx")
        assert [entry.quirk for entry in client.deviations] == ["uidl-odd-octets"]


def test_retr_and_message(fake: Any, cut: int | None) -> None:
    """RETR gives the octets, and the parsed message on request."""
    with fake(mail=(RAW,), cut=cut).connect() as client:
        message = client.retr(1)

    assert message == Message(1, RAW)
    assert bytes(message) == message.raw
    assert message.octets == len(RAW)
    assert message.parse()["Subject"] == "naïve"
    assert message.parse().get_content().splitlines() == [".body"]
    assert "body" not in repr(message)


def test_top(fake: Any, cut: int | None) -> None:
    """TOP m n gives header and lines, unstuffed."""
    server = fake({"TOP 2 1": b"+OK\r\nA: b\r\n\r\n..x\r\n.\r\n"}, cut=cut)

    with server.connect() as client:
        assert client.top(2, 1) == Message(2, b"A: b\r\n\r\n.x\r\n")


def test_last_noop_rset(fake: Any, cut: int | None) -> None:
    """LAST gives a number; NOOP and RSET give nothing."""
    server = fake({"LAST": b"+OK 2\r\n"}, cut=cut)

    with server.connect() as client:
        assert client.last() == 2
        client.noop()
        client.rset()
    assert server.sent[-4:] == [b"LAST\r\n", b"NOOP\r\n", b"RSET\r\n", b"QUIT\r\n"]


def test_retrieve_one_delete_it_eleven_times(fake: Any) -> None:
    """Numbers do not move within a session, and no STAT is needed between."""
    server = fake(mail=tuple(b"%d\r\n" % number for number in range(1, 12)))

    with server.connect() as client:
        for number in range(1, 12):
            assert client.retrieve(number) == [Message(number, b"%d\r\n" % number)]
            assert client.delete(number) == [number]

    assert server.sent.count(b"STAT\r\n") == 1
    assert server.sent[-3:] == [b"RETR 11\r\n", b"DELE 11\r\n", b"QUIT\r\n"]


def test_iter_retrieve_fetches_when_asked(fake: Any) -> None:
    """iter_retrieve fetches a message when it is asked for, and lets other commands between."""
    server = fake()

    with server.connect() as client:
        messages = client.iter_retrieve("start", "end")
        assert b"RETR 1\r\n" not in server.sent

        assert next(messages).raw == b"one\r\n"
        client.dele(1)
        assert [message.number for message in messages] == [2, 3]


def test_what_was_fetched_goes_with_the_error(fake: Any, cut: int | None) -> None:
    """An error in the middle of a range carries the messages before it."""
    server = fake({"RETR 3": b"-ERR [SYS/TEMP] try later\r\n"}, cut=cut)

    with server.connect() as client:
        with pytest.raises(pop3client.TemporaryError) as caught:
            client.retrieve("start", "end")

        assert [message.raw for message in caught.value.retrieved] == [b"one\r\n", b"two\r\n"]
        assert client.retr(1).raw == b"one\r\n"


def test_partial_results_survive_a_lost_connection(fake: Any, cut: int | None) -> None:
    """End of stream inside a message: the messages before it, and the octets that came."""
    server = fake({"RETR 2": (b"+OK\r\nhalf a li", fake.End.CLOSE)}, cut=cut)
    client = server.connect()

    with pytest.raises(pop3client.ConnectionClosed) as caught:
        client.retrieve(1, "end")

    assert [message.raw for message in caught.value.retrieved] == [b"one\r\n"]
    assert caught.value.received == b"half a li"
    assert caught.value.step == "RETR 2"


@pytest.mark.parametrize(
    ("answer", "kind", "code", "text"),
    [
        (
            b"[IN-USE] Do you have another session?",
            "MailboxInUse",
            "IN-USE",
            "Do you have another session?",
        ),
        (b"[LOGIN-DELAY] wait", "LoginDelayError", "LOGIN-DELAY", "wait"),
        (b"[SYS/TEMP] disk", "TemporaryError", "SYS/TEMP", "disk"),
        (b"[SYS/TEMP/DISK] disk", "TemporaryError", "SYS/TEMP/DISK", "disk"),
        (b"[sys/perm] gone", "PermanentError", "SYS/PERM", "gone"),
        (b"[AUTH] no", "AuthenticationError", "AUTH", "no"),
        (b"[UTF8] no", "UTF8Required", "UTF8", "no"),
        (b"[X-OWN] no", "AuthenticationError", "X-OWN", "no"),
        (
            b"authentication failed, sorry",
            "AuthenticationError",
            "",
            "authentication failed, sorry",
        ),
        (
            b"could not aquire lock for maildrop ak",
            "MailboxInUse",
            "",
            "could not aquire lock for maildrop ak",
        ),
        (b"Can't get lock.  Mailbox in use", "MailboxInUse", "", "Can't get lock.  Mailbox in use"),
        (b"mail storage services unavailable, wait a few minutes", "MailboxInUse", "", None),
        (b"Your account has been locked", "AuthenticationError", "", None),
        (b"access blocked", "AuthenticationError", "", None),
        (b"failed [AUTH] not in front", "AuthenticationError", "", "failed [AUTH] not in front"),
        (b" [IN-USE] not directly after", "AuthenticationError", "", None),
        (b"", "AuthenticationError", "", ""),
    ],
)
def test_refused_login(
    fake: Any, cut: int | None, answer: bytes, kind: str, code: str, text: str | None
) -> None:
    """A refused PASS is typed by its response code, else by its words, and keeps them."""
    server = fake({"PASS": (b"-ERR " + answer).rstrip() + b"\r\n"}, cut=cut)

    with pytest.raises(pop3client.CommandError) as caught:
        server.connect()

    assert type(caught.value) is getattr(pop3client, kind)
    assert (caught.value.command, caught.value.code) == ("PASS", code)
    if text is not None:
        assert caught.value.text == text
    assert server.connection.closed


def test_refusals_outside_login(fake: Any) -> None:
    """Elsewhere a refusal without a code is a plain CommandError, whatever words it uses."""
    with fake({"RETR 1": b"-ERR message is locked\r\n"}).connect() as client:
        with pytest.raises(
            pop3client.CommandError, match=r"RETR 1: .* message is locked"
        ) as caught:
            client.retr(1)

        assert type(caught.value) is pop3client.CommandError
        assert not caught.value.retryable


@pytest.mark.parametrize(
    "line", [b"+OKAY", b"+ok", b"+ERR oops +OK", b"OK", b"-ERROR", b"+", b"hello +OK"]
)
def test_only_the_exact_token_is_success(fake: Any, cut: int | None, line: bytes) -> None:
    """Only a line that starts with the token +OK is success."""
    client = fake({"NOOP": line + b"\r\n"}, cut=cut).connect()

    with pytest.raises(pop3client.BadStatusLine) as caught:
        client.noop()

    assert caught.value.line == line
    with pytest.raises(pop3client.StateError):
        client.noop()


def test_err_that_contains_ok_is_a_refusal(fake: Any) -> None:
    """-ERR … +OK is a refusal."""
    with (
        fake({"NOOP": b"-ERR not +OK\r\n"}).connect() as client,
        pytest.raises(pop3client.CommandError),
    ):
        client.noop()


@pytest.mark.parametrize(
    ("answers", "call"),
    [
        ({"STAT": [b"+OK 3 9\r\n", b"+OK three\r\n"]}, lambda c: c.stat()),
        ({"LIST": b"+OK\r\n1 2\r\nx\r\n.\r\n"}, lambda c: c.list()),
        ({"LIST": b"+OK\r\n1\r\n.\r\n"}, lambda c: c.list()),
        ({"LIST 1": b"+OK 2 5\r\n"}, lambda c: c.list(1)),
        ({"LIST 1": b"+OK\r\n"}, lambda c: c.list(1)),
        ({"UIDL": b"+OK\r\nx y\r\n.\r\n"}, lambda c: c.uidl()),
        ({"UIDL 1": b"+OK 2 Qx\r\n"}, lambda c: c.uidl(1)),
        ({"LAST": b"+OK none\r\n"}, lambda c: c.last()),
        ({"LAST": b"+OK -1\r\n"}, lambda c: c.last()),
    ],
)
def test_malformed_content_leaves_the_session_in_step(
    fake: Any, cut: int | None, answers: dict[str, Any], call: Any
) -> None:
    """A reply that is framed rightly and says nonsense is an error, and the session goes on."""
    with fake(answers, cut=cut).connect() as client:
        with pytest.raises(pop3client.MalformedReply, match=r"expected .* got"):
            call(client)

        client.noop()


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.0, None])
@pytest.mark.parametrize("command", ["retr", "dele"])
def test_message_numbers(fake: Any, command: str, number: Any) -> None:
    """A message number is an integer from 1; nothing else is sent."""
    server = fake()
    with server.connect() as client:
        before = list(server.sent)
        with pytest.raises(pop3client.InvalidArgument):
            getattr(client, command)(number)

        assert server.sent == before


@pytest.mark.parametrize("lines", [-1, "0", True, 1.5])
def test_top_lines(fake: Any, lines: Any) -> None:
    """TOP takes lines from 0."""
    with fake().connect() as client, pytest.raises(pop3client.InvalidArgument):
        client.top(1, lines)


def test_quit_refused(fake: Any) -> None:
    """-ERR to QUIT is raised: deletions may not have happened. The socket is closed."""
    server = fake({"QUIT": b"-ERR some deleted messages not removed\r\n"})
    client = server.connect()

    with pytest.raises(pop3client.CommandError, match="not removed"):
        client.close()

    assert server.connection.closed
    assert [entry.quirk for entry in client.deviations] == ["quit-err"]


def test_close_twice_and_quit_twice(fake: Any) -> None:
    """Method close does nothing the second time; quit says that the session is over."""
    client = fake().connect()
    client.close()
    client.close()
    with pytest.raises(pop3client.StateError, match="over"):
        client.quit()


def test_with_block_that_raises(fake: Any) -> None:
    """An error in the block closes without QUIT, so nothing is deleted."""
    server = fake()

    def fail() -> None:
        with server.connect() as client:
            client.dele(1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert b"QUIT\r\n" not in server.sent
    assert server.connection.closed


def test_abort(fake: Any) -> None:
    """Method abort closes without QUIT, and the session is over."""
    server = fake()
    client = server.connect()
    client.abort()

    assert server.sent[-1] == b"STAT\r\n"
    with pytest.raises(pop3client.StateError, match="aborted"):
        client.stat()


def test_lf_commands(fake: Any) -> None:
    """lf_commands ends commands as the classic client did for Exchange."""
    server = fake()
    server.connect(msex=True, lf_commands=True).close()

    assert server.sent == [
        *(b"CAPA\n", b"USER alice\n", b"PASS secret\n", b"CAPA\n", b"STAT\n", b"QUIT\n")
    ]


def test_msex_last_is_from_memory(fake: Any) -> None:
    """With msex LAST is never sent; the client knows what it has read."""
    server = fake()
    with server.connect(msex=True) as client:
        assert client.last() == 0
        client.retr(2)
        assert client.last() == 2

    assert b"LAST\r\n" not in server.sent


def test_capabilities(fake: Any, cut: int | None) -> None:
    """CAPA is a mapping in any case of letters, with typed access."""
    answer = (
        b"+OK\r\nTOP\r\nuser\r\nSASL PLAIN cram-md5\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
        b"LOGIN-DELAY 180 USER\r\n"
        b"PIPELINING\r\nEXPIRE NEVER\r\nUIDL\r\nSTLS\r\nUTF8 USER\r\nLANG\r\n"
        b"IMPLEMENTATION Shlemazle-Plotz v302\r\n.\r\n"
    )
    with fake({"CAPA": answer}, cut=cut).connect() as client:
        capabilities = client.capabilities

        assert client.capa() == capabilities
    assert capabilities["sasl"] == ("PLAIN", "cram-md5")
    assert capabilities.sasl == ("PLAIN", "CRAM-MD5")
    assert "user" in capabilities
    assert 5 not in capabilities
    assert capabilities.login_delay == pop3client.LoginDelay(180, per_user=True)
    assert capabilities.expire == pop3client.Expire(None)
    assert capabilities.implementation == "Shlemazle-Plotz v302"
    assert all(
        getattr(capabilities, name)
        for name in (
            "top",
            "user",
            "resp_codes",
            "auth_resp_code",
            "pipelining",
            "uidl",
            "stls",
            "utf8",
            "lang",
        )
    )


def test_capabilities_that_say_nothing() -> None:
    """What is not there, or not understood, is None, false or empty; 0 days are not None."""
    nothing = pop3client.Capabilities()
    odd = pop3client.Capabilities([b"SASL", b"EXPIRE", b"LOGIN-DELAY soon", b"", b"IMPLEMENTATION"])

    assert not nothing
    assert (nothing.sasl, nothing.expire, nothing.login_delay, nothing.implementation) == (
        (),
        None,
        None,
        None,
    )
    assert (odd.sasl, odd.expire, odd.login_delay, odd.implementation) == ((), None, None, "")
    assert pop3client.Capabilities([b"EXPIRE 31 USER"]).expire == pop3client.Expire(
        31, per_user=True
    )
    assert pop3client.Capabilities([b"expire 0"]).expire == pop3client.Expire(0)
    assert repr(odd).startswith("Capabilities(")


def test_refused_capa_empties_the_snapshot(fake: Any) -> None:
    """CAPA refused after login: what was known before does not hold any more."""
    server = fake({"CAPA": [b"+OK\r\nPIPELINING\r\n.\r\n", b"-ERR\r\n"]})
    with server.connect() as client:
        assert not client.capabilities
        assert client.capability_snapshots.before_tls.pipelining
        assert client.capability_snapshots.after_login is None
        with pytest.raises(pop3client.CommandError):
            client.capa()
