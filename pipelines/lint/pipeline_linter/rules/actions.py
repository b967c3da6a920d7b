"""P501 to P509: unknown providers, and configuration keys that are unknown, missing or have a wrong value.

Source: CodePipeline user guide, action structure reference and rule structure reference; see `providers.py`.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter import providers
from pipelines.lint.pipeline_linter.values import literal, mapping, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline
    from pipelines.lint.pipeline_linter.values import Json


_BUCKET: Final = ("Deploy", "AWS", "S3")
RULES: Final = {
    "P501": Rule(
        "an action provider that does not exist in its category",
        "Choose one that does; the finding lists them",
    ),
    "P502": Rule(
        "a configuration key that the action does not know", "Correct it; the finding names the nearest"
    ),
    "P503": Rule(
        "a configuration key that the action needs and lacks, as StackName or ProjectName", "Add it"
    ),
    "P504": Rule(
        "a configuration value that does not exist, as of ActionMode",
        "Choose one that does; the finding lists them",
    ),
    "P505": Rule("a version of an action that does not exist", "Say `Version: '1'`"),
    "P506": Rule("a rule provider that does not exist", "Choose one that does; the finding lists them"),
    "P507": Rule(
        "a configuration key that the rule does not know", "Correct it; the finding names the nearest"
    ),
    "P508": Rule("a configuration key that the rule needs and lacks", "Add it"),
    "P509": Rule(
        "a configuration value that its action or rule cannot read: no JSON, no ARN, no URL",
        "Write what the finding says",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is wrong with the configuration of actions and of condition rules."""
    for action in pipeline.actions:
        kind = providers.ACTIONS.get(action.kind)
        if kind is None:
            yield from _unknown(pipeline, action)
            continue
        if pipeline.unreadable(action):
            continue
        version = literal((action.raw.get("ActionTypeId") or {}).get("Version"))
        if version is not None and version != "1":
            problem = f"{action.kind[2]} has no version {version}"
            yield pipeline.finding("P505", action.place, problem, "Say Version: '1'")
        wrong = _keys(kind.required, kind.optional, action.configuration)
        for unknown, problem, fix in wrong:
            yield pipeline.finding("P502" if unknown else "P503", action.place, problem, fix)
        yield from _values(pipeline, action)
    for condition in pipeline.conditions:
        for place, provider, rule in condition.rules():
            yield from _rule(pipeline, place, provider, rule)


def _unknown(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    category, owner, provider = action.kind
    if owner == "Custom" or not all(action.kind):
        return
    known = sorted({kind[2] for kind in providers.ACTIONS if kind[0] == category})
    fix = f"Providers of {category}: {', '.join(known)}" if known else "Choose a category that exists"
    # Others than AWS come and go, and no page lists them all; AWS's own have no other owner.
    theirs = owner == "ThirdParty" and (category, "AWS", provider) not in providers.ACTIONS
    level = Level.WARNING if theirs and known else Level.ERROR
    yield pipeline.finding("P501", action.place, f"no provider {category} {owner} {provider}", fix, level)


def _keys(
    required: frozenset[str], optional: frozenset[str] | None, configuration: Json
) -> Iterator[tuple[bool, str, str]]:
    """Yield whether a key is unknown (or else missing), the problem and the fix."""
    keys = {key for key in configuration if not key.startswith("Fn::")}
    for key in sorted(required - keys if keys == set(configuration) else ()):
        yield False, f"{key} is missing", f"Add {key} to the configuration"
    if optional is not None:
        for key in sorted(keys - required - optional):
            yield True, f"{key} is no key of it", _nearest(key, required | optional)


def _nearest(key: str, known: Iterable[str]) -> str:
    near = get_close_matches(key, list(known), n=1)
    return f"Did you mean {near[0]}" if near else f"It knows {', '.join(sorted(known)) or 'none'}"


def _values(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    for key, words in providers.VALUES.get(action.kind[2], {}).items():
        value = literal(action.configuration.get(key))
        if value is not None and value not in words:
            fix = f"Choose from {', '.join(sorted(words))}"
            yield pipeline.finding("P504", action.place, f"{key} {value} does not exist", fix)
    yield from _forms(pipeline, action.place, action.kind[2], action.configuration)
    keyless = action.kind == _BUCKET and "ObjectKey" not in action.configuration
    if keyless and literal(action.configuration.get("Extract")) == "false":
        problem = "ObjectKey is missing, and Extract is false"
        yield pipeline.finding("P503", action.place, problem, "Add ObjectKey to the configuration")
    mode = literal(action.configuration.get("ActionMode"))
    for key in sorted(providers.MODES.get(mode or "", frozenset()) - set(action.configuration)):
        fix = f"Add {key} to the configuration"
        yield pipeline.finding("P503", action.place, f"{key} is missing, and {mode} needs it", fix)
    if action.kind[2] == "Commands" and not action.raw.get("Commands"):
        yield pipeline.finding("P503", action.place, "no Commands", "Say what to run")


def _forms(pipeline: Pipeline, place: str, provider: str, configuration: Json) -> Iterator[Finding]:
    for key, must_be in _value_problems(provider, configuration):
        yield pipeline.finding("P509", place, f"{key} is not {must_be}", f"Write {must_be}")


def _rule(pipeline: Pipeline, place: str, provider: str, rule: Json) -> Iterator[Finding]:
    kind = providers.RULES.get(provider)
    if not provider:
        return
    category = literal(mapping(rule.get("RuleTypeId")).get("Category"))
    if category not in {None, "Rule"}:
        yield pipeline.finding("P506", place, f"no rule of category {category}", "Say Category: Rule")
    owner = literal(mapping(rule.get("RuleTypeId")).get("Owner"))
    if owner not in {None, "AWS"}:
        yield pipeline.finding("P506", place, f"no rule of owner {owner}", "Say Owner: AWS")
    if kind is None:
        fix = f"Choose from {', '.join(sorted(providers.RULES))}"
        yield pipeline.finding("P506", place, f"no rule provider {provider}", fix)
        return
    yield from _forms(pipeline, place, provider, mapping(rule.get("Configuration")))
    wrong = _keys(kind.required, kind.optional, rule.get("Configuration") or {})
    for unknown, problem, fix in wrong:
        yield pipeline.finding("P507" if unknown else "P508", place, problem, fix)


_FILLED_IN: Final = re.compile(r"[#$]\{[^}]*\}")
_VARIABLE_TYPES: Final = {"PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"}
_CAPABILITIES: Final = {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}
_UNKNOWN: Final = object()


def _value_problems(provider: str, configuration: Json) -> Iterator[tuple[str, str]]:
    """Yield each key whose value its action or rule cannot read, and what it must be."""
    for key, (readable, must_be) in _FORMS.get(provider, {}).items():
        value = text(configuration.get(key))
        if value is not None and not readable(value):
            yield key, must_be
    if provider == "StepFunctions" and literal(configuration.get("InputType") or "Literal") == "Literal":
        value = text(configuration.get("Input"))
        if value is not None and _parsed(value) is None:
            yield "Input", "JSON, unless InputType is FilePath"


def _parsed(value: str) -> object:
    """Return JSON as a value, None where it is none, and something unknown where that cannot be said."""
    try:
        read: object = json.loads(value)
    except ValueError:
        return _UNKNOWN if _FILLED_IN.search(value) else None
    return _UNKNOWN if read is None else read


def _is_object(value: str) -> bool:
    parsed = _parsed(value)
    return parsed is _UNKNOWN or isinstance(parsed, dict)


def _is_environment(value: str) -> bool:
    parsed = _parsed(value)
    if parsed is _UNKNOWN:
        return True
    return isinstance(parsed, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and "value" in entry
        and (entry.get("type", "PLAINTEXT") in _VARIABLE_TYPES or _FILLED_IN.search(str(entry["type"])))
        for entry in parsed
    )


def _are_capabilities(value: str) -> bool:
    return bool(_FILLED_IN.search(value)) or {word.strip() for word in value.split(",")} <= _CAPABILITIES


def _is(pattern: str) -> Callable[[str], bool]:
    """Match a whole value; one that is filled in later passes."""
    return lambda value: bool(_FILLED_IN.search(value) or re.fullmatch(pattern, value))


def _is_zone(value: str) -> bool:
    return bool(_FILLED_IN.search(value)) or value in available_timezones()


def _are_minutes(value: str) -> bool:
    return bool(_FILLED_IN.search(value)) or (value.isdecimal() and int(value) <= _LONGEST_WAIT_MINUTES)


def _are_states(value: str) -> bool:
    return bool(_FILLED_IN.search(value)) or {word.strip() for word in value.split(",")} <= _ALARM_STATES


_LONGEST_WAIT_MINUTES: Final = 1440
_ALARM_STATES: Final = {"ALARM", "INSUFFICIENT_DATA", "OK"}
_ENVIRONMENT: Final = (
    _is_environment,
    "a JSON list of objects with name, value and a type that exists",
)
_CONNECTION: Final = r"arn:aws[\w-]*:(codestar-connections|codeconnections):[^:]*:[^:]*:connection/.+"
_FORMS: Final[dict[str, dict[str, tuple[Callable[[str], bool], str]]]] = {
    "CodeBuild": {"EnvironmentVariables": _ENVIRONMENT},
    "CloudFormation": {
        "ParameterOverrides": (_is_object, "a JSON object"),
        "Capabilities": (_are_capabilities, f"of {', '.join(sorted(_CAPABILITIES))}"),
    },
    "CodeStarSourceConnection": {
        "ConnectionArn": (_is(_CONNECTION), "the ARN of a connection"),
        "FullRepositoryId": (_is(r"[^/]+(/[^/]+)+"), "owner/repository"),
    },
    "Manual": {
        "NotificationArn": (_is(r"arn:aws[\w-]*:sns:.+"), "the ARN of an SNS topic"),
        "ExternalEntityLink": (_is(r"https?://\S+"), "a URL"),
    },
    "CloudWatchAlarm": {
        "AlarmStates": (_are_states, f"of {', '.join(sorted(_ALARM_STATES))}"),
        "WaitTime": (_are_minutes, f"whole minutes, at most {_LONGEST_WAIT_MINUTES}"),
    },
    "DeploymentWindow": {"TimeZone": (_is_zone, "a time zone of the IANA database")},
    "VariableCheck": {"Operator": (_is("EQ|NE|CONTAINS|MATCHES"), "EQ, NE, CONTAINS or MATCHES")},
}
"""By provider of actions and of rules, and key: whether a value can be read, and what it must be."""
