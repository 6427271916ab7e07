"""``pop3kit fetch`` over TLS: whom it trusts, how it shows itself, and what it refuses."""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pop3mock import MockServer

from ._fetching import ca, mail, odd, one_line, url

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run


@pytest.mark.parametrize("variant", ["refused", "injected", "expired", "unknown-ca", "wrong-host"])
def test_tls_fails(run: Run, out: Path, tmp_path: Path, variant: str) -> None:
    """If the connection cannot be secured, no password is sent."""
    with MockServer(f"stls-broken[{variant}]") as server:
        cafile = ca(server, tmp_path)
        place = url(server)
        result = run("fetch", place, "-o", out, "--stls", "--cafile", cafile, password="secret")

    assert (result.exit_code, out.exists()) == (78, False)
    one_line(result)
    server.verify()


def test_unknown_authority(run: Run, out: Path) -> None:
    """A certificate that the system does not trust is refused, and the option is named."""
    with MockServer(tls="implicit") as server:
        result = run("fetch", url(server, "pop3s"), "-o", out, password="secret")

    assert result.exit_code == 78
    assert "--cafile" in one_line(result)


def test_cafile_without_certificates(run: Run, out: Path, tmp_path: Path) -> None:
    """A file that holds no certificate is wrong usage."""
    file = tmp_path / "ca.pem"
    file.write_text("nothing", encoding="utf-8")
    with MockServer() as server:
        place = url(server, "pop3s")
        result = run("fetch", place, "-o", out, "--cafile", file, password="secret")

    assert result.exit_code == 64
    assert "holds no certificate" in one_line(result)


def test_both_trusts(run: Run, out: Path, tmp_path: Path) -> None:
    """Of authorities and a fingerprint none is preferred in silence."""
    with MockServer(tls="implicit") as server:
        options = ["--cafile", ca(server, tmp_path), "--tls-fingerprint", "00" * 32]
        result = run("fetch", url(server, "pop3s"), "-o", out, *options, password="secret")

    assert result.exit_code == 64
    assert "got both" in one_line(result)


@pytest.mark.parametrize(("tls", "secured"), [("stls", True), ("none", False)])
def test_if_offered(run: Run, out: Path, tmp_path: Path, tls: str, secured: bool) -> None:
    """--stls-if-offered encrypts where the server can, and goes on where it cannot."""
    with MockServer("default", tls=tls) as server:  # type: ignore[arg-type]
        options = ["--stls-if-offered", "--cafile", ca(server, tmp_path)]
        result = run("fetch", url(server), "-o", out, *options, password="secret")
        encrypted = {exchange.tls for exchange in server.journal.exchanges[-3:]}

    assert (result.exit_code, encrypted) == (0, {secured})


def test_if_offered_sends_no_secret_in_the_clear(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where --stls-if-offered finds no STLS on a network, the password is kept back."""
    monkeypatch.setattr("pop3client._blocking.is_local", lambda _: False)
    with MockServer("default", tls="none") as server:
        result = run("fetch", url(server), "-o", out, "--stls-if-offered", password="secret")
        commands = server.journal.commands

    assert result.exit_code == 64
    assert not any(command.startswith(("PASS", "AUTH")) for command in commands)


# One certificate


def fingerprint(server: MockServer) -> str:
    """The SHA-256 of the server's certificate, as it is seen by those who connect."""
    context = server.client_context()
    with (
        socket.create_connection((server.host, server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()


@pytest.mark.parametrize("form", ["{}", "SHA256:{}", "colons"])
def test_fingerprint(run: Run, out: Path, form: str) -> None:
    """The certificate with the fingerprint is trusted, whoever signed it."""
    with MockServer(tls="implicit") as server:
        digits = fingerprint(server)
        colons = ":".join(digits[place : place + 2] for place in range(0, 64, 2)).upper()
        text = colons if form == "colons" else form.format(digits)
        options = ["--tls-fingerprint", text]
        result = run("fetch", url(server, "pop3s"), "-o", out, *options, password="secret")

    assert (result.exit_code, len(mail(out))) == (0, 4)


@pytest.mark.parametrize(("tls", "scheme"), [("implicit", "pop3s"), ("stls", "pop3+stls")])
def test_other_fingerprint(run: Run, out: Path, tls: str, scheme: str) -> None:
    """Any other certificate is refused with 78 before the password is sent; both are told."""
    with MockServer("default", tls=tls) as server:  # type: ignore[arg-type]
        options = ["--tls-fingerprint", "ab" * 32]
        result = run("fetch", url(server, scheme), "-o", out, *options, password="secret")
        commands = server.journal.commands

    assert result.exit_code == 78
    assert "ab" * 32 in one_line(result)
    assert not any(command.startswith(("PASS", "AUTH", "USER")) for command in commands)


# The client's own certificate

DEMANDING = "tls: {mode: implicit, client-certificate: required}\n"


def test_client_certificate(run: Run, out: Path, tmp_path: Path) -> None:
    """--cert is shown to a server that demands one, with the key in the same file."""
    with odd(DEMANDING) as server:
        pem = tmp_path / "alice.pem"
        pem.write_bytes(server.client_pem("alice"))
        options = ["--cafile", ca(server, tmp_path), "--cert", pem]
        result = run("fetch", url(server, "pop3s"), "-o", out, *options, password="secret")

    assert (result.exit_code, len(mail(out))) == (0, 4)


def test_external(run: Run, out: Path, tmp_path: Path) -> None:
    """--mechanism EXTERNAL logs in by the certificate, with the key in another file."""
    with odd("server: {capabilities: [UIDL, SASL EXTERNAL]}\n" + DEMANDING) as server:
        text = server.client_pem("alice")
        begin = text.index(b"-----BEGIN CERTIFICATE")
        cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        cert.write_bytes(text[begin:])
        key.write_bytes(text[:begin])
        options = ["--cafile", ca(server, tmp_path), "--cert", cert, "--key", key]
        place = url(server, "pop3s")
        result = run("fetch", place, "-o", out, *options, "--mechanism", "external")
        commands = server.journal.commands

    assert (result.exit_code, len(mail(out))) == (0, 4)
    assert any(command.startswith("AUTH EXTERNAL") for command in commands)


def test_no_client_certificate(run: Run, out: Path, tmp_path: Path) -> None:
    """A server that demands a certificate and gets none is 78."""
    with odd(DEMANDING) as server:
        options = ["--cafile", ca(server, tmp_path)]
        result = run("fetch", url(server, "pop3s"), "-o", out, *options, password="secret")

    assert result.exit_code == 78
    assert "certificate" in one_line(result)


def test_encrypted_key(run: Run, out: Path, tmp_path: Path) -> None:
    """A key that is encrypted is asked for on a terminal only: nothing waits for nobody."""
    with odd(DEMANDING) as server:
        key = load_pem_private_key(server.client_pem("alice"), None)
        pem = tmp_path / "alice.pem"
        pem.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"gehe1m"))
            + server.client_pem("alice")
        )
        options = ["--cafile", ca(server, tmp_path), "--cert", pem]
        result = run("fetch", url(server, "pop3s"), "-o", out, *options, password="secret")

    assert result.exit_code == 64
    assert "no terminal to ask on" in one_line(result)
