"""The shipped scenarios by which it is shown what holds for every one."""

from __future__ import annotations

from pop3scenarios import expand, kind_of, shipped

#: All but most conformance cases: they are of one form, and those of one chapter stand for them.
NAMES = [
    reference
    for name, path in shipped().items()
    if kind_of(path) != "conformance" or name.startswith("rfc1939-5")
    for reference in expand(name)
]
