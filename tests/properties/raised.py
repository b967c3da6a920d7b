"""What the code that ships can raise, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from payment_data.errors import BY_NAME

ROOT: Final = Path(__file__).parents[2] / "lambdas"


class Raised(NamedTuple):
    """A `raise`: the class that it names, or the function whose result it raises; and where it is."""

    name: str
    is_class: bool
    where: str


def everything() -> dict[Path, ast.Module]:
    """Parse every module that ships."""
    found = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}
    assert len(found) > 50, "the lambdas are somewhere else"
    return found


def raised(modules: dict[Path, ast.Module]) -> Iterator[Raised]:
    """Yield every `raise` of something; a bare one and that of a variable pass on what was made elsewhere."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                name, called = _name(node.exc)
                variable = isinstance(node.exc, ast.Name) and not name.lstrip("_")[:1].isupper()
                if name and not variable:
                    is_class = name.lstrip("_")[:1].isupper()
                    assert is_class or called, ast.unparse(node)
                    yield Raised(name, is_class, f"{path.relative_to(ROOT)}:{node.lineno}")


def made(modules: dict[Path, ast.Module]) -> set[str]:
    """Return the errors of the table that are made anywhere."""
    names = {
        node.id
        for path, tree in modules.items()
        if path.name != "errors.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    attributes = {
        node.attr for tree in modules.values() for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }
    return (names | attributes) & set(BY_NAME)


def classes(modules: dict[Path, ast.Module]) -> dict[str, set[str]]:
    """Return the classes of errors that the code defines, with what they inherit."""
    found = {
        node.name: {_name(base)[0] for base in node.bases}
        for tree in modules.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    errors = {"Exception", "ValueError"}
    while more := {name for name, bases in found.items() if bases & errors} - errors:
        errors |= more
    return {name: bases for name, bases in found.items() if name in errors}


def results(modules: dict[Path, ast.Module], one: Raised) -> list[str]:
    """Return what whatever has this name says that it returns: here, where it is imported from, anywhere."""
    own = modules[ROOT / one.where.partition(":")[0]]
    source = [
        node.module.replace(".", "/") + ".py"
        for node in ast.walk(own)
        if isinstance(node, ast.ImportFrom) and node.module and one.name in {a.name for a in node.names}
    ]
    imported = [tree for path, tree in modules.items() if any(str(path).endswith(name) for name in source)]
    for trees in ([own], imported, modules.values()):
        if found := [result for tree in trees for result in _results(tree, one.name)]:
            return found
    return []


def _results(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield ast.unparse(node.returns) if node.returns else ""
        elif isinstance(node, ast.arg) and node.arg == name:
            yield ast.unparse(node.annotation).removeprefix("type[").rstrip("]") if node.annotation else ""


def _name(node: ast.expr) -> tuple[str, bool]:
    called = isinstance(node, ast.Call)
    inner = node.func if isinstance(node, ast.Call) else node
    if isinstance(inner, ast.Attribute):
        return inner.attr, called
    return (inner.id, called) if isinstance(inner, ast.Name) else ("", called)
