"""Checks that what would be packaged can start: every module parses, and every function has its handler."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HANDLER = "handler"


def check(root: Path) -> None:
    """Refuse sources that Lambda could only fail with, each with its file and line.

    Raises:
        Refused: A module does not parse, or a function's folder lacks `handler.py` or its `handler`.
    """
    if faults := list(_faults(root)):
        raise Refused("\n".join(faults), "Fix it, then package again.")


def _faults(root: Path) -> Iterator[str]:
    lambdas = root / "lambdas"
    for path in sorted(lambdas.rglob("*.py")):
        shown = path.relative_to(root).as_posix()
        try:
            module = ast.parse(path.read_bytes(), shown)
        except SyntaxError as error:
            yield f"{shown}:{error.lineno}: {error.msg}."
            continue
        if path.name == f"{_HANDLER}.py" and path.parent.parent == lambdas and _HANDLER not in _names(module):
            yield f"{shown}:1: there is no function `{_HANDLER}`, which Lambda calls."
    for folder in sorted(path.parent for path in lambdas.glob("*/__init__.py")):
        if not (folder / f"{_HANDLER}.py").is_file():
            shown = folder.relative_to(root).as_posix()
            yield f"{shown}/{_HANDLER}.py:1: there is no such file, and every function has one."


def _names(module: ast.Module) -> set[str]:
    defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    assigned = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return defined | assigned
