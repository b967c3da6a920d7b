"""What Step Functions refuses when it is given a definition, and MiniStack would find out running it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import stepfunctions

_TYPES = {"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}
_NOT_EMULATED = ("HeartbeatSeconds", "HeartbeatSecondsPath", "TimeoutSecondsPath", "Credentials")


def install() -> None:
    """Add our checks to the one that CreateStateMachine and UpdateStateMachine make."""
    stepfunctions._validate_definition_jsonata = _also(stepfunctions._validate_definition_jsonata)


def _also(stock: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    return lambda text: problem(text) or stock(text)


def problem(text: str | None) -> str | None:
    """Return what is wrong with a definition, the way Step Functions words it, or None."""
    try:
        definition = json.loads(text or "")
    except ValueError:
        return "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION'"
    if not isinstance(definition, dict):
        return "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION'"
    first = next(_problems(definition, ""), None)
    return first and f"Invalid State Machine Definition: '{first}'"


def _problems(machine: dict[str, Any], path: str) -> Iterator[str]:
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield f"SCHEMA_VALIDATION_FAILED: These fields are required: [States] at {path or '/'}"
        return
    if machine.get("StartAt") not in states:
        missing = machine.get("StartAt")
        yield f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {missing} at {path}/StartAt"
    for name, state in states.items():
        path_of_state = f"{path}/States/{name}"
        if state.get("Type") not in _TYPES:
            kind = state.get("Type")
            yield f"SCHEMA_VALIDATION_FAILED: Type {kind} is not one of {sorted(_TYPES)} at {path_of_state}"
        for field in _NOT_EMULATED:
            if field in state:
                yield f"{field} is not emulated here at {path_of_state}"
        for target, where in _targets(state):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {path_of_state}/{where}"
        yield from _inner_problems(state, path_of_state)


def _targets(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], field
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, [])):
            yield rule.get("Next"), f"{field}[{index}]/Next"


def _inner_problems(state: dict[str, Any], path_of_state: str) -> Iterator[str]:
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield from _problems(state[field], f"{path_of_state}/{field}")
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _problems(branch, f"{path_of_state}/Branches[{index}]")
