"""Environment files before they are checked: YAML that refuses a key said twice, and looks into it.

PyYAML would keep the last of two in silence.
"""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is said twice", key.start_mark)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(text: str) -> object:
    """Return what a YAML document says, with SafeLoader's types.

    Raises:
        yaml.YAMLError: it is not YAML, or a mapping says a key twice.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader


def at(raw: dict[Any, Any], part: str, key: str) -> object:
    """Return `part.key` of a file, None where it is not there."""
    inside = raw.get(part)
    return inside.get(key) if isinstance(inside, dict) else None
