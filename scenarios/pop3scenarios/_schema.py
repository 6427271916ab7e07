"""The JSON Schema of a scenario file: what an editor needs to complete, explain and check one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from ._model import ScenarioFile
from ._notation import NOTATION, NOTATIONS, SWITCH, TEXT

if TYPE_CHECKING:
    from pydantic_core import core_schema

#: The committed schema, for editors that want a file.
SCHEMA_FILE = Path(__file__).parent / "schema" / "pop3-scenario.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file, generated from the model.

    It takes what the loader takes, whichever YAML reader has read the file: text may come as a
    number or a truth value, a number in quotes, of which only the form is looked at. What only
    the loader can know is left to it: whether files exist, whether rules can be reached, what
    holes hold.
    """
    made = ScenarioFile.model_json_schema(schema_generator=_AsWritten)
    for name in sorted(_notations_in(made)):
        notation = NOTATIONS[name]
        made["$defs"][name] = {"description": notation.meaning, **notation.schema}
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": "pop3kit scenario"}
    return head | {key: _linked(value) for key, value in made.items() if key != "title"}


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


class _AsWritten(GenerateJsonSchema):
    """Describes what YAML gives, where the library describes what the model makes of it."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - the library's
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        # A default is no text of the language; descriptions name those that matter.
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        # None is how the model says that a key is not there.
        return self.generate_inner(schema["schema"])

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return super().str_schema(schema) | dict(TEXT)

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        quoted = {"type": ["integer", "string"], "pattern": "^[+-]?[0-9]+(_[0-9]+)*$"}
        return super().int_schema(schema) | quoted

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {NOTATION: SWITCH.name}

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        words = [str(word) for word in schema["expected"]]
        return {"enum": words + [int(word) for word in words if word.isdecimal()]}


def _notations_in(node: object) -> set[str]:
    """The notations that a schema uses, and those that these use."""
    found: set[str] = set()
    waiting: list[object] = [node]
    while waiting:
        match waiting.pop():
            case {"notation": str(name)}:
                if name not in found:
                    found.add(name)
                    waiting.append(NOTATIONS[name].schema)
            case dict() as mapping:
                waiting += mapping.values()
            case list() as items:
                waiting += items
    return found


def _linked(node: Any) -> Any:  # noqa: ANN401 - JSON
    """A schema with a reference wherever a notation stands, and no key that is not foreseen."""
    if isinstance(node, list):
        return [_linked(item) for item in node]
    if not isinstance(node, dict):
        return node
    if NOTATION in node:
        return _reference(node)
    made = {key: _linked(value) for key, value in node.items()}
    if isinstance(made.get("description"), str):
        made["description"] = made["description"].replace("``", "`")
    if made.get("format") == "path":
        del made["format"]  # a path is any text
    if "patternProperties" in made:
        made.setdefault("additionalProperties", False)
    return made


def _reference(node: dict[str, Any]) -> dict[str, Any]:
    name = node[NOTATION]
    reference = {"$ref": f"#/$defs/{name}"}
    if "description" not in node:
        return reference
    # An editor shows the words that stand beside a reference, and not those of what it refers to.
    return reference | {"description": f"{node['description']}\n\n{NOTATIONS[name].meaning}"}
