"""Where ``pop3kit`` and ``python -m pop3kit`` begin."""

from __future__ import annotations

import sys

#: What the command needs beyond the base install, by the names under which it is imported.
_EXTRA = frozenset(
    {"click", "jinja2", "markupsafe", "psutil", "pydantic", "pydantic_core", "rich"}
    | {"trustme", "yaml"}
)


def main() -> int:
    """Run the command on the arguments of the process.

    Returns:
        The exit status; 2 if the packages that the command needs are not installed.
    """
    for stream in (sys.stdout, sys.stderr):
        # What servers say is shown on terminals that may not know all of its characters.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        # The base install is the client alone and has no click.
        from ._group import cli

        cli.main(prog_name="pop3kit")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(  # noqa: T201 - without click there is nothing else to tell it with
            f"pop3kit: the command needs {error.name}: pip install 'pop3kit[cli]'",
            file=sys.stderr,
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
