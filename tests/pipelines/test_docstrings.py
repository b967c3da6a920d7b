"""What every public function of the product says of itself: what it is for, returns, and raises."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRODUCT = ("environments", "lambdas", "pipelines", "templates")
_UNTYPED = re.compile(r"\b(dict|Mapping)\[str, (Any|object)\]|\b(Json|Document)\b")
"""What a function is declared to return whose keys no type tells."""
_SHAPE = re.compile(
    r"\{[^}]*\}"  # its keys
    r"|`[^`]+`|\b[A-Z][a-z]+[A-Z]\w+|JSON Schema"  # what declares them: code, a call of AWS's, a standard
    r"|Returns:|\bby (the )?\w+"  # a section of its own, or a map from what to what
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    """Yield public functions, and public methods of public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def raises_itself(node: ast.AST) -> bool:
    """Whether a function raises an error by name, outside of the functions in it."""
    nested = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    return any(
        (isinstance(child, ast.Raise) and child.exc is not None) or raises_itself(child)
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, nested)
    )


def is_command(function: Function) -> bool:
    """Whether it is a command, whose docstring is its help: a person reads it."""
    return any("command(" in ast.unparse(decorator) for decorator in function.decorator_list)


def broken_promises(source: str) -> list[str]:
    """What the public functions of a module leave out: one line each, with its line number."""
    lines = source.splitlines()
    problems = []
    for function in public_functions(ast.parse(source).body):
        text = ast.get_docstring(function)
        excused = "# noqa: D102" in lines[function.lineno - 1] or any(
            "overload" in ast.unparse(decorator) for decorator in function.decorator_list
        )
        if text is None and not excused:
            problems.append(f"{function.lineno}: {function.name} has no docstring")
        elif text and "Raises:" not in text and raises_itself(function) and not is_command(function):
            problems.append(f"{function.lineno}: {function.name} raises and does not say what")
        if text and _hides_its_shape(function, text):
            problems.append(f"{function.lineno}: {function.name} returns a dict and does not say its shape")
    return problems


def _hides_its_shape(function: Function, text: str) -> bool:
    """Whether it returns a dict whose keys neither its type nor its docstring tells."""
    if function.returns is None or not _UNTYPED.search(ast.unparse(function.returns)):
        return False
    said_of_returns = re.sub(r"^(Args|Raises):\n(?: .*\n?|\n)*", "", text, flags=re.MULTILINE)
    return not _SHAPE.search(said_of_returns)


def modules() -> list[Path]:
    """The product's modules."""
    return [
        path
        for part in _PRODUCT
        for path in sorted((ROOT / part).rglob("*.py"))
        if not {"tests", ".venv", "build"} & set(path.relative_to(ROOT).parts)
    ]


def test_every_public_function_has_a_docstring_and_says_what_it_raises() -> None:
    problems = [
        f"{path.relative_to(ROOT)}:{problem}"
        for path in modules()
        for problem in broken_promises(path.read_text(encoding="utf-8"))
    ]
    assert problems == []


def test_a_function_that_says_nothing_or_not_all_is_found() -> None:
    # Given functions that say nothing, not what they raise, not what they return, and all of it
    source = '''
def silent():
    return 1

class Till:
    def open(self):
        """Open the till."""
        if self.stuck:
            raise Stuck("it does not open")

    def close(self):
        """Close the till.

        Raises:
            Stuck: It does not close.
        """
        raise Stuck("it does not close")

def receipt() -> dict[str, object]:
    """Return the receipt."""

def total() -> dict[str, object]:
    """Return {amount, currency}."""
'''
    # Then all but the last of each are named with their lines
    assert broken_promises(source) == [
        "2: silent has no docstring",
        "6: open raises and does not say what",
        "19: receipt returns a dict and does not say its shape",
    ]


NAMELESS: Final = {"found", "one", "said", "told"}
"""Names that name no thing; a few are right where their word is the field's."""


def identifiers(source: str) -> Iterator[str]:
    """Yield every identifier of a module where it is written: names, arguments, attributes and functions."""
    for node in ast.walk(ast.parse(source)):
        for field in ("id", "arg", "attr", "name"):
            if isinstance(value := getattr(node, field, None), str):
                yield value


def test_names_name_things() -> None:
    # Given every identifier of the product
    sources = {path: path.read_text(encoding="utf-8") for path in modules()}
    counted = Counter(name for source in sources.values() for name in identifiers(source))
    # Then few say no more than that something was found, said or told
    assert counted["execution"] > 100
    assert sum(counted[name] for name in NAMELESS) < 60
    # And no public function does
    public = {
        function.name for text in sources.values() for function in public_functions(ast.parse(text).body)
    }
    assert public & (NAMELESS | {"of", "look", "mend"}) == set()
