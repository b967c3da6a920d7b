"""Changes single values of the environment files, and leaves every other line as it is."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml


def changed(text: str, path: str, value: Any) -> str:
    """Return the YAML text with `key` or `section.key` set; None takes the key out.

    The files have two levels and no multi-line values; whoever writes others has them checked by the schema.
    """
    section, _, key = path.rpartition(".")
    lines = text.splitlines()
    start, end, indent = _span(lines, section)
    pattern = re.compile(rf"^{indent}{re.escape(key)}:(\s|$)")
    places = [number for number in range(start, end) if pattern.match(lines[number])]
    if value is None:
        lines = [line for number, line in enumerate(lines) if number not in places]
    elif places:
        lines[places[0]] = f"{indent}{key}: {_written(value)}"
    else:
        lines.insert(_last_used(lines, start, end), f"{indent}{key}: {_written(value)}")
    return "\n".join(lines) + "\n"


def value(text: str, path: str) -> Any:
    """Return what the YAML text says at `key` or `section.key`; None where it says nothing."""
    found = yaml.safe_load(text)
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _span(lines: list[str], section: str) -> tuple[int, int, str]:
    """Return where the section's lines begin and end, and their indentation."""
    if not section:
        return 0, len(lines), ""
    start = next((number for number, line in enumerate(lines) if line.rstrip() == f"{section}:"), None)
    if start is None:
        lines += ["", f"{section}:"]
        return len(lines), len(lines), "  "
    inside = start + 1
    while inside < len(lines) and (lines[inside].startswith(" ") or not lines[inside].strip()):
        inside += 1
    return start + 1, inside, "  "


def _last_used(lines: list[str], start: int, end: int) -> int:
    """Return the line after the section's last one that says something."""
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(item) for item in value)}]"
    if isinstance(value, bool | int):
        return json.dumps(value)
    plain = yaml.safe_load(value) == value and not value.isdigit()  # other readers take digits for a number
    return value if plain else json.dumps(value)
