"""The files that ``pop3kit check`` writes and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check import Outcome, RecordError, junit, markdown, read_record, written_record

from ._failures import UsageFailure, printable, system_failure
from ._wholefile import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pop3check import Record

    from ._check_options import Output


def read_all(paths: Iterable[Path]) -> list[Record]:
    """Earlier runs.

    Args:
        paths: Their files of JSON.

    Raises:
        SystemFailure: One cannot be read.
        UsageFailure: One is no such file.
    """
    return list(map(_read, paths))


def _read(path: Path) -> Record:
    try:
        return read_record(path)
    except OSError as error:
        raise system_failure("cannot read", path, error) from None
    except RecordError as error:
        raise UsageFailure(str(error)) from None


def write_files(output: Output, record: Record, earlier: Sequence[Record]) -> None:
    """Write what was asked for.

    Args:
        output: Where.
        record: What the run found out.
        earlier: What stands beside it on the page.

    Raises:
        SystemFailure: A file cannot be written.
    """
    if output.json_file is not None:
        write_whole(output.json_file, written_record(record))
    if output.junit_file is not None:
        write_whole(output.junit_file, junit(record))
    if output.markdown_file is not None:
        write_whole(output.markdown_file, markdown(record).encode())
    if output.html_file is not None:
        write_page(output.html_file, [*earlier, record])


def write_page(path: Path, records: Sequence[Record]) -> None:
    """Write the page of one run, or of several side by side.

    Args:
        path: The file.
        records: The runs.
    """
    from ._checkpage import check_page

    write_whole(path, check_page(records).encode())


def summarised(record: Record) -> str:
    """A line for a run.

    Args:
        record: The run.
    """
    parts = [f"{record.count(each)} {each.value}" for each in Outcome if record.count(each)]
    return printable(f"{record.name}: {len(record.cases)} cases, {', '.join(parts)}")
