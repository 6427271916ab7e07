"""Prints the requirements that have neither a test nor a reason; fails if there is one."""

from __future__ import annotations

import sys

from ._catalogue import exempt, missing, names_of_tests, rows

if __name__ == "__main__":
    titles = rows()
    left = missing(titles, exempt(), names_of_tests())
    for row in left:
        sys.stdout.write(f"{row}: {titles[row]}\n")
    sys.exit(bool(left))
