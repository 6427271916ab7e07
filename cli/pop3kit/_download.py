"""All messages of a maildrop, or those that are new, into a destination."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from pop3client import (
    CommandError,
    DeletePolicy,
    InsecureAuthError,
    InvalidArgument,
    NoUniqueIds,
    POP3ConnectionError,
    POP3Error,
    SeenStore,
)

from ._bar import bar
from ._report import Report, described, told
from ._status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pop3client import Message, POP3Client

    from ._destination import Destination


class Memory(NamedTuple):
    """What is remembered from run to run.

    Attributes:
        path: The file of the ``SeenStore``.
        user: The name of the maildrop.
        keep: Days after which what was fetched is deleted from the server; None: never.
    """

    path: str
    user: str
    keep: float | None


def download(
    connect: Callable[[], POP3Client],
    path: Path,
    open_destination: Callable[[], Destination],
    *,
    delete: bool,
    memory: Memory | None = None,
) -> Report:
    """Fetch all messages of a maildrop, or those that are new.

    Args:
        connect: Opens the maildrop.
        path: Where the messages are kept.
        open_destination: Makes ready to keep them there.
        delete: Delete from the server what is safe there.
        memory: Fetch only what is new, and remember it here.

    Returns:
        What became of it; errors of the client and of the disk, and Ctrl-C, are a part of it.

    Raises:
        InsecureAuthError: The password would cross a network in the clear; nothing was sent.
        InvalidArgument: User, password or host can be those of no server; nothing was sent.
    """
    keeps = memory is not None and memory.keep is not None
    report = Report(path=str(path), deletes=delete or keeps)
    try:
        destination = open_destination()
        with nullcontext() if memory is None else SeenStore(memory.path) as store:
            _fetch(connect(), destination, report, delete=delete, memory=memory, store=store)
    except (InsecureAuthError, InvalidArgument):
        raise
    except NoUniqueIds:
        why = "the server has no UIDL, so --sync cannot tell what is new"
        report.stop(Status.UNAVAILABLE, why)
    except POP3Error as error:
        report.stop(status_of(error), told(error))
        report.deviations = report.deviations or described(error.deviations)
    except OSError as error:
        why = f"cannot write {error.filename or path}: {error.strerror or error}"
        report.stop(status_of(error), why)
    except KeyboardInterrupt:
        report.stop(Status.INTERRUPTED, "interrupted")
    return report


def _fetch(
    client: POP3Client,
    destination: Destination,
    report: Report,
    *,
    delete: bool,
    memory: Memory | None,
    store: SeenStore | None,
) -> None:
    started = client.config.retr_mode.value
    try:
        if memory is None or store is None:
            _Download(client, destination, report, delete=delete).run()
        else:
            days = 0.0 if delete else memory.keep
            policy = None if days is None else DeletePolicy(after=timedelta(days=days))
            _Synchronization(client, destination, report).run(store, memory.user, policy)
    finally:
        # After QUIT this does nothing; before it, the server deletes nothing.
        client.abort()
        report.modes = started, client.config.retr_mode.value
        report.deviations = described(client.deviations)


class _Download:
    """A run that fetches everything."""

    def __init__(
        self, client: POP3Client, destination: Destination, report: Report, *, delete: bool
    ) -> None:
        self._client = client
        self._destination = destination
        self._report = report
        self._delete = delete
        self._marked = 0

    def run(self) -> None:
        """Fetch, keep and mark each message, then end the session."""
        count = self._report.total = self._client.stat().count
        uids = self._uids()
        try:
            with bar(self._client) as progress:
                for number in range(1, count + 1):
                    self._one(number, uids.get(number, b""), progress)
        except OSError:
            # What has been marked is safe, and would come again if it stayed.
            with suppress(POP3Error):
                self._client.quit()
                self._report.deleted = self._marked
            raise
        self._quit()

    def _uids(self) -> dict[int, bytes]:
        try:
            return {entry.number: entry.uid for entry in self._client.uidl()}
        except POP3Error as error:
            if error.ends_session:
                raise
            return {}  # an optional command; without it the number has to do

    def _one(
        self, number: int, uid: bytes, progress: Callable[[int, int, int | None], object] | None
    ) -> None:
        try:
            with self._destination.incoming() as file:
                octets = self._client.retr_to(number, file, progress=progress)
                _, new = self._destination.keep(file, number, uid)
            self._report.came(octets, new=new)
            if self._delete:
                self._client.dele(number)
                self._marked += 1
        except POP3Error as error:
            if error.ends_session:
                raise
            self._report.miss(error, number)

    def _quit(self) -> None:
        try:
            self._client.quit()
        except (CommandError, POP3ConnectionError) as error:
            # With nothing marked there was nothing to do at QUIT: it is among the deviations.
            if self._marked:
                self._report.miss(error, advice="perhaps nothing was deleted")
            return
        self._report.deleted = self._marked


class _Synchronization:
    """A run that fetches what is new."""

    def __init__(self, client: POP3Client, destination: Destination, report: Report) -> None:
        self._client = client
        self._destination = destination
        self._report = report

    def run(self, store: SeenStore, user: str, policy: DeletePolicy | None) -> None:
        """Fetch and keep each new message, delete what is due, and end the session."""
        self._report.total = self._client.stat().count
        with bar(self._client) as progress:
            result = self._client.sync(
                store, self._keep, delete=policy, user=user, progress=progress
            )
        self._report.seen = len(result.skipped)
        self._report.deleted = len(result.deleted)
        for failure in result.failed:
            self._report.miss(failure.error, failure.number)

    def _keep(self, message: Message) -> None:
        with self._destination.incoming() as file:
            file.write(message.raw)
            _, new = self._destination.keep(file, message.number, message.uid or b"")
        self._report.came(message.octets, new=new)
