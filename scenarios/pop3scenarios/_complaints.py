"""What the schema finds wrong with a file, in words for its author."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from ._errors import Problem, did_you_mean, got
from ._fields import WORDS_FOR_PATTERN
from ._model import ScenarioFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from ._yaml import Document, Path

#: The schema library's kinds of error, and what was expected instead.
_EXPECTED = {
    "bool_parsing": "yes or no",
    "bool_type": "yes or no",
    "dict_type": "a mapping",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of reasonable size",
    "int_type": "a whole number",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "path_type": "text",
    "string_too_short": "some text",
    "string_type": "text",
    "tuple_type": "a list",
}


def complaints(error: ValidationError, document: Document) -> Iterator[Problem]:
    """Each error of the schema as a problem at its place.

    Args:
        error: What the schema says.
        document: The file.
    """
    for item in error.errors(include_url=False):
        if item["input"] is not None:  # that a key has no value has been said already
            yield from _problems(item, document)


def _problems(item: ErrorDetails, document: Document) -> Iterator[Problem]:
    path, value = item["loc"], item["input"]
    context: dict[str, Any] = item.get("ctx", {})
    at_key = path[-1:] == ("[key]",)
    if at_key:
        path = path[:-1]
    match item["type"]:
        case "lines":
            for wrong in context["errors"]:
                offset = (wrong.row, wrong.column)
                yield document.problem(path, wrong.message, wrong.suggestion, offset=offset)
        case "extra_forbidden":
            key = str(path[-1])
            known = _keys_at(path[:-1])
            hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
            yield document.problem(path, f"unknown key {key!r}", hint, at_key=True)
        case "missing":
            yield document.problem(path[:-1], f"the key {path[-1]!r} is missing")
        case "literal_error":
            words = context["expected"]
            hint = did_you_mean(value, words.split("'")[1::2]) if isinstance(value, str) else ""
            yield document.problem(path, f"expected {words}, got {got(value)}", hint)
        case "value_error":
            yield document.problem(path, str(context["error"]))
        case kind:
            expected = _EXPECTED.get(kind) or _bounded(kind, context) or item["msg"]
            hint = f"write [{value}]" if kind == "tuple_type" and isinstance(value, str) else ""
            message = f"expected {expected}, got {got(value)}"
            yield document.problem(path, message, hint, at_key=at_key)


def _bounded(kind: str, context: dict[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "string_pattern_mismatch":
            return WORDS_FOR_PATTERN[context["pattern"]]
    return ""


def _keys_at(path: Path) -> list[str]:
    """The keys that may stand under ``path``."""
    current: Any = ScenarioFile
    for part in path:
        current = _inside(current, part)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _inside(annotation: Any, part: str | int) -> Any:  # noqa: ANN401 - annotations have no common type
    """The type of what stands under one key, or at one index, of a value of a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return next((_bare(f.annotation) for n, f in fields if (f.alias or n) == part), None)
    arguments = get_args(annotation)
    return _bare(arguments[0 if get_origin(annotation) is tuple else 1]) if arguments else None


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """A type without what is said about it, and without ``None``."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = get_args(annotation)[0]
    return annotation
