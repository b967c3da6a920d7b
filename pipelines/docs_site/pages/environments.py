"""What an environment file may say, from the schema, and what each one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from environments import schema
from pipelines.docs_site.markdown import code, codes, lines, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.docs_site.markdown import Drift

_SOURCE: Final = "environments/parts.py"
_PAGE: Final = "reference/environments.md"
_RULES: Final = {
    "pattern": "matches",
    "minimum": "at least",
    "maximum": "at most",
    "minItems": "at least so many",
    "maxItems": "at most so many",
}


def environments_page(drift: Drift) -> str:
    """Return the page of environments; a key without a description is drift."""
    document = schema.Environment.model_json_schema()
    keys = list(_keys(document, document, ""))
    names = schema.names()
    rows = []
    for key, rule, required in keys:
        meaning = drift.described(rule.get("description"), f"The key {key}", _SOURCE, _PAGE)
        rows.append([code(key), prose(meaning), lines([_needed(rule, required=required), *_rules(rule)])])
    values_of = {name: _flat(schema.load(name).model_dump(mode="json")) for name in names}
    values = [
        [code(key), *(_value(values_of[name].get(key)) for name in names)]
        for key, _, _ in keys
        if key != "name"
    ]
    files = codes(f"environments/{name}.yml" for name in names)
    return page(
        "Environments",
        ["environments/schema.py", _SOURCE, *(f"environments/{name}.yml" for name in names)],
        f"One file for each: {files}. Every problem of a file is reported at once, with its key and rule.\n",
        "## Keys\n",
        table(["Key", "What it is", "Rules"], rows),
        "## Values\n",
        table(["Key", *names], values),
    )


def _keys(
    document: dict[str, Any], part: dict[str, Any], prefix: str
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for name, rule in part["properties"].items():
        inner = _part(document, rule)
        if inner is not None:
            yield from _keys(document, inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", rule, name in part.get("required", [])


def _part(document: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any] | None:
    """Return the part of the file that this key begins, if it begins one."""
    for option in [rule, *rule.get("anyOf", []), *rule.get("allOf", [])]:
        if "$ref" in option:
            part_rules: dict[str, Any] = document["$defs"][option["$ref"].rpartition("/")[2]]
            return part_rules
    return None


def _needed(rule: dict[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    return "optional" if rule.get("default") is None else f"default {code(rule['default'])}"


def _rules(rule: dict[str, Any]) -> Iterator[str]:
    options = [rule, *rule.get("anyOf", [])]
    for option in options:
        if option.get("type") not in {None, "null", "object", "array"}:
            yield str(option["type"])
        if "enum" in option:
            yield f"one of {codes(option['enum'])}"
        if "const" in option:
            yield f"always {code(option['const'])}"
        for key, words in _RULES.items():
            if key in option:
                yield f"{words} {code(option[key])}"


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        return lines(code(item) for item in value)
    return code(str(value).lower() if isinstance(value, bool) else value)
