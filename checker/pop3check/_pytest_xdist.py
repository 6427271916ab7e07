"""How pytest-xdist hands out tests, so that one process alone asks a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

_KINDS: dict[str, type[LoadScopeScheduling]] = {
    "loadfile": LoadFileScheduling,
    "loadgroup": LoadGroupScheduling,
    "loadscope": LoadScopeScheduling,
}


class _Singly(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
    """Hands out each test by itself, as ``load`` and ``worksteal`` do in the end."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid


def scheduler(config: pytest.Config, log: Any, node: str, suffix: str) -> LoadScopeScheduling:  # noqa: ANN401
    """What hands out tests as ``--dist`` says, and all cases to one process.

    Args:
        config: The run.
        log: Where it tells what it does: pytest-xdist's own.
        node: The node that the shipped cases are under.
        suffix: How files end that hold further ones.
    """
    kind: Any = _KINDS.get(str(config.getoption("dist")), _Singly)

    class Together(kind):  # type: ignore[misc]
        """The same, with the cases as one scope."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file == node or file.endswith(suffix):
                return node
            scope: str = super()._split_scope(nodeid)
            return scope

    made: LoadScopeScheduling = Together(config, log)
    return made
