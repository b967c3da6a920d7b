"""Values as templates write them: literal, or with CloudFormation's functions in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_PAIR: Final = 2
_VARIABLE: Final = re.compile(r"#\{([^}]*)\}")
_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]*)\}")


def is_function(value: object) -> bool:
    """Return whether a value is one function of CloudFormation's, as `{"Ref": "Name"}`."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    [name] = value
    return name in {"Ref", "Condition"} or name.startswith("Fn::")


def text(value: object) -> str | None:
    """Return a value as text, with what CloudFormation fills in as `${Name}`; None where nobody can say."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, dict) and len(value) == 1:
        [(function, argument)] = value.items()
        return _function_text(function, argument)
    return None


def _function_text(function: str, argument: Any) -> str | None:
    match function, argument:
        case "Ref" | "Fn::GetAtt", str():
            return f"${{{argument}}}"
        case "Fn::GetAtt", [str() as resource, str() as attribute]:
            return f"${{{resource}.{attribute}}}"
        case "Fn::Sub", str():
            return argument
        case "Fn::Sub", [str() as template, dict() as values]:
            return _substituted(template, values)
        case "Fn::Join", [str() as separator, list() as parts]:
            texts = [text(part) for part in parts]
            return None if None in texts else separator.join(part for part in texts if part is not None)
    return None


def _substituted(template: str, values: Json) -> str | None:
    """Return Fn::Sub's text with its own variables filled in; None where one of them cannot be said."""
    known = {name: text(value) for name, value in values.items()}

    def fill(match: re.Match[str]) -> str:
        name = match[2].strip()
        return str(known[name]) if not match[1] and name in known else match[0]

    used = {match[2].strip() for match in _PLACEHOLDER.finditer(template) if not match[1]}
    if any(known[name] is None for name in used & set(known)):
        return None
    return _PLACEHOLDER.sub(fill, template)


def literal(value: object) -> str | None:
    """Return a value as text if neither CloudFormation nor CodePipeline fills in any of it."""
    as_text = text(value)
    return None if as_text is None or "${" in as_text or "#{" in as_text else as_text


def variables(value: object) -> Iterator[str]:
    """Yield every `#{…}` inside a value, at any depth, without its braces."""
    if isinstance(value, str):
        yield from _VARIABLE.findall(value)
    elif isinstance(value, (list, dict)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from variables(inside)


def logical_id(value: object) -> str | None:
    """Return the resource or parameter that a Ref, a GetAtt or a Sub of nothing else names."""
    match = re.fullmatch(r"\$\{([A-Za-z0-9]+)(\.[^}]*)?\}", text(value) or "")
    return match[1] if match else None


def listed(value: object) -> list[Any]:
    """Return a list as it is, nothing as an empty one, and any other value as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mappings(value: object) -> list[Json]:
    """Return the mappings among the entries of a list, or a mapping as a list of one."""
    return [entry for entry in listed(value) if isinstance(entry, dict)]


def mapping(value: object) -> Json:
    """Return a mapping as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}
