"""What is done with scenario files beside playing them: checked, shown, compared, described, begun.

Apart from the package itself, so that whoever only plays scenarios does not load it.
"""

from ._contrast import Difference, contrast, contrast_text
from ._merged import merged
from ._plain import to_yaml
from ._reference import reference
from ._schema import SCHEMA_FILE, schema, schema_text
from ._starter import KINDS, Kind, starter
from ._warnings import WARNINGS, review

__all__ = [
    "KINDS",
    "SCHEMA_FILE",
    "WARNINGS",
    "Difference",
    "Kind",
    "contrast",
    "contrast_text",
    "merged",
    "reference",
    "review",
    "schema",
    "schema_text",
    "starter",
    "to_yaml",
]
