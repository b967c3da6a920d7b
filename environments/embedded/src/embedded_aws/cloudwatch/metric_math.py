"""The little of CloudWatch's metric math that is emulated: arithmetic, comparisons, FILL and IF.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
from collections.abc import Callable, Mapping

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARGUMENTS = {"FILL": 2, "IF": 3}


def check(expression: str) -> None:
    """Refuse what is not emulated.

    Raises:
        ValueError: the expression cannot be read, or uses something else.
    """
    _value(_parsed(expression), {})


def value(expression: str, metrics: Mapping[str, float | None]) -> float | None:
    """Compute the expression for one period; None is a missing datapoint, and so is a division by zero."""
    return _value(_parsed(expression), metrics)


def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise ValueError(f"metric math {expression!r} is not emulated here") from None


def _value(node: ast.expr, metrics: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return metrics.get(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _both(_OPERATORS[type(op)], left, right, metrics)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _both(_OPERATORS[type(op)], left, right, metrics)
        case ast.Call(func=ast.Name(id=name), args=arguments) if len(arguments) == _ARGUMENTS.get(name):
            first, *others = (_value(argument, metrics) for argument in arguments)
            if name == "FILL":
                return others[0] if first is None else first
            return None if first is None else others[0] if first else others[1]
    raise ValueError(f"metric math {ast.unparse(node)!r} is not emulated here")


def _both(
    function: Callable[[float, float], float],
    left: ast.expr,
    right: ast.expr,
    metrics: Mapping[str, float | None],
) -> float | None:
    a, b = _value(left, metrics), _value(right, metrics)
    try:
        return None if a is None or b is None else float(function(a, b))
    except ZeroDivisionError:
        return None
