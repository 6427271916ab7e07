"""Print the page about quirks: ``python -m tests.docs > docs/quirks.md``."""

from __future__ import annotations

import sys

from ._quirks import page

if __name__ == "__main__":
    sys.stdout.write(page())
