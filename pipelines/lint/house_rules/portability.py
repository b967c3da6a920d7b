"""E9001 and E9009: a template runs beside itself, and in any account, region and partition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule, resources, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json


_SCOPED: Final = {
    # Names inside a parent resource, which has none of its own: nothing clashes.
    ("AWS::ApiGateway::Stage", "StageName"),
    ("AWS::IAM::Policy", "PolicyName"),
    ("AWS::Lambda::Alias", "Name"),
    ("AWS::StepFunctions::StateMachineAlias", "Name"),
    # Shown to people; identifies nothing.
    ("AWS::SNS::Topic", "DisplayName"),
    # AWS's own names, not ours, or those of something else.
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::CloudWatch::AnomalyDetector", "MetricName"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
}


def _literal_names(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template):
        for key, value in resource.get("Properties", {}).items():
            named = key == "Name" or key.endswith("Name")
            if named and (resource.get("Type"), key) not in _SCOPED and _literal(value):
                message = f"{value!r} is the same in every stack; leave the name to CloudFormation"
                yield Fault(("Resources", name, "Properties", key), message)


def _literal(value: Any) -> bool:
    """Return whether nothing in the value differs from stack to stack."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        text = value["Fn::Sub"][0] if isinstance(value["Fn::Sub"], list) else value["Fn::Sub"]
        return "${" not in str(text)
    return isinstance(value, str)


NO_LITERAL_NAMES: Final = HouseRule(
    "E9001",
    "Nothing has a literal physical name",
    "Two stacks with one name in an account cannot both exist, and a named resource cannot be replaced.",
    _literal_names,
)


_PLACES: Final = {
    "partition": re.compile(r"\barn:aws[a-z-]*:"),
    "region": re.compile(r"\b(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov|-isob?)?-[a-z]+-\d\b"),
    "account": re.compile(r"(?<![\w.-])\d{12}(?![\w.-])"),
}
_PSEUDO: Final = {"partition": "Partition", "region": "Region", "account": "AccountId"}


def _hard_coded(template: Json) -> Iterator[Fault]:
    for name, resource in template.get("Resources", {}).items():
        for path, text in strings(resource.get("Properties", {}), ("Resources", name, "Properties")):
            for what, pattern in _PLACES.items():
                if match := pattern.search(text):
                    message = f"{match[0]!r} is a literal {what}; use the pseudo parameter AWS::"
                    yield Fault(path, message + _PSEUDO[what])


ANYWHERE: Final = HouseRule(
    "E9009",
    "No account, region or partition is written down",
    "A template that names one works there alone, and fails elsewhere after it was reviewed.",
    _hard_coded,
)
