"""The frame of the kit's HTML pages: one file that asks nothing of any network.

A page is a template of Jinja2 in ``pages/`` that extends ``frame.html`` and fills its blocks
``content`` and, for what only this page needs, ``style`` and ``script`` by ``inline("NAME")``. All
values are escaped. Its policy lets run what the file itself holds, and nothing else: what a server
says can neither become a part of the page nor call out of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PACKAGE = __name__.rpartition(".")[0]

#: What every page has, by the directive of the policy that lets it in.
_FRAME = {"style-src": ["frame.css"], "script-src": ["frame.js"]}

#: The directive for a file, by the end of its name.
_DIRECTIVES = {".css": "style-src", ".js": "script-src"}


def render(template: str, *, own: Sequence[str] = (), data: object = None, **values: object) -> str:
    """A page.

    Args:
        template: The name of the template in ``pages/``.
        own: Names of the style sheets and scripts in ``pages/`` that only this page has.
        data: What its scripts read, as JSON, from the element ``#data``.
        values: What the template shows; ``title`` is always needed.
    """
    sources = {directive: [*names] for directive, names in _FRAME.items()}
    for name in own:
        sources[_DIRECTIVES[name[name.rindex(".") :]]].append(name)
    page = _environment().get_template(template)
    return page.render(
        policy=_policy(sources),
        styles=[_inline(name) for name in sources["style-src"]],
        scripts=[_inline(name) for name in sources["script-src"]],
        data=_embedded(data),
        **values,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _text(name: str) -> str:
    return (files(_PACKAGE) / "pages" / name).read_text(encoding="utf-8")


def _inline(name: str) -> Markup:
    """A file of the kit's own, which needs no escaping."""
    return Markup(_text(name))  # noqa: S704 - nobody else writes these files


def _policy(sources: Mapping[str, Sequence[str]]) -> str:
    """The content security policy: what is in the page, known by its hash, and nothing else."""
    allowed = [
        " ".join([directive, *(f"'sha256-{_digest(_text(name))}'" for name in names)])
        for directive, names in sources.items()
    ]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _embedded(data: object) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element or begins another."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - see above
