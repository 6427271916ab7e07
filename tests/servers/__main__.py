"""Show where the mock, playing a server's file, differs from that server's transcript.

Use: ``python -m tests.servers TRANSCRIPT [SCENARIO]``
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from ._replay import Replay


def main() -> None:
    """Print each exchange that differs, and how many agree."""
    transcript = sys.argv[1]
    scenario = sys.argv[2] if len(sys.argv) > 2 else transcript
    exchanges = list(Replay(transcript, scenario, _mail(transcript)).exchanges())
    for exchange in exchanges:
        if not exchange.agrees:
            print(f"# {exchange.probe}")
            print(f"  C {_cut(exchange.sent)}")
            print(f"  - {_cut(exchange.expected)} {exchange.ending}")
            print(f"  + {_cut(exchange.actual)} {exchange.actual_ending}")
    print(f"{sum(e.agrees for e in exchanges)} of {len(exchanges)} answers agree")


def _mail(transcript: str) -> str:
    """How the server held its mail: by its file of differences, or else by the name."""
    path = Path(__file__).parent / "differences" / f"{transcript}.yaml"
    known = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    return str(known.get("mail") or ("lf" if transcript.endswith("-lf") else ""))


def _cut(octets: bytes) -> str:
    shown = repr(octets)[2:-1]
    return shown if len(shown) < 500 else f"{shown[:240]} … {shown[-240:]}"


if __name__ == "__main__":
    main()
