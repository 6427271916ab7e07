# ruff: noqa: N802, N815 - Twisted calls its methods so.
"""A small program around Twisted's POP3: each folder of a directory is a user's Maildir.

Called with that directory, a password that is everybody's, and a file with key and certificates;
says on which ports it listens, in the clear and by TLS, and goes on until its input ends.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO

from twisted.cred import checkers, credentials, error, portal
from twisted.internet import defer, endpoints, protocol, reactor, stdio
from twisted.mail import maildir, pop3
from zope.interface import implementer


class Maildir(maildir.MaildirMailbox):
    """Twisted's own, with its two mistakes mended that leave a client without an answer."""

    def getMessage(self, i: int) -> BinaryIO:
        """Open the file for octets: what is open for text is not sent, and RETR never ends."""
        if not self.list[i]:
            raise ValueError("deleted")
        return Path(self.list[i].decode()).open("rb")

    def deleteMessage(self, i: int) -> None:
        """Put the file aside at once, as Twisted's own means to, which joins octets with text."""
        path = Path(self.list[i].decode())
        aside = Path(self.path.decode(), ".Trash", "cur")
        aside.mkdir(parents=True, exist_ok=True)
        self.deleted[self.list[i]] = str(path.rename(aside / path.name)).encode()
        self.list[i] = 0


@implementer(checkers.ICredentialsChecker)
class Everybody:
    """Anybody who knows the password is who they say."""

    credentialInterfaces = (credentials.IUsernamePassword, credentials.IUsernameHashedPassword)

    def __init__(self, password: bytes) -> None:
        self._password = password

    def requestAvatarId(self, shown: Any) -> Any:
        """Let in who knows the password."""
        if shown.checkPassword(self._password):
            return defer.succeed(shown.username)
        return defer.fail(error.UnauthorizedLogin())


@implementer(portal.IRealm)
class Folders:
    """Gives each user the folder of that name."""

    def __init__(self, top: str) -> None:
        self._top = top

    def requestAvatar(self, name: bytes, _mind: object, *_interfaces: object) -> Any:
        """Open the folder."""
        box = Maildir(str(Path(self._top, name.decode())).encode())
        return pop3.IMailbox, box, lambda: None


class Factory(protocol.ServerFactory):
    """Makes sessions."""

    def __init__(self, door: portal.Portal) -> None:
        self._door = door
        self.challengers = {b"CRAM-MD5": credentials.CramMD5Credentials}

    def buildProtocol(self, _address: object) -> pop3.POP3:
        """A session."""
        session = pop3.POP3()
        session.factory, session.portal = self, self._door
        return session


class Leash(protocol.Protocol):
    """Ends the program when whoever started it is gone."""

    def connectionLost(self, *_: object) -> None:
        """Input has ended."""
        if reactor.running:
            reactor.stop()


def main(top: str, password: str, pem: str) -> None:
    """Serve until input ends."""
    factory = Factory(portal.Portal(Folders(top), [Everybody(password.encode())]))
    doors = [
        "tcp:0:interface=127.0.0.1",
        f"ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}",
    ]
    opened = [endpoints.serverFromString(reactor, door).listen(factory) for door in doors]

    def told(ports: list[Any]) -> None:
        sys.stdout.write("{} {}\n".format(*(port.getHost().port for port in ports)))
        sys.stdout.flush()

    defer.gatherResults(opened).addCallback(told)
    stdio.StandardIO(Leash())
    reactor.run()


main(*sys.argv[1:])
