"""E9001, E9006 to E9009: runbooks, descriptions, whose a stack is; and that a template runs anywhere.

CloudFormation puts a stack's tags on everything in it, so E9007 asks them of the stack's settings
(CodePipeline's template configuration file), not of a template.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import ROOT
from pipelines.definitions import configuration_file
from pipelines.lint.findings import Finding
from pipelines.lint.house_rules.rule import Fault, HouseRule, properties, resources, strings
from templates.capabilities.alarms import RUNBOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.lint.house_rules.rule import Json


_RUNBOOK: Final = re.compile(r"operations/runbooks/([a-z0-9-]+)\.(?:md|html)")


def _without_runbook(template: Json) -> Iterator[Fault]:
    for name, alarm in properties(template, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        path = ("Resources", name, "Properties")
        runbooks = _RUNBOOK.findall(json.dumps(alarm.get("AlarmDescription", "")))
        if not runbooks:
            yield Fault(path, f"its AlarmDescription names no runbook in {RUNBOOKS}/")
        for runbook in (f"{RUNBOOKS}/{name}.md" for name in runbooks):
            if not (ROOT / runbook).is_file():
                yield Fault((*path, "AlarmDescription"), f"there is no runbook {runbook}")


RUNBOOK: Final = HouseRule(
    "E9006",
    "Every alarm names a runbook that exists",
    "An alarm at night without a runbook is answered by guessing.",
    _without_runbook,
)


def _undescribed(template: Json) -> Iterator[Fault]:
    if not template.get("Description"):
        yield Fault((), "the template has no Description")
    for kind in ("Parameters", "Outputs"):
        for name, part in template.get(kind, {}).items():
            if not part.get("Description"):
                yield Fault((kind, name), f"{kind.lower().rstrip('s')} without a Description")


DESCRIBED: Final = HouseRule(
    "E9008",
    "Templates, parameters and outputs are described",
    "The console, the reference and an approver show nothing else of them.",
    _undescribed,
)


TAGS_TITLE: Final = "A stack says whose it is and when it may go"
_CONFIGURATION_PARTS: Final = {"Parameters", "StackPolicy", "Tags"}


def is_template_configuration(path: Path) -> bool:
    """Return whether a file is a template configuration file: JSON with parameters and tags, nothing else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever reads it as something else says what is wrong with it
    return isinstance(document, dict) and bool(document) and set(document) <= _CONFIGURATION_PARTS


def tag_findings(path: Path) -> list[Finding]:
    """Return the faults of the tags in a template configuration file."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    return [
        Finding(
            str(path),
            "Tags",
            configuration_file.TAGS_RULE,
            fault,
            "Write it with `payments` as the pipelines do",
        )
        for fault in configuration_file.tag_faults(settings)
    ]


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
