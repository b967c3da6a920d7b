"""VariableCheck: https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html."""

import re
from collections.abc import Callable

from embedded_aws.codesuite.codepipeline.rules.rule import Rule, RuleFailed

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "EQ": lambda value, wanted: value == wanted,
    "NE": lambda value, wanted: value != wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "MATCHES": lambda value, wanted: re.fullmatch(wanted, value) is not None,
}


def check(rule: Rule) -> None:
    """Compare a variable's value."""
    value, wanted, operator = (rule.configuration[name] for name in ("Variable", "Value", "Operator"))
    if operator not in _OPERATORS:
        raise RuleFailed(f"Operator {operator} is not one of {', '.join(_OPERATORS)}")
    if not _OPERATORS[operator](value, wanted):
        raise RuleFailed(f"Variable value '{value}' does not satisfy {operator} '{wanted}'")
