"""Small faults that can be put into a module: what a careless hand would change."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.BitOr: "&",
    ast.BitAnd: "|",
}
_UNOBSERVABLE_ARGUMENTS: Final = {"encoding", "slots"}
"""Without them nothing changes on a machine that speaks UTF-8, or but for memory."""
_DEFAULTS: Final = {"check=False"}
"""What would be so without it: linters want it said."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of a module's text.

    Attributes:
        line: Where it is, from 1.
        begins: The line in which the statement around it begins.
        start: Its first byte.
        end: The byte after its last one.
        before: The text that goes.
        after: The text that comes instead.
        operator: The kind of change.
        statement: The first line of the statement around it, without its indentation.
    """

    line: int
    begins: int
    start: int
    end: int
    before: str
    after: str
    operator: str
    statement: str

    def applied(self, source: bytes) -> bytes:
        """Return a module's text with this change in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutations(source: bytes) -> list[Mutation]:
    """Return every change that the operators can make to a module, in the order of its text."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda mutation: (mutation.start, mutation.end, mutation.after))


class _Finder(ast.NodeVisitor):
    """Collects changes; what only type checkers and readers see is passed over."""

    def __init__(self, source: bytes) -> None:
        self.found: list[Mutation] = []
        self._source = source
        lengths = (len(line) for line in source.splitlines(keepends=True))
        self._line_starts = [0, *itertools.accumulate(lengths)]
        self._statement = ""
        self._begins = 0

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr):  # Python 3.11 does not tell where its parts are
            return
        outer, began = self._statement, self._begins
        if isinstance(node, ast.stmt):
            self._begins = node.lineno
            self._statement = (
                self._text(self._line_starts[node.lineno - 1], self._end(node)).split("\n")[0].strip()
            )
        super().visit(node)
        self._statement, self._begins = outer, began

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self._negate(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._negate(condition)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._replace(node.value, "None", "return None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        self._replace(node, "pass", "drop statement")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._replace(node, "pass", "drop statement")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets):
            self._replace(node, "pass", "drop statement")
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, "pass", "drop statement")
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "pass", "drop statement")

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "pass", "drop statement")

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for (left, right), operator in zip(itertools.pairwise(operands), node.ops, strict=True):
            self._between(left, right, _COMPARISONS[type(operator)], "swap comparison")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in _ARITHMETIC:
            self._between(node.left, node.right, _ARITHMETIC[type(node.op)], "swap arithmetic")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in itertools.pairwise(node.values):
            self._between(left, right, other, "swap boolean operator")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace(node, f"bool({self._of(node.operand)})", "drop not")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value), "flip boolean")
        elif isinstance(node.value, (int, float)):
            self._replace(node, repr(node.value + 1), "add one")
            self._replace(node, f"({node.value - 1!r})", "take one")

    def visit_Call(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            said = ast.unparse(keyword)
            if keyword.arg not in _UNOBSERVABLE_ARGUMENTS and said not in _DEFAULTS:
                self._drop_argument(keyword)
        if len(node.args) > 1:
            self._drop_argument(node.args[-1])
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        if not isinstance(test, ast.UnaryOp):
            self._replace(test, f"(not ({self._of(test)}))", "negate condition")

    def _drop_argument(self, node: ast.expr | ast.keyword) -> None:
        """Drop an argument with the comma after it."""
        end = self._end(node)
        comma = self._source.find(b",", end)
        following = self._source[end:comma] if comma >= 0 else b"-"
        self._add(
            node.lineno, self._start(node), end if following.strip() else comma + 1, "", "drop argument"
        )

    def _between(self, left: ast.expr, right: ast.expr, after: str, operator: str) -> None:
        """Change the operator between two operands, and keep brackets and line ends about it."""
        start, end = self._end(left), self._start(right)
        gap = self._text(start, end)
        symbol = gap.strip(" \n()")
        if "#" not in gap and symbol:
            at = start + len(gap[: gap.index(symbol)].encode())
            self._add(right.lineno, at, at + len(symbol.encode()), after, operator)

    def _replace(self, node: ast.expr | ast.stmt, after: str, operator: str) -> None:
        self._add(node.lineno, self._start(node), self._end(node), after, operator)

    def _add(self, line: int, start: int, end: int, after: str, operator: str) -> None:
        before = self._text(start, end)
        self.found.append(Mutation(line, self._begins, start, end, before, after, operator, self._statement))

    def _of(self, node: ast.expr) -> str:
        return self._text(self._start(node), self._end(node))

    def _text(self, start: int, end: int) -> str:
        return self._source[start:end].decode()

    def _start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._line_starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        assert node.end_lineno
        assert node.end_col_offset is not None
        return self._line_starts[node.end_lineno - 1] + node.end_col_offset
