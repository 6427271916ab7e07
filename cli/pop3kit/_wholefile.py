"""Files that are there whole or not at all: who waits for one never sees a part of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ._failures import system_failure

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that anybody may read.

    Args:
        path: The file; one that is there is replaced.
        data: What is to be in it.

    Raises:
        SystemFailure: It cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).chmod(0o644)
        os.replace(file.name, path)  # noqa: PTH105 - both are names here
    except OSError as error:
        raise system_failure("cannot write", path, error) from None


@contextmanager
def there_meanwhile(path: Path | None, data: bytes) -> Iterator[None]:
    """Have a file as long as the block runs.

    Args:
        path: The file; None for none.
        data: What is to be in it.

    Raises:
        SystemFailure: It cannot be written.
    """
    if path is None:
        yield
        return
    write_whole(path, data)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
