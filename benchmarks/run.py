"""Run all benchmarks and print them as a table; ``--quick`` for a look, names for a choice.

Every figure is of this machine and this moment; what carries over is the ratio.
"""

from __future__ import annotations

import argparse
import platform

import client
import mock  # noqa: UP026 - the module beside this one
import plugin

SUITES = {
    "mock": mock.rows,
    "client": client.rows,
    "plugin": plugin.rows,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", nargs="*", help=f"which: {', '.join(SUITES)}; all if left out")
    parser.add_argument("--quick", action="store_true", help="few rounds, small sizes")
    options = parser.parse_args()
    unknown = set(options.suite) - set(SUITES)
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| what | ours | peer | ratio | meaning |")
    print("|---|---|---|---|---|")
    for name in options.suite or SUITES:
        for row in SUITES[name](quick=options.quick):
            print(
                f"| {row.what} | {row.ours} | {row.theirs} | {row.ratio} | {row.meaning} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
