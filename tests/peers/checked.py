"""Check the servers, and keep what comes of it: ``python -m tests.peers.checked``.

It writes ``tests/peers/baselines/*.json`` and ``docs/verdicts.md`` anew; names of servers choose
some. A FAIL of which nobody has said yet who is right is told: ``tests/docs/verdicts.yaml``.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from tests.docs._verdicts import PAGE, page, unexplained

from pop3check._baseline import Baseline, written_baseline

from ._checked import FOLDER, SERVERS, baseline_file, check_server
from ._dovecot import Dovecot
from ._mbox_servers import PROGRAMS
from ._twisted import Twisted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def renew(name: str) -> None:
    """Check a server, and keep the outcomes."""
    if name in PROGRAMS and not PROGRAMS[name].path:
        sys.exit(f"{name} is not on the path; what is kept of it stays as it is")
    with _running(name) as server:
        for tls, verdicts in check_server(name, server).items():
            known = Baseline().updated(verdicts.values())
            baseline_file(name, tls).write_bytes(written_baseline(known))


def _running(name: str) -> AbstractContextManager[Dovecot | Twisted | None]:
    if name.startswith("dovecot"):
        return Dovecot(full=name == "dovecot-full")
    return Twisted() if name == "twisted" else contextlib.nullcontext()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in sys.argv[1:] or SERVERS:
        renew(each)
    PAGE.write_text(page(), encoding="utf-8")
    for missing in unexplained():
        sys.stderr.write(f"nobody has said who is right: {missing}\n")
