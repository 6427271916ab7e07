"""The command ``mailgate``: one run from the maildrop to the tickets."""

from __future__ import annotations

import argparse
import poplib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mailgate.gateway import run
from mailgate.settings import Settings, SettingsError
from mailgate.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once.

    Args:
        arguments: In place of those of the command line.

    Returns:
        The exit status: 0, or 1 if something went wrong; the next run then goes on.
    """
    parser = argparse.ArgumentParser(prog="mailgate", description="Turn mail into tickets.")
    parser.add_argument("settings", type=Path, help="the configuration, a TOML file")
    path = parser.parse_args(arguments).settings
    try:
        settings = Settings.read(path)
        with Store(settings.database) as store:
            made = run(settings, store)
    except (SettingsError, OSError, EOFError, poplib.error_proto) as error:
        print(f"mailgate: {error}", file=sys.stderr)
        return 1
    print(f"{made} new ticket(s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
