"""The private names of MiniStack: one list, which is what the sources use, and what a start checks."""

import ast
from collections import defaultdict
from pathlib import Path

import embedded_aws
from embedded_aws.core import ministack_names

_SOURCES = Path(embedded_aws.__file__).parent


def test_the_list_is_what_the_sources_use() -> None:
    used = defaultdict(set)
    for file in _SOURCES.rglob("*.py"):
        tree = ast.parse(file.read_text())
        modules = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = modules.get(node.value.id)
                if module and node.attr.startswith("_"):
                    used[module].add(node.attr)
    assert {module: tuple(sorted(names)) for module, names in used.items()} == ministack_names.PRIVATE_NAMES
