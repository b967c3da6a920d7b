"""What a configuration value must look like, where it is more than a word: JSON, an ARN, a URL, a time zone.

Source: CodePipeline user guide, action structure reference and rule structure reference.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from pipelines.lint.pipeline_linter.values import literal, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.lint.pipeline_linter.values import Json

_FILLED_IN: Final = re.compile(r"[#$]\{[^}]*\}")
_TYPES: Final = {"PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"}
_CAPABILITIES: Final = {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}
_UNKNOWN: Final = object()


def problems(provider: str, configuration: Json) -> Iterator[tuple[str, str]]:
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
        and (entry.get("type", "PLAINTEXT") in _TYPES or _FILLED_IN.search(str(entry["type"])))
        for entry in parsed
    )


def _are_capabilities(value: str) -> bool:
    return bool(_FILLED_IN.search(value)) or {word.strip() for word in value.split(",")} <= _CAPABILITIES


def _is(pattern: str) -> Callable[[str], bool]:
    """Match a whole value; one that is filled in later passes."""
    return lambda value: bool(_FILLED_IN.search(value) or re.fullmatch(pattern, value))


def _is_zone(value: str) -> bool:
    return bool(_FILLED_IN.search(value)) or value in available_timezones()


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
    "DeploymentWindow": {"TimeZone": (_is_zone, "a time zone of the IANA database")},
    "VariableCheck": {"Operator": (_is("EQ|NE|CONTAINS|MATCHES"), "EQ, NE, CONTAINS or MATCHES")},
}
"""By provider of actions and of rules, and key: whether a value can be read, and what it must be."""
