"""A private Dovecot: its own configuration, folders, ports and mail, and no root."""

from __future__ import annotations

import base64
import contextlib
import grp
import hmac
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from ._clients import Account, TLSMode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

#: Seconds that the daemon may take to come up, and to go.
PATIENCE = 20.0

PASSWORD = "secret"

_CONFIGURATION = """\
protocols = pop3
listen = 127.0.0.1
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/log
mail_location = maildir:~/Maildir
# All of it runs as the user who starts it, who then need not be root; that user has nothing to
# change its root folder to.
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{top}/server.pem
ssl_key = <{top}/server.key
# Plain passwords also outside TLS, and APOP: both are what the tests are about.
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
{more}
# Any name is a user, so that a test makes one by making its mail; a wrong password is refused at
# once.
passdb {{
  driver = static
  args = password={password} nodelay=yes
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={top}/mail/%u
}}
service anvil {{
  chroot =
  # No growing delay for an address that has sent wrong passwords.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service pop3-login {{
  chroot =
  # One process for all logins: a session then starts at once.
  service_count = 0
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""

#: The mechanisms that every Dovecot has here, and those of one that has all that it knows, but for
#: those that ask another server (GSSAPI, NTLM) or that its passwords do not serve (OTP).
_MECHANISMS = "plain apop"
_ALL_MECHANISMS = (
    "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 apop external xoauth2 oauthbearer"
    " anonymous"
)

_FULL = """\
ssl_ca = <{top}/ca.pem
# A client that shows a certificate is the user of that name; none has to.
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
passdb {{
  driver = static
  mechanisms = external
  args = nopassword=yes
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {top}/oauth2
}}
protocol pop3 {{
  pop3_lock_session = yes
  pop3_enable_last = yes
}}
"""

_OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={top}/jwt/
username_attribute = sub
"""

#: What tokens are signed with.
_KEY = b"a key of as many octets as SHA-256 has"


def token(user: str, *, lasts: float = 600.0) -> str:
    """A bearer token of the user: a JSON Web Token (RFC 7519), signed with HMAC and SHA-256.

    Args:
        user: The name of the maildrop.
        lasts: Seconds for which it is good; negative for one that is not good any more.
    """
    now = int(time.time())
    parts = [
        {"alg": "HS256", "typ": "JWT"},
        {"sub": user, "iat": now - 3600, "exp": int(now + lasts)},
    ]
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_base64url(hmac.digest(_KEY, signed.encode(), 'sha256'))}"


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Dovecot:
    """Debian's Dovecot; a context manager.

    Started by root it runs as ``nobody``, else as who starts it. Every account has a maildrop of
    its own, so tests do not see each other's mail.

    Args:
        full: Let it have every mechanism that it knows, LAST, and one session at a time.

    Attributes:
        ca: The file with the certificate of its authority.
    """

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
        # Not pytest's folder: nobody else may enter that one, and names of sockets must be short.
        self._top = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._ports = [_reserve(), _reserve()]
        self._process: subprocess.Popen[bytes] | None = None
        self._accounts = 0
        self._messages = itertools.count(1)
        self._authority = trustme.CA()
        self.ca = self._top / "ca.pem"

    def __enter__(self) -> Self:
        try:
            self._write_configuration()
            self._launch()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def account(self, messages: Iterable[bytes], tls: TLSMode = "none") -> Account:
        """A new user with mail.

        Args:
            messages: The mail, as it is to lie on the disk.
            tls: How a client is to connect.
        """
        self._accounts += 1
        user = f"user{self._accounts}"
        for folder in ("tmp", "new", "cur"):
            (self._top / "mail" / user / "Maildir" / folder).mkdir(parents=True)
        self._give(self._top / "mail" / user)
        self.deliver(user, messages)
        port = self._ports[tls == "implicit"].getsockname()[1]
        return Account(
            port=port, user=user, password=PASSWORD, tls=tls, ca=self.ca, pem=self._passport(user)
        )

    def deliver(self, user: str, messages: Iterable[bytes]) -> None:
        """Put mail into a maildrop, also while a session has it open.

        Args:
            user: The name of the maildrop.
            messages: The mail, as it is to lie on the disk.
        """
        box = self._top / "mail" / user / "Maildir"
        for octets in messages:
            number = next(self._messages)
            # Sorted by name, which begins with the time of delivery.
            name = f"{1_700_000_000 + number}.M{number}P1.seed"
            (box / "tmp" / name).write_bytes(octets)
            self._give(box / "tmp" / name)
            (box / "tmp" / name).rename(box / "new" / name)

    def connect(self, tls: TLSMode) -> socket.socket:
        """A connection to the port where TLS begins at once, or to the other."""
        port = self._ports[tls == "implicit"].getsockname()[1]
        return socket.create_connection(("127.0.0.1", port), PATIENCE)

    def _passport(self, user: str) -> Path:
        """A file with the key and the certificate by which the user can be known."""
        path = self._top / f"{user}.pem"
        certificate = self._authority.issue_cert(f"{user}@example.test", common_name=user)
        certificate.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def _write_configuration(self) -> None:
        for name in ("run", "state", "mail"):
            (self._top / name).mkdir()
        self._authority.cert_pem.write_to_path(str(self.ca))
        certificate = self._authority.issue_cert("localhost", "127.0.0.1", common_name="localhost")
        certificate.private_key_pem.write_to_path(str(self._top / "server.key"))
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(str(self._top / "server.pem"), append=True)
        keys = self._top / "jwt" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(_KEY))
        (self._top / "oauth2").write_text(_OAUTH2.format(top=self._top), encoding="utf-8")
        (self._top / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                top=self._top,
                mechanisms=_ALL_MECHANISMS if self._full else _MECHANISMS,
                more=_FULL.format(top=self._top) if self._full else "",
                user=self._owner.pw_name,
                group=grp.getgrgid(self._owner.pw_gid).gr_name,
                uid=self._owner.pw_uid,
                gid=self._owner.pw_gid,
                password=PASSWORD,
                port=self._ports[0].getsockname()[1],
                tls_port=self._ports[1].getsockname()[1],
            ),
            encoding="utf-8",
        )
        self._give(self._top)

    def _give(self, top: Path) -> None:
        """Make the daemon's user the owner of a folder and all that is in it."""
        if os.geteuid() == 0:
            for path in (top, *top.rglob("*")):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _launch(self) -> None:
        root = os.geteuid() == 0
        command = [*_leash(), program() or "dovecot", "-F", "-c", str(self._top / "dovecot.conf")]
        with (self._top / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                env={"PATH": os.defpath},
                cwd=self._top,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
                user=self._owner.pw_uid if root else None,
                group=self._owner.pw_gid if root else None,
                extra_groups=[] if root else None,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._greets():
            # Waits a moment, unless the daemon gives up before that.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Dovecot does not come up:\n{self._complaints()}")

    def _greets(self) -> bool:
        try:
            with socket.create_connection(self._ports[0].getsockname(), PATIENCE) as probe:
                return probe.recv(512).startswith(b"+OK")
        except OSError:
            return False

    def _complaints(self) -> str:
        files = [self._top / "stderr", self._top / "log"]
        return "".join(file.read_text("utf-8", "replace") for file in files if file.exists())

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # It leads a group of its own; whoever did not go with it goes now.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for port in self._ports:
            port.close()
        shutil.rmtree(self._top)


def _reserve() -> socket.socket:
    """A socket that keeps a free port from others until Dovecot listens on it, and after.

    It does not listen itself; with SO_REUSEADDR on both sides Linux lets a listener in beside it.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def _leash() -> list[str]:
    """A prefix by which Dovecot ends when we do, even if we are killed."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []


def program() -> str | None:
    """Where Dovecot is installed; the path of an ordinary user may not lead there."""
    places = os.environ.get("PATH", os.defpath), "/usr/sbin:/usr/local/sbin"
    return shutil.which("dovecot", path=os.pathsep.join(places))


def speaks_our_language() -> bool:
    """Whether it is a Dovecot 2.3; later ones want another language in their configuration."""
    told = subprocess.run(
        [program() or "dovecot", "--version"],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
    )
    return told.stdout.startswith(b"2.3.")
