"""Reading an environment file as it stands there, before it is known to be right."""

from __future__ import annotations

from typing import Any


def at(raw: dict[Any, Any], part: str, key: str) -> object:
    """Return `part.key` of a file, None where it is not there."""
    inside = raw.get(part)
    return inside.get(key) if isinstance(inside, dict) else None
