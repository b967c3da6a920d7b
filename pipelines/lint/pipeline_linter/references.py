"""The names that a resource of a template refers to, and which of them the template declares nowhere.

CloudFormation refuses a template with one (user guide, "Ref", "Fn::GetAtt", "DependsOn attribute",
"Conditions").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.lint.pipeline_linter.values import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipelines.lint.pipeline_linter.values import Json

_PLACEHOLDER: Final = re.compile(r"\$\{([^!}][^}]*)\}")
_PSEUDO: Final = "AWS::"
_MADE_ELSEWHERE: Final = ("Fn::Transform", "Fn::ForEach::")


def undeclared(document: Json, resource: Json, resources: Collection[str]) -> list[str]:
    """Return what a resource names and its template declares nowhere, sorted.

    Nothing where a macro, a module or a loop that nobody can follow may declare it.

    Args:
        document: The template.
        resource: One of its resources, with its loops unrolled.
        resources: The names of all its resources, with its loops unrolled.
    """
    types = [mapping(each).get("Type") for each in mapping(document.get("Resources")).values()]
    if _macros(document) or any(str(kind).endswith("::MODULE") for kind in types):
        return []
    if any(name.startswith(_MADE_ELSEWHERE) for name in [*_keys(resource), *resources]):
        return []
    values = {*mapping(document.get("Parameters")), *resources}
    wrong = {name for name in _named(resource) if name not in values and not name.startswith(_PSEUDO)}
    wrong |= {str(name) for name in listed(resource.get("DependsOn")) if name not in resources}
    return sorted(wrong | (set(_conditions(resource)) - set(mapping(document.get("Conditions")))))


def _macros(document: Json) -> list[Any]:
    return [name for name in listed(document.get("Transform")) if name != "AWS::LanguageExtensions"]


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inside in _inside(value):
        yield from _keys(inside)


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _named(value: Any) -> Iterator[str]:
    """Yield the resources and parameters that a value is made of."""
    match value:
        case {"Ref": str() as name} if len(value) == 1:
            yield name
        case {"Fn::GetAtt": str() as name} | {"Fn::GetAtt": [str() as name, *_]} if len(value) == 1:
            yield name.partition(".")[0]
        case {"Fn::Sub": str() as text} if len(value) == 1:
            yield from _placeholders(text)
        case {"Fn::Sub": [str() as text, dict() as own]} if len(value) == 1:
            yield from (name for name in _placeholders(text) if name not in own)
    for inside in _inside(value):
        yield from _named(inside)


def _placeholders(text: str) -> Iterator[str]:
    for name in _PLACEHOLDER.findall(text):
        yield name.strip() if name.strip().startswith(_PSEUDO) else name.strip().partition(".")[0]


def _conditions(resource: Json) -> Iterator[str]:
    if isinstance(resource.get("Condition"), str):
        yield resource["Condition"]
    yield from _asked(resource)


def _asked(value: Any) -> Iterator[str]:
    match value:
        case {"Fn::If": [str() as name, *_]} if len(value) == 1:
            yield name
    for inside in _inside(value):
        yield from _asked(inside)
