"""What Step Functions refuses when it is given a definition, and MiniStack would find out running it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from embedded_aws.core import ministack_names as private
from embedded_aws.stepfunctions import choices, integrations, paths

_TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
_INNER = ("ItemProcessor", "Iterator", "Branches")
_NOT_EMULATED = ("Credentials",)
_LITERAL = ("Result", "Comment")
_LABEL = re.compile(r"[^\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]{1,40}")
_RULES = ("Choices", "And", "Or")
_MOMENTS = ("Timestamp", *(f"Timestamp{name}" for name in choices.COMPARISONS))
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def install() -> None:
    """Take the place of the check that CreateStateMachine and UpdateStateMachine make."""
    private.stepfunctions.validate_definition_jsonata = problem


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


def _problems(machine: dict[str, Any], path: str, language: str = "JSONPath") -> Iterator[str]:
    missing = [name for name in ("States", "StartAt") if not machine.get(name)]
    if missing:
        yield f"SCHEMA_VALIDATION_FAILED: These fields are required: [{', '.join(missing)}] at {path or '/'}"
        return
    states = machine["States"]
    language = machine.get("QueryLanguage", language)
    if machine["StartAt"] not in states:
        start = machine["StartAt"]
        yield f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {start} at {path}/StartAt"
    for name, state in states.items():
        place = f"{path}/States/{name}"
        yield from _state_problems(state, place, language)
        for target, where in _targets(state):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {place}/{where}"
        yield from _inner_problems(state, place, language)


def _state_problems(state: dict[str, Any], place: str, language: str) -> Iterator[str]:
    if state.get("Type") not in _TYPES:
        kinds = ", ".join(_TYPES)
        values = f"The field 'Type' should have one of these values: [{kinds}]"
        yield f"SCHEMA_VALIDATION_FAILED: {values} at {place}/Type"
    own = state.get("QueryLanguage", language)
    if (language, own) == ("JSONata", "JSONPath"):
        yield (
            "SCHEMA_VALIDATION_FAILED: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole "
            f"state machine at {place}"
        )
    heartbeats = ("HeartbeatSeconds", "HeartbeatSecondsPath") if _calls_back(state) else ()
    for field in (*_NOT_EMULATED, *heartbeats):
        if field in state:
            yield f"{field} is not emulated here at {place}"
    if state.get("Type") == "Task" and not integrations.supported(str(state.get("Resource", ""))):
        yield f"The resource '{state.get('Resource')}' is not emulated here at {place}/Resource"
    if state.get("Type") == "Parallel" and not state.get("Branches"):
        yield f"SCHEMA_VALIDATION_FAILED: Value cannot be empty at {place}/Branches"
    yield from _label_problems(state, place)
    yield from _timestamp_problems(state, place, own)
    if own == "JSONata":
        yield from _expression_problems(state, place)
    else:
        yield from _path_problems(state, place)


def _label_problems(state: dict[str, Any], place: str) -> Iterator[str]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html, Label."""
    if "Label" in state and not _LABEL.fullmatch(str(state["Label"])):
        yield (
            "SCHEMA_VALIDATION_FAILED: A Label has 1 to 40 characters, and no whitespace, wildcard, bracket, "
            f"special or control character at {place}/Label"
        )


def _path_problems(value: Any, place: str) -> Iterator[str]:
    """Paths that cannot be followed here: refused in the definition, not when they are used."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        where = f"{place}/{name}" if isinstance(value, dict) else f"{place}[{name}]"
        if name in _INNER or name in _LITERAL:
            continue
        named = str(name).endswith((".$", "Path")) or name == "Variable"
        if named and isinstance(member, str) and member.startswith("$") and not paths.is_emulated(member):
            yield f"The JSONPath '{member}' is not emulated here at {where}"
        yield from _path_problems(member, where)


def _timestamp_problems(value: Any, place: str, language: str) -> Iterator[str]:
    """What a Wait or a Choice rule compares with has to be a moment (recorded of Wait states)."""
    for field, stamp in value.items():
        if field in _MOMENTS and isinstance(stamp, str):
            computed = language == "JSONata" and stamp.startswith("{%")
            if not computed and not (_RFC3339.fullmatch(stamp) and choices.moment(stamp)):
                yield f"SCHEMA_VALIDATION_FAILED: String does not match RFC3339 timestamp at {place}/{field}"
        for number, rule in enumerate(stamp if field in _RULES and isinstance(stamp, list) else []):
            yield from _timestamp_problems(rule, f"{place}/{field}[{number}]", language)
        if field == "Not" and isinstance(stamp, dict):
            yield from _timestamp_problems(stamp, f"{place}/Not", language)


def _expression_problems(state: dict[str, Any], place: str) -> Iterator[str]:
    """What JSONata cannot refer to: the context by `$$`, and an error outside of a catcher."""
    for where, expression, caught in _expressions(state, place, caught=False):
        if "$$" in expression:
            yield f"INVALID_JSONATA_EXPRESSION: '$$' is not allowed; use '$states.context' at {where}"
        try:
            Jsonata.jsonata(expression.strip())
        except JException as error:
            yield f"INVALID_JSONATA_EXPRESSION: {error} at {where}"
        if "$states.errorOutput" in expression and not caught:
            yield f"INVALID_JSONATA_EXPRESSION: '$states.errorOutput' is only available in a Catch at {where}"


def _expressions(value: Any, place: str, *, caught: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield each expression of a state, where it is, and whether it is a catcher's."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        yield place, value[2:-2], caught
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in _INNER:
                yield from _expressions(member, f"{place}/{name}", caught=caught or name == "Catch")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _expressions(member, f"{place}[{number}]", caught=caught)


def _calls_back(state: dict[str, Any]) -> bool:
    """Tell whether somebody else reports a task's end: there alone a heartbeat counts."""
    resource = str(state.get("Resource", ""))
    return ".waitForTaskToken" in resource or ":activity:" in resource


def _targets(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], field
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, [])):
            yield rule.get("Next"), f"{field}[{index}]/Next"


def _inner_problems(state: dict[str, Any], place: str, language: str) -> Iterator[str]:
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield from _problems(state[field], f"{place}/{field}", language)
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _problems(branch, f"{place}/Branches[{index}]", language)
