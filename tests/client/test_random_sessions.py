"""Whole sessions with servers that go wrong at random: the same outcome in any segmentation.

``test_random.py`` puts one wrong answer into a session, and looks closely. Here any number of
answers is wrong, any commands follow each other, TLS may begin in the middle, and the octets come
in segments of any lengths.
"""

from __future__ import annotations

import itertools
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pop3client
from pop3client import TLS, DeletePolicy, SeenStore

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

PIECES = st.sampled_from(
    [
        *(b"+OK", b"-ERR", b"+", b" ", b"\r\n", b"\n", b"\r", b".", b"1", b"2", b"-", b"x"),
        *(b"\0", b"\xff", b"\r\n.\r\n", b"+OK\r\n", b"+OK 1 2\r\n", b"+OK 3 5 octets\r\n"),
        *(b"-ERR no\r\n", b"-ERR [IN-USE] no\r\n", b"-ERR [AUTH] no\r\n", b"1 5\r\n2 5\r\n"),
        *(b"+ \r\n", b"+ eA==\r\n", b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n", b"STLS\r\n.\r\n"),
        b"+ cj1hLHM9UVVKRCxpPTQwOTY=\r\n",
    ]
)
WRONG = st.lists(PIECES, max_size=8).map(b"".join)
#: What is said in turn; None is what a server has to say. Most answers are right, so that sessions
#: go on.
ANSWERS = st.lists(st.none() | st.none() | st.none() | WRONG, max_size=16)
END = st.sampled_from([None, "<close>", "<hang>", "<reset>"])
SEGMENTS = st.lists(st.integers(1, 40), min_size=1, max_size=6)

HEAR_NOTHING: Any = lambda *_: None  # noqa: E731 - an on_error


def synchronise(client: Any) -> Any:
    """Leave mail on the server, with a store that is new."""
    delivered: list[bytes] = []
    with SeenStore(":memory:") as store:
        result = client.sync(
            store,
            lambda message: delivered.append(message.raw),
            delete=DeletePolicy(after=0),
            fingerprint=True,
            user="alice",
        )
    return result, delivered


def into_a_file(client: Any) -> Any:
    """Fetch a message in parts, whose boundaries are nobody's affair."""
    parts: list[bytes] = []

    class File:
        def write(self, data: bytes) -> None:
            parts.append(bytes(data))

    try:
        octets = client.retr_to(2, File())
    except pop3client.POP3Error as error:
        return type(error), str(error)
    return octets, b"".join(parts)


LOGINS: dict[str | None, Any] = {
    **{
        name: lambda c, name=name: c.login("alice", "secret", name)
        for name in (
            *(None, "USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5"),
            *("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"),
        )
    },
    "EXTERNAL": lambda c: c.authenticate(pop3client.External()),
    "XOAUTH2": lambda c: c.authenticate(pop3client.XOAuth2("alice", "token")),
    "OAUTHBEARER": lambda c: c.authenticate(
        pop3client.OAuthBearer("alice", lambda: "token", initial_response=True)
    ),
    "CAPA": lambda c: c.capa(),
    "UTF8": lambda c: c.utf8(),
    "LANG": lambda c: c.lang(),
}
COMMANDS: dict[str, Any] = {
    "STAT": lambda c: c.stat(),
    "LIST": lambda c: c.list(),
    "LIST 1": lambda c: c.list(1),
    "LIST many": lambda c: c.list([1, 2, 3], on_error=HEAR_NOTHING),
    "UIDL": lambda c: c.uidl(),
    "UIDL 1": lambda c: c.uidl(1),
    "UIDL many": lambda c: c.uidl([1, 2, 3]),
    "CAPA": lambda c: c.capa(),
    "RETR": lambda c: c.retr(1),
    "RETR parts": lambda c: b"".join(c.iter_retr(3)),
    "RETR file": into_a_file,
    "RETR many": lambda c: c.retrieve("start", "end", on_error=HEAR_NOTHING),
    "RETR next": lambda c: c.retrieve("next", "end"),
    "RETR each": lambda c: list(c.messages(on_error=HEAR_NOTHING)),
    "TOP": lambda c: c.top(2, 1),
    "TOP?": lambda c: c.supports("TOP"),
    "UIDL?": lambda c: c.supports("UIDL"),
    "DELE": lambda c: c.dele(1),
    "DELE many": lambda c: c.delete("start", "end"),
    "LAST": lambda c: c.last(),
    "NOOP": lambda c: c.noop(),
    "RSET": lambda c: c.rset(),
    "LANG": lambda c: c.lang("de"),
    "XTND": lambda c: c.command("XTND", multiline=True),
    "SYNC": synchronise,
    "QUIT": lambda c: c.quit(),
}


class Turns:
    """Answers to commands: in turn the wrong ones that are to be given, else the right one."""

    def __init__(self, right: dict[str, Any], wrong: list[bytes | None], end: str | None) -> None:
        self._right = right
        last = max((at for at, each in enumerate(wrong) if each is not None), default=None)
        ends = [end if at == last else None for at in range(len(wrong))]
        self._turns = iter(zip(wrong, ends, strict=True))

    def next(self, right: Any) -> Any:
        """The next answer, given the right one."""
        wrong, end = next(self._turns, (None, None))
        if wrong is None:
            return right
        return wrong if end is None else (wrong, end)

    def __contains__(self, line: str) -> bool:
        return line in self._right

    def __getitem__(self, line: str) -> Any:
        return self.next(self._right.get(line, b"-ERR what?\r\n"))

    def exchange(self, _line: str) -> Iterator[Any]:
        """An exchange: it goes on as long as what is said is no status."""
        while True:
            answer = self.next(b"+OK\r\n")
            said = answer[0] if isinstance(answer, tuple) else answer
            if not said.startswith(b"+ "):
                return answer
            yield answer


class NoTLS:
    """Stands where the client expects a TLS policy, and leaves the octets as they are."""

    def wrap_socket(self, sock: Any, **_: Any) -> Any:
        """For the blocking client."""
        return type("Secured", (_Agreed,), {"__getattr__": lambda _, name: getattr(sock, name)})()

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **_: Any) -> Any:
        """For the asyncio client."""
        return _Passing(incoming, outgoing)


class _Agreed:
    def do_handshake(self) -> None:
        pass

    def version(self) -> str:
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        return ("NONE", "TLSv1.3", 0)

    def getpeercert(self, binary_form: bool = False) -> Any:
        return b"" if binary_form else {}


class _Passing(_Agreed):
    def __init__(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._incoming, self.write = incoming, outgoing.write

    def read(self, _count: int, into: memoryview) -> int:
        data = self._incoming.read(len(into))
        if not data and not self._incoming.eof:
            raise ssl.SSLWantReadError
        into[: len(data)] = data
        return len(data)


RIGHT: dict[str, Any] = {
    "CAPA": b"+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSTLS\r\nUTF8\r\nLANG\r\n"
    b"SASL PLAIN LOGIN SCRAM-SHA-1\r\n.\r\n",
    "LIST": b"+OK\r\n1 5\r\n2 5\r\n3 7\r\n.\r\n",
    "UIDL": b"+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n",
    **{f"UIDL {number}": b"+OK %d %c\r\n" % (number, 96 + number) for number in (1, 2, 3)},
    **dict.fromkeys(("TOP 1 0", "TOP 2 1"), b"+OK\r\nSubject: x\r\n\r\n.\r\n"),
    "LAST": b"+OK 1\r\n",
    "STLS": b"+OK\r\n",
    "UTF8": b"+OK\r\n",
    "LANG": b"+OK\r\n.\r\n",
    "LANG de": b"+OK de ja\r\n",
    "XTND": b"+OK\r\none line\r\n.\r\n",
}


def session(fake: Any, plan: Any, segments: list[int] | None) -> list[Any]:
    """What a caller sees of a session: for each call its result or its error, and the end.

    Args:
        fake: Makes servers.
        plan: What is called, and what is answered.
        segments: How long the segments are in which the octets come, in turn; None: all at once.
    """
    greeting, wrong, end, settings_, calls = plan
    lengths = itertools.cycle(segments or [None])
    cut = property(lambda _: next(lengths), lambda *_: None)
    server = type("InSegments", (fake,), {"cut": cut})(RIGHT, greeting=greeting)
    turns = Turns(server.answers, wrong, end)
    server.answers, server.exchange = turns, turns.exchange
    seen: list[Any] = []
    try:
        client = server.client(timeout=5.0, ssl_context=NoTLS(), **settings_)
    except pop3client.POP3Error as error:
        return [told(error)]
    for call in calls:
        try:
            seen.append(call(client))
        except pop3client.POP3Error as error:
            seen.append(told(error))
        if seen[-1] == "out of step":
            break  # how much of the surplus had come depends on the segments
    else:
        seen += [client.deviations, client._session.state, client.config.retr_mode]
    client.abort()
    assert server.clock.now <= 1000 + 60 * 6.0
    return seen


def told(error: pop3client.POP3Error) -> Any:
    """What an error says that must not depend on how the octets came."""
    if isinstance(error, (pop3client.OutOfStep, pop3client.InjectedDataError)):
        return "out of step"
    words = type(error), str(error), error.retrieved, error.marked, error.listed
    if "expected to send" in str(error):
        return words  # what had come when the connection broke under a send is TCP's affair
    return *words, getattr(error, "received", None)


PLANS = st.tuples(
    st.sampled_from([b"+OK ready <1.2@x>\r\n"] * 9 + [b"+OK\r\n", b"-ERR\r\n", b"+OKx", b"\n"]),
    ANSWERS,
    END,
    st.fixed_dictionaries(
        {
            "tls": st.sampled_from([TLS.NONE, TLS.STLS, TLS.OPPORTUNISTIC, TLS.IMPLICIT]),
            "pipelining": st.booleans(),
            "retr_mode": st.sampled_from(pop3client.RetrMode),
            "strict": st.booleans(),
        }
    ),
    st.tuples(
        st.lists(st.sampled_from([*LOGINS.values()]), max_size=2),
        st.lists(st.sampled_from([*COMMANDS.values()]), max_size=5),
    ).map(lambda calls: [*calls[0], LOGINS["USER"], *calls[1]]),
)


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=PLANS, segments=SEGMENTS)
def test_any_session(fake: Any, plan: Any, segments: list[int]) -> None:
    """Nothing but results and typed errors, each wait with an end, and the same in any segments."""
    whole = session(fake, plan, None)

    assert session(fake, plan, segments) == whole
    assert session(fake, plan, [1]) == whole


@pytest.mark.parametrize("tls", [TLS.NONE, TLS.STLS, TLS.OPPORTUNISTIC, TLS.IMPLICIT])
@pytest.mark.parametrize("call", COMMANDS.values(), ids=COMMANDS)
def test_the_right_answers(fake: Any, tls: TLS, call: Any) -> None:
    """With nothing wrong every command has its result: sessions do come to the commands."""
    plan = (b"+OK\r\n", [], None, {"tls": tls}, [LOGINS["USER"], call])

    seen = session(fake, plan, [1])

    assert not [each for each in seen if isinstance(each, tuple) and isinstance(each[0], type)]
