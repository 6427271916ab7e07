"""The servers that tests start through the fixture ``pop3_server_factory``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._server import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pop3scenarios import Scenario

    from ._performance import TLSMode
    from ._pytest_watch import Watch


class ServerFactory:
    """What the fixture ``pop3_server_factory`` gives: starts mock servers that are watched.

    Args:
        watch: Watches the servers.
        address: Host and port to listen on.
    """

    def __init__(self, watch: Watch, address: tuple[str, int]) -> None:
        self._watch = watch
        self._address = address

    @contextmanager
    def __call__(
        self,
        scenario: str | Path | Scenario = "default",
        *,
        variant: str | None = None,
        tls: TLSMode | None = None,
        users: Mapping[str, str] | None = None,
        strict: bool | None = None,
    ) -> Iterator[MockServer]:
        """A server that runs as long as the ``with`` lasts.

        Args:
            scenario: A name, ``name[variant]``, a path relative to the working directory, or a
                loaded scenario.
            variant: The variant, if the name does not say it.
            tls: ``none``, ``stls`` or ``implicit`` in place of what the scenario says.
            users: User names and passwords in place of the scenario's.
            strict: Whether a test fails if its client does what the scenario does not expect;
                None leaves it to the test's marker and the ini option ``pop3_strict``.

        Raises:
            pop3scenarios.ScenarioError: The scenario is wrong or unknown; nothing was started.
            OSError: The address cannot be listened on.
        """
        host, port = self._address
        server = MockServer(scenario, variant=variant, tls=tls, users=users, host=host, port=port)
        with self._watch.watching(server, strict=strict), server:
            yield server
