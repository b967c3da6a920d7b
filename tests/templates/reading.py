"""How these tests read a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


def resources(template: Json, kind: str) -> dict[str, Json]:
    """Return the resources of a type, by logical id."""
    return {name: part for name, part in template["Resources"].items() if part["Type"] == kind}


def properties(template: Json, kind: str) -> dict[str, Json]:
    """Return the properties of the resources of a type, by logical id."""
    return {name: part.get("Properties", {}) for name, part in resources(template, kind).items()}


def the(template: Json, kind: str) -> Json:
    """Return the properties of the one resource of a type."""
    (only,) = properties(template, kind).values()
    return only


def ref(name: str) -> Json:
    return {"Ref": name}


def imported(name: str) -> Json:
    return {"Fn::ImportValue": {"Fn::Sub": f"${{NetworkStack}}-{name}"}}


def strings(value: Any) -> Iterator[str]:
    """Yield every string in it, keys left out."""
    if isinstance(value, dict):
        for inside in value.values():
            yield from strings(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from strings(inside)
    elif isinstance(value, str):
        yield value


def statements(resource: Json) -> list[Json]:
    """Return every statement of every policy inside a resource."""
    return [statement for policy in policies(resource) for statement in policy["Statement"]]


def policies(resource: Json) -> list[Json]:
    """Return every policy document inside a resource."""
    found = []
    stack = [resource.get("Properties", {})]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "Statement" in value:
                found.append(value)
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
