"""The servers of tests, from the fixtures ``pop3_server`` and ``pop3_server_factory``."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pop3scenarios import ScenarioError

from ._pytest_lookup import Lookup
from ._server import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from pop3scenarios import Scenario

    from ._performance import TLSMode
    from ._pytest_settings import Settings
    from ._pytest_watch import Watch


class ServerFactory:
    """What the fixture ``pop3_server_factory`` gives: starts mock servers that are watched.

    Args:
        watch: Watches the servers.
        address: Host and port to listen on.
        settings: What the suite has set.
        beside: The folder from which paths are looked up; the working directory if None.
    """

    def __init__(
        self,
        watch: Watch,
        address: tuple[str, int],
        settings: Settings,
        beside: Path | None = None,
    ) -> None:
        self._watch = watch
        self._address = address
        self._settings = settings
        self._beside = beside

    def at(self, address: tuple[str, int], settings: Settings, beside: Path) -> ServerFactory:
        """Another factory, for a test in which other settings hold; its servers are watched too.

        Args:
            address: Host and port to listen on.
            settings: What the suite has set.
            beside: The folder from which paths are looked up.
        """
        return ServerFactory(self._watch, address, settings, beside)

    @contextmanager
    def __call__(
        self,
        scenario: str | Path | Scenario | None = None,
        *,
        variant: str | None = None,
        tls: TLSMode | None = None,
        users: Mapping[str, str] | None = None,
        strict: bool | None = None,
    ) -> Iterator[WatchedServer]:
        """A server that runs as long as the ``with`` lasts.

        Args:
            scenario: A name, ``name[variant]``, a path relative to the working directory, or a
                loaded scenario; None for the suite's default.
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
        chosen = self.find(scenario, variant)
        server = WatchedServer(self, chosen, tls=tls, users=users, host=host, port=port)
        with self._watch.watching(server, strict=strict), server:
            yield server

    def find(self, scenario: str | Path | Scenario | None, variant: str | None) -> Scenario:
        """A scenario from where the factory looks for them.

        Args:
            scenario: A name, ``name[variant]``, a path, or a loaded scenario; None for the default.
            variant: The variant, if the name does not say it.

        Raises:
            pop3scenarios.ScenarioError: The scenario is wrong or unknown.
        """
        __tracebackhide__ = True
        lookup = Lookup(self._beside or Path.cwd(), self._settings.paths)
        name = self._settings.default if scenario is None else scenario
        try:
            return lookup.one(name, variant)
        except ScenarioError as error:
            raise error.with_traceback(None) from None

    def further(self) -> ServerFactory:
        """A factory for servers beside one that may have the port for itself."""
        return ServerFactory(self._watch, (self._address[0], 0), self._settings, self._beside)


class WatchedServer(MockServer):
    """What the fixture ``pop3_server`` gives: a mock server by which a test is judged.

    It is a ``MockServer`` that starts others beside it.

    Args:
        factory: Starts the others.
        scenario: What it plays.
        tls: ``none``, ``stls`` or ``implicit`` in place of what the scenario says.
        users: User names and passwords in place of the scenario's.
        host: The address to listen on.
        port: The port to listen on; 0 takes one that is free.
    """

    def __init__(
        self,
        factory: ServerFactory,
        scenario: Scenario,
        *,
        tls: TLSMode | None,
        users: Mapping[str, str] | None,
        host: str,
        port: int,
    ) -> None:
        super().__init__(scenario, tls=tls, users=users, host=host, port=port)
        self._factory = factory
        self._others = ExitStack()

    def run(
        self,
        scenario: str | Path | Scenario | None = None,
        *,
        variant: str | None = None,
        tls: TLSMode | None = None,
        users: Mapping[str, str] | None = None,
        strict: bool | None = None,
    ) -> WatchedServer:
        """Start another server, that runs until this one stops.

        It runs already when it is returned; ``with pop3_server.run("gmail") as other:`` stops it
        sooner.

        Args:
            scenario: A name, ``name[variant]``, a path relative to the test's file, or a loaded
                scenario; None for the suite's default.
            variant: The variant, if the name does not say it.
            tls: ``none``, ``stls`` or ``implicit`` in place of what the scenario says.
            users: User names and passwords in place of the scenario's.
            strict: Whether a test fails if its client does what the scenario does not expect;
                None leaves it to the test's marker and the ini option ``pop3_strict``.

        Raises:
            pop3scenarios.ScenarioError: The scenario is wrong or unknown; nothing was started.
        """
        __tracebackhide__ = True  # an error of the caller's ends at the caller's line
        chosen = self._factory.find(scenario, variant)
        start = self._factory.further()
        return self._others.enter_context(start(chosen, tls=tls, users=users, strict=strict))

    def play(self, scenario: str | Path | Scenario, *, variant: str | None = None) -> None:
        """Play another scenario to all that connect from now on: ``MockServer.play``.

        Args:
            scenario: A name, ``name[variant]``, a path relative to the test's file, or a loaded
                scenario.
            variant: The variant, if the name does not say it.

        Raises:
            pop3scenarios.ScenarioError: The scenario is wrong or unknown; nothing has changed.
        """
        __tracebackhide__ = True
        super().play(self._factory.find(scenario, variant))

    def stop(self) -> None:
        """Stop, with all servers that were started beside it."""
        try:
            super().stop()
        finally:
            self._others.close()

    def __enter__(self) -> Self:
        return self if self._engine is not None else self.start()
