"""A program for an environment that holds the wheel and nothing else: does the client work there?

Run by ``tox -e base``. It is no test module, since pytest is not there either.
"""

from __future__ import annotations

import importlib.metadata
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

GREETING, ANSWERS = b"+OK ready\r\n", {
    b"CAPA": b"+OK\r\nUIDL\r\n.\r\n",
    b"STAT": b"+OK 1 6\r\n",
    b"RETR": b"+OK 6 octets\r\n..ab\r\n.\r\n",
}  # fmt: skip


def serve(listener: socket.socket) -> None:
    """Answer one client, by hand: the mock's dependencies are not here."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(GREETING)
        while command := connection.recv(4096):
            connection.sendall(ANSWERS.get(command[:4], b"+OK\r\n"))


def check_nothing_else_is_installed() -> None:
    """The environment holds pop3kit and, at most, pip."""
    names = {distribution.name.lower() for distribution in importlib.metadata.distributions()}
    assert names <= {"pop3kit", "pip", "setuptools", "wheel"}, names


def check_the_client_fetches() -> None:
    """``import pop3client`` works, and so does fetching a message."""
    import pop3client

    purelib = Path(sysconfig.get_paths()["purelib"])
    assert Path(pop3client.__file__).is_relative_to(purelib), pop3client.__file__
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        with pop3client.connect("127.0.0.1", "user", "secret", port=port) as client:
            raw = client.retr(1).raw
        thread.join(5)
    assert raw == b".ab\r\n", raw


def check_the_other_packages_say_what_they_need() -> None:
    """Whoever imports more than the client is told which extra to install."""
    wanted = {
        "from pop3mock import MockServer": "pop3kit[mock]",
        "import pop3scenarios": "pop3kit[mock]",
        "import pop3check": "pop3kit[check]",
    }
    for program, extra in wanted.items():
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert f"pip install '{extra}'" in done.stderr, done


def check_the_command_says_what_it_needs() -> None:
    """Without its extra the command says how to install it, in one line, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "pop3kit", "demo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done
    assert "pop3kit[cli]" in done.stderr, done
    assert "Traceback" not in done.stderr, done


if __name__ == "__main__":
    check_nothing_else_is_installed()
    check_the_client_fetches()
    check_the_other_packages_say_what_they_need()
    check_the_command_says_what_it_needs()
