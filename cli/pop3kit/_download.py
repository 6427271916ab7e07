"""All messages of a maildrop into a folder, and what is to be told about it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from pop3client import (
    CommandError,
    DeletePolicy,
    InsecureAuthError,
    InvalidArgument,
    NoUniqueIds,
    POP3Client,
    POP3Error,
    SeenStore,
    SeenStoreError,
)

from ._folder import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import IO

    from rich.progress import Progress, TaskID

    from pop3client import Deviation, Message

#: The exit status that a shell gives to a command that Ctrl-C ended.
_INTERRUPTED = 130

#: The client advises in terms of Python; here are the options that stand for them.
_OPTIONS = {"timeout=": "--timeout", "ssl_context": "--cafile", "TLS.IMPLICIT": "pop3s://"}


@dataclass(slots=True)
class Report:
    """What became of a download.

    Attributes:
        status: The exit status.
        total: Messages in the maildrop; None if it could not be opened.
        kept: Messages that are now in the folder.
        known: Those of them that were there before.
        seen: Messages that an earlier run had fetched, and that were not fetched again.
        octets: Octets of the messages kept.
        deleted: Messages that the server has deleted.
        modes: The retrieval mode at first and at the end; None if the maildrop was not opened.
        deviations: What the client put up with, in a line each.
        failures: What went wrong, in a line each.
    """

    status: int = 0
    total: int | None = None
    kept: int = 0
    known: int = 0
    seen: int = 0
    octets: int = 0
    deleted: int = 0
    modes: tuple[str, str] | None = None
    deviations: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def fail(self, why: str, status: int = 1) -> None:
        """Note something that went wrong."""
        self.failures.append(why)
        self.status = max(self.status, status)


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
    *,
    delete: bool,
    memory: Memory | None = None,
) -> Report:
    """Fetch all messages of a maildrop into a folder.

    Args:
        connect: Opens the maildrop.
        path: The folder.
        delete: Delete from the server what is safe in the folder.
        memory: Fetch only what is new, and remember it here.

    Returns:
        What became of it; errors of the client, and Ctrl-C, are a part of it.

    Raises:
        InsecureAuthError: The password would cross a network in the clear; nothing was sent.
        InvalidArgument: User, password or host can be those of no server; nothing was sent.
        SeenStoreError: The memory cannot be used; nothing is deleted.
        OSError: The folder cannot be written to; nothing is deleted.
    """
    report = Report()
    folder = Folder(path)
    try:
        with nullcontext() if memory is None else SeenStore(memory.path) as store:
            _fetch(connect(), folder, report, delete=delete, memory=memory, store=store)
    except (InsecureAuthError, InvalidArgument, SeenStoreError):
        raise
    except NoUniqueIds:
        report.fail("the server has no UIDL, so --sync cannot tell what is new")
    except POP3Error as error:
        report.fail(_told(error))
        report.deviations = _described(error.deviations)
    except KeyboardInterrupt:
        report.fail("interrupted", _INTERRUPTED)
    return report


def _fetch(
    client: POP3Client,
    folder: Folder,
    report: Report,
    *,
    delete: bool,
    memory: Memory | None,
    store: SeenStore | None,
) -> None:
    started = client.config.retr_mode.value
    try:
        if memory is None or store is None:
            _Download(client, folder, report, delete=delete).run()
        else:
            days = 0.0 if delete else memory.keep
            policy = None if days is None else DeletePolicy(after=timedelta(days=days))
            _Synchronization(client, folder, report).run(store, memory.user, policy)
    finally:
        # After QUIT this does nothing; before it, the server deletes nothing.
        client.abort()
        report.modes = started, client.config.retr_mode.value
        report.deviations = _described(client.deviations)


def _told(error: POP3Error) -> str:
    options = [option for word, option in _OPTIONS.items() if word in str(error)]
    return f"{error} ({', '.join(options)})" if options else str(error)


def _described(deviations: Iterable[Deviation]) -> list[str]:
    """A line for each quirk: where it was seen, and what was seen first."""
    seen: dict[str, list[Deviation]] = {}
    for deviation in deviations:
        seen.setdefault(deviation.quirk, []).append(deviation)
    return [
        f"{quirk} ({', '.join(each.where for each in entries)}): {entries[0].detail}"
        for quirk, entries in seen.items()
    ]


class _Download:
    """A download under way."""

    def __init__(self, client: POP3Client, folder: Folder, report: Report, *, delete: bool) -> None:
        self._client = client
        self._folder = folder
        self._report = report
        self._delete = delete
        self._marked = 0

    def run(self) -> None:
        """Fetch, keep and mark each message, then end the session."""
        maildrop = self._client.stat()
        self._report.total = maildrop.count
        uids = self._uids()
        with _progress() as progress:
            task = progress.add_task("Fetching", total=max(maildrop.octets, 0))
            for number in range(1, maildrop.count + 1):
                try:
                    self._one(number, uids.get(number, b""), progress, task)
                except POP3Error as error:
                    if error.ends_session:
                        raise
                    self._report.fail(_told(error))
            # The sizes that servers tell are not always those of what they send.
            progress.update(task, total=self._report.octets, completed=self._report.octets)
        self._quit()

    def _uids(self) -> dict[int, bytes]:
        try:
            return {entry.number: entry.uid for entry in self._client.uidl()}
        except POP3Error as error:
            if error.ends_session:
                raise
            return {}  # an optional command; without it the number has to do

    def _one(self, number: int, uid: bytes, progress: Progress, task: TaskID) -> None:
        with self._folder.incoming() as file:
            octets = self._client.retr_to(number, _Counted(file, progress, task))
            _, new = self._folder.keep(file, number, uid)
        self._report.kept += 1
        self._report.known += not new
        self._report.octets += octets
        if self._delete:
            self._client.dele(number)
            self._marked += 1

    def _quit(self) -> None:
        try:
            self._client.quit()
        except CommandError as error:
            # With nothing marked there was nothing to do at QUIT: it is among the deviations.
            if self._marked:
                self._report.fail(f"{error}; perhaps nothing was deleted")
            return
        self._report.deleted = self._marked


class _Synchronization:
    """A run that fetches what is new."""

    def __init__(self, client: POP3Client, folder: Folder, report: Report) -> None:
        self._client = client
        self._folder = folder
        self._report = report

    def run(self, store: SeenStore, user: str, policy: DeletePolicy | None) -> None:
        """Fetch and keep each new message, delete what is due, and end the session."""
        self._report.total = self._client.stat().count
        with _progress() as progress:
            task = progress.add_task("Fetching", total=None)
            result = self._client.sync(
                store,
                self._keep,
                delete=policy,
                user=user,
                progress=lambda _, came, __: progress.update(
                    task, completed=self._report.octets + came
                ),
            )
        self._report.seen = len(result.skipped)
        self._report.deleted = len(result.deleted)
        for failure in result.failed:
            self._report.fail(_told(failure.error))

    def _keep(self, message: Message) -> None:
        with self._folder.incoming() as file:
            file.write(message.raw)
            _, new = self._folder.keep(file, message.number, message.uid or b"")
        self._report.kept += 1
        self._report.known += not new
        self._report.octets += message.octets


class _Counted:
    """A file that moves a progress bar as it is written to."""

    def __init__(self, file: IO[bytes], progress: Progress, task: TaskID) -> None:
        self._file = file
        self._progress = progress
        self._task = task

    def write(self, data: bytes, /) -> None:
        """Write the octets and count them."""
        self._file.write(data)
        self._progress.advance(self._task, len(data))


def _progress() -> Progress:
    """A bar of octets on standard error; nothing where that is no terminal."""
    # What can fail before the maildrop is open fails sooner without it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
