"""Cases that the line language cannot say: what is computed, timed, or over several sessions.

What each is about stands in the file of the same name in ``conformance/`` of the library; here is
how it is asked. A probe is a generator of wants that talks by the verbs of :class:`.._talk.Talk`;
it returns if the server did what it has to.
"""

from __future__ import annotations

from importlib import import_module

from ._registry import LOGS_IN, PROBES, Probe, probe

_MODULES = (
    "_lines",
    "_states",
    "_sizes",
    "_messages",
    "_ends",
    "_optional",
    "_extras",
    "_sasl",
    "_mechanisms",
    "_capa",
    "_pipelining",
    "_codes",
    "_utf8",
    "_tls",
)


def load_probes() -> dict[str, Probe]:
    """All of them, by the id of their case."""
    for name in _MODULES:
        import_module(f"{__name__}.{name}")
    return PROBES


__all__ = ["LOGS_IN", "Probe", "load_probes", "probe"]
