"""What the gateway is told in its configuration file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLE = "MAILGATE_PASSWORD"


class SettingsError(ValueError):
    """The configuration file lacks something, or says something unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the mail is, and where the tickets go.

    Attributes:
        host: The mail server.
        user: Name of the maildrop.
        password: Its password; if left out, the environment variable MAILGATE_PASSWORD.
        database: Path of the SQLite database.
        port: The server's port.
        tls: Whether the connection is encrypted with STLS.
        ca_file: Certificates to trust in place of the system's.
        timeout: Seconds to wait for the server.
    """

    host: str
    user: str
    password: str
    database: str
    port: int = 110
    tls: bool = True
    ca_file: str | None = None
    timeout: float = 30.0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML file.

        Args:
            path: The file.

        Raises:
            SettingsError: It is not as it should be.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            if _VARIABLE in os.environ:
                values.setdefault("password", os.environ[_VARIABLE])
            return cls(**values)
        except (TypeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{path}: {error}") from None
