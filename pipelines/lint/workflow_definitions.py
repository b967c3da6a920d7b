"""S101 to S113: state machines that Step Functions refuses, or that fail when they run.

Source: Step Functions developer guide, "Transforming data with JSONata", "Passing data between states with
variables", "Handling errors" and "Integrating services"; Amazon States Language specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jsonata.jexception import JException

from pipelines.lint import jsonata, state_fields
from pipelines.lint.findings import Finding, Level, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

RULES: Final = {
    "S101": Rule("a condition that is not boolean", "Compare, or use `$boolean` or `$exists`"),
    "S102": Rule("`$$`, which Step Functions refuses", "Read `$states.input`"),
    "S103": Rule(
        "`$states.result` or `$states.errorOutput` where there is none, or what `$states` does not have",
        "Read a result in Output and Assign, an error in those of a catcher",
    ),
    "S104": Rule(
        "a function that does not exist, or `$eval`", "Choose one of JSONata's or Step Functions' own"
    ),
    "S105": Rule("a variable that no state assigns", "Assign it in a state before", Level.WARNING),
    "S106": Rule(
        "a variable whose name is reserved or illegal",
        "Begin with a letter; then letters, digits and underscores, 80 in all; not `states`",
    ),
    "S107": Rule("a retrier or catcher that can never do what it says", "Correct it, or leave it out"),
    "S108": Rule("an expression of the wrong type, as text for TimeoutSeconds", "Convert it"),
    "S109": Rule(
        "text that looks like an expression and is none, or a JSONPath in a JSONata state",
        "Wrap the whole text in `{%` and `%}`",
        Level.WARNING,
    ),
    "S110": Rule(
        "a task whose resource does not exist", "Correct it; the finding says which part is unknown"
    ),
    "S111": Rule("a heartbeat that is no shorter than the time-out", "Choose a shorter heartbeat"),
    "S112": Rule("a Choice without a Default", "Say what happens when no rule matches", Level.ADVICE),
    "S113": Rule(
        "a state that Step Functions' schema refuses: its name, its language, its processor", "Correct it"
    ),
}
_NUMBERS: Final = {"TimeoutSeconds", "HeartbeatSeconds", "Seconds", "MaxConcurrency"}
_RESULTS: Final = {"Task", "Parallel", "Map"}
_ALWAYS: Final = frozenset({"input", "context"})
_LONGEST_NAME: Final = 80
_PATH: Final = re.compile(r"\$\$?\.|States\.\w+\(")
_INSIDE: Final = {"Branches", "ItemProcessor", "Iterator"}
_NO_EXPRESSIONS: Final = {
    "Retry",
    "Comment",
    "Type",
    "Next",
    "Default",
    "Resource",
    "StartAt",
    "QueryLanguage",
}


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where an expression stands.

    Attributes:
        label: What the findings are of.
        place: The path to it.
        variables: Names that a state here or around it assigns.
        of_states: What `$states` has there.
    """

    label: str
    place: str
    variables: frozenset[str] = frozenset()
    of_states: frozenset[str] = field(default=_ALWAYS)

    def at(self, key: object, *more: str) -> _Scope:
        """Return the scope of what stands under a key, where `$states` has more."""
        return _Scope(self.label, f"{self.place}/{key}", self.variables, self.of_states | set(more))

    def finding(self, rule: str, problem: str, fix: str = "") -> Finding:
        """Return a finding here."""
        return Finding(self.label, self.place, rule, problem, fix or RULES[rule].fix, RULES[rule].level)


def lint(label: str, definition: object) -> Iterator[Finding]:
    """Yield what is wrong with a definition beyond its fields, which statelint reads.

    Args:
        label: What the findings are of.
        definition: Amazon States Language as plain JSON.
    """
    yield from _machine(definition, _Scope(label, "definition"), "JSONPath")


def _machine(machine: object, scope: _Scope, outer_language: str) -> Iterator[Finding]:
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict):
        return
    language = str(machine.get("QueryLanguage", outer_language))
    states = {name: state for name, state in machine["States"].items() if isinstance(state, dict)}
    assigned = frozenset(name for state in states.values() for name in _assigned(state))
    inner = _Scope(scope.label, f"{scope.place}/States", scope.variables | assigned)
    for name, state in states.items():
        for problem in state_fields.shape_problems(str(name), state, language):
            yield inner.at(name).finding("S113", problem)
        yield from _state(state, inner.at(name), str(state.get("QueryLanguage", language)), language)


def _state(state: Json, scope: _Scope, language: str, inherited: str) -> Iterator[Finding]:
    for name in _assigned(state):
        if not _legal(name):
            yield scope.at("Assign").finding("S106", f"{name!r} is no name of a variable")
    yield from _numbers(state, scope)
    for kind, problem in state_fields.retry_problems(state):
        yield scope.at(kind).finding("S107", problem)
    if state.get("Type") == "Task":
        for problem in state_fields.resource_problems(state.get("Resource")):
            yield scope.at("Resource").finding("S110", problem)
    if state.get("Type") == "Choice" and "Default" not in state:
        yield scope.finding("S112", "when no rule matches, the execution fails with States.NoChoiceMatched")
    if language == "JSONata":
        yield from _fields(state, scope)
    for key in _INSIDE & set(state):
        machines = enumerate(state[key]) if isinstance(state[key], list) else [("", state[key])]
        for number, inside in machines:
            yield from _machine(inside, scope.at(f"{key}/{number}".rstrip("/")), inherited)


def _assigned(state: Json) -> Iterator[str]:
    holders = [state, *_dicts(state.get("Catch")), *_dicts(state.get("Choices"))]
    for holder in holders:
        if isinstance(holder.get("Assign"), dict):
            yield from (name.removesuffix(".$") for name in holder["Assign"])


def _legal(name: str) -> bool:
    return name.isidentifier() and name[0] != "_" and len(name) <= _LONGEST_NAME and name != "states"


def _numbers(state: Json, scope: _Scope) -> Iterator[Finding]:
    heartbeat, limit = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if isinstance(heartbeat, int) and isinstance(limit, int) and heartbeat >= limit:
        yield scope.finding("S111", f"HeartbeatSeconds {heartbeat} is not below TimeoutSeconds {limit}")


def _fields(state: Json, scope: _Scope) -> Iterator[Finding]:
    """Yield what is wrong with the expressions of a JSONata state."""
    result = ["result"] if str(state.get("Type")) in _RESULTS else []
    for key, value in state.items():
        if key in _NO_EXPRESSIONS or key in _INSIDE:
            continue
        if key == "Catch":
            for number, catcher in enumerate(_dicts(value)):
                yield from _values(catcher, scope.at(f"Catch/{number}", "errorOutput"))
        elif key == "Choices":
            for number, choice in enumerate(_dicts(value)):
                yield from _choice(choice, scope.at(f"Choices/{number}"))
        else:
            more = result if key in {"Output", "Assign"} else []
            wanted = "number" if key in _NUMBERS else "array" if key == "Items" else ""
            yield from _values(value, scope.at(key, *more), wanted)


def _choice(choice: Json, scope: _Scope) -> Iterator[Finding]:
    for key, value in choice.items():
        if key == "Condition":
            if not (isinstance(value, bool) or _expression(value) is not None):
                yield scope.at(key).finding("S101", f"the condition {value!r} is no expression")
            yield from _values(value, scope.at(key), "boolean")
        elif key not in _NO_EXPRESSIONS:
            yield from _values(value, scope.at(key))


def _values(value: Any, scope: _Scope, wanted: str = "") -> Iterator[Finding]:
    if isinstance(value, dict):
        for key, inside in value.items():
            if key.endswith(".$"):
                yield scope.at(key).finding("S109", f"{key} is an ordinary key in a JSONata state")
            yield from _values(inside, scope.at(key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from _values(inside, scope.at(number))
    elif isinstance(value, str):
        yield from _text(value, scope, wanted)


def _text(value: str, scope: _Scope, wanted: str) -> Iterator[Finding]:
    expression = _expression(value)
    if expression is None:
        half = value.strip().startswith("{%") or value.strip().endswith("%}")
        if half or _PATH.match(value):
            yield scope.finding("S109", f"{value!r:.60} is plain text")
        return
    try:
        used = jsonata.usage(expression)
    except JException as error:
        yield Finding(scope.label, scope.place, "jsonata", f"{error}: {expression.strip()}")
        return
    yield from _judged(used, scope, wanted)


def _judged(used: jsonata.Usage, scope: _Scope, wanted: str) -> Iterator[Finding]:
    if used.root:
        yield scope.finding("S102", "`$$` is refused")
    for name in sorted(used.states - scope.of_states):
        yield scope.finding(
            "S103", f"there is no $states.{name} here, only {', '.join(sorted(scope.of_states))}"
        )
    for name in sorted(used.functions - jsonata.FUNCTIONS):
        yield scope.finding("S104", f"there is no function ${name}")
    for name in sorted(used.variables - scope.variables):
        yield scope.finding("S105", f"no state assigns ${name}")
    if wanted and used.kind and used.kind != wanted:
        rule = "S101" if wanted == "boolean" else "S108"
        yield scope.finding(rule, f"it gives {used.kind}, and {wanted} is asked for")


def _expression(value: object) -> str | None:
    """Return the expression in a text; AWS takes it as one if it is wrapped whole."""
    wrapped = isinstance(value, str) and value.startswith("{%") and value.endswith("%}")
    return str(value)[2:-2] if wrapped else None


def _dicts(value: object) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
