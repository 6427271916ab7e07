"""Either client before a peer, and every way in: the client's own mechanisms, and two more."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pop3client
from pop3client import ChallengeError, External, OAuthBearer, XOAuth2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3client import Mechanism

    from ._clients import TLSMode
    from ._peers import Drop

#: Both clients.
KINDS = ["blocking", "asyncio"]


@contextlib.contextmanager
def connected(kind: str, drop: Drop, tls: TLSMode, **options: Any) -> Iterator[Any]:
    """A client that is connected and not logged in; at the end it says QUIT, unless it is over.

    Args:
        kind: One of ``KINDS``; the asyncio client is driven so that it looks like the other.
        drop: Where to.
        tls: When to encrypt.
        **options: Settings of the client, and ``known``, see ``Drop.settings``.
    """
    settings: Any = drop.settings(tls, known=options.pop("known", False)) | options
    if kind == "blocking":
        with pop3client.POP3Client("localhost", **settings) as client:
            yield client
        return
    with asyncio.Runner() as runner:
        driven = pop3client.AsyncPOP3Client("localhost", **settings)
        runner.run(driven.__aenter__())
        try:
            yield _Driven(driven, runner)
        except BaseException:
            driven.abort()
            raise
        runner.run(driven.close())


class _Driven:
    """Runs each method of an asyncio client to its end."""

    def __init__(self, client: pop3client.AsyncPOP3Client, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        return self._run(value) if inspect.ismethod(value) else value

    def _run(self, method: Any) -> Any:
        async def result(answer: Any) -> Any:
            if hasattr(answer, "__aiter__"):
                return [item async for item in answer]
            return await answer if inspect.isawaitable(answer) else answer

        return lambda *words, **options: self._runner.run(result(method(*words, **options)))


def enter(client: Any, drop: Drop, mechanism: str) -> None:
    """Log in by a mechanism, by that name alone."""
    made = _mechanism(drop, mechanism)
    if made is None:
        client.login(drop.user, drop.password, mechanism)
    else:
        client.authenticate(made)


def with_wrong_secret(drop: Drop) -> Drop:
    """The maildrop as somebody sees it who does not know its secrets."""
    return replace(drop, password="not-it", token=drop.token[:-8] + "notright")


def _mechanism(drop: Drop, name: str) -> Mechanism | None:
    if name == "EXTERNAL":
        return External()
    if name == "XOAUTH2":
        return XOAuth2(drop.user, drop.token)
    if name == "OAUTHBEARER":
        return OAuthBearer(drop.user, drop.token)
    if name == "DIGEST-MD5":
        return DigestMD5(drop.user, drop.password)
    return Anonymous() if name == "ANONYMOUS" else None


class Anonymous:
    """Nobody in particular (RFC 4505)."""

    name = "ANONYMOUS"
    clear = False
    secrets: tuple[bytes, ...] = ()
    finished = False

    def initial(self) -> bytes | None:
        """Say all there is to say."""
        self.finished = True
        return b"somebody@example.test"

    def respond(self, challenge: bytes) -> bytes:
        """Refuse to say more."""
        raise ChallengeError(f"expected the end, got {challenge!r}")


class DigestMD5:
    """What servers still offer though RFC 6331 advises against it (RFC 2831)."""

    name = "DIGEST-MD5"
    clear = False

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._proof = b""
        self.secrets = (password.encode(),)
        self.finished = False

    def initial(self) -> bytes | None:
        """Wait for the challenge."""
        self._proof, self.finished = b"", False
        return None

    def respond(self, challenge: bytes) -> bytes:
        """Sign the challenge; then see that the server knows the password as well."""
        if self._proof:
            if challenge != self._proof:
                raise ChallengeError("the server does not know the password")
            self.finished = True
            return b""
        found = re.search(rb'nonce="([^"]+)"', challenge)
        if found is None:
            raise ChallengeError(f"expected a nonce, got {challenge!r}")
        return self._answer(found[1].decode())

    def _answer(self, nonce: str) -> bytes:
        own, uri = secrets.token_hex(8), "pop/localhost"
        user = hashlib.md5(f"{self._user}::{self._password}".encode()).digest()
        key = hashlib.md5(user + f":{nonce}:{own}".encode()).hexdigest()

        def signed(method: str) -> str:
            place = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()
            return hashlib.md5(f"{key}:{nonce}:00000001:{own}:auth:{place}".encode()).hexdigest()

        self._proof = f"rspauth={signed('')}".encode()
        return (
            f'username="{self._user}",realm="",nonce="{nonce}",cnonce="{own}",nc=00000001,qop=auth,'
            f'digest-uri="{uri}",response={signed("AUTHENTICATE")},charset=utf-8'
        ).encode()
