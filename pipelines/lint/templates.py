"""Finds what AWS would refuse, before AWS does.

cfn-lint reads the templates, with its own rules and the house's; statelint and jsonata-python read the state
machines.

Each tool sees what it can judge, and only that:

* cfn-lint's rule E3601 wants a task's `Resource` to begin with `arn:aws:`, so it gets the definition with the
  partition filled in, as CloudFormation will.
* statelint and E3601 know no JSONata where a number stands (`TimeoutSeconds`), so they get a 1 there; and
  statelint wants a BackoffRate with a decimal point, which JSON does not have.
* neither parses JSONata, so every `{% … %}` is parsed with jsonata-python (`workflow_definitions.py`).

An exception from a cfn-lint rule stands in the resource's Metadata beside its reason, or is refused here:
`{"cfn-lint": {"config": {"ignore_checks": ["W1234"]}, "reasons": {"W1234": "…"}}}`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.rules._rules import Rules
from cfnlint.runner import Runner, run_template_by_data
from statelint.linter import Linter

from pipelines.definitions import configuration_file
from pipelines.lint import workflow_definitions
from pipelines.lint.findings import Finding, Level
from pipelines.lint.house_rules import conventions, protection
from pipelines.lint.house_rules.rule import for_cfn_lint
from pipelines.lint.pipeline_linter import documents
from pipelines.lint.pipeline_linter.linter import lint_document
from pipelines.lint.pipeline_linter.values import mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

TEMPLATE_RULES: Final = (
    conventions.NO_LITERAL_NAMES,
    protection.FUNCTIONS_IN_VPC,
    protection.LOG_GROUPS,
    protection.TLS_ONLY,
    protection.DELETION_POLICIES,
    conventions.RUNBOOK,
    conventions.DESCRIBED,
    conventions.ANYWHERE,
    protection.NO_WILDCARDS,
    protection.REASONS,
)
HOUSE_RULE_IDS: Final = sorted([*(rule.rule_id for rule in TEMPLATE_RULES), configuration_file.TAGS_RULE])


Json = dict[str, Any]

_STATE_MACHINE = "AWS::StepFunctions::StateMachine"
_SUBSTITUTED = {"AWS::Partition": "aws"}
# Amazon States Language fields whose value is a number, or JSONata that gives one.
_FILLED_IN = re.compile(r"\$\{[^}]*\}")
_NUMBERS = {"TimeoutSeconds", "HeartbeatSeconds", "Seconds", "MaxConcurrency"}


# cfn-lint's ids begin with these letters.
_LEVELS = {"E": Level.ERROR, "W": Level.WARNING, "I": Level.ADVICE}


def lint(templates: Mapping[str, Json], regions: tuple[str, ...] = ("eu-central-1",)) -> list[Finding]:
    """Return everything that is wrong with the templates, sorted; nothing when all is well.

    Args:
        templates: a label for findings, as `prod/payments`, to the template as plain JSON.
        regions: where they will be deployed; a resource type missing there is a finding.
    """
    findings = []
    for label, template in templates.items():
        findings += _cloudformation(label, template, regions)
        findings += _unexplained(label, template)
        for name, machine in _state_machines(template):
            findings += lint_definition(f"{label}: {name}", machine["Definition"])
    return sorted(findings)


def lint_definition(label: str, definition: object) -> list[Finding]:
    """Return everything that is wrong with one state machine's definition."""
    return [*_statelint(label, definition), *workflow_definitions.lint(label, definition)]


def _statelint(label: str, definition: object) -> list[Finding]:
    if not isinstance(definition, dict):
        return [Finding(label, "definition", "statelint", "A state machine is a mapping")]
    try:
        problems = Linter.validate(_numbers_filled_in(definition))
    except Exception as error:  # noqa: BLE001 - it breaks on what is malformed, each time otherwise
        problems = [f"statelint cannot read it: {type(error).__name__}: {error}"]
    return [Finding(label, "definition", "statelint", problem) for problem in problems]


def _cloudformation(label: str, template: Json, regions: tuple[str, ...]) -> list[Finding]:
    readable = json.loads(json.dumps(template))
    for _, machine in _state_machines(readable):
        machine["Definition"] = _numbers_filled_in(_substitutions_filled_in(machine))
    decoded, matches = decode_str(json.dumps(readable))
    if decoded is not None and not matches:
        rules = Rules(_stock_rules().data)
        rules.extend([for_cfn_lint(rule, template) for rule in TEMPLATE_RULES])
        matches = list(run_template_by_data(decoded, ConfigMixIn(regions=list(regions)), rules))
    return [
        # cfn-lint sets the path on those matches alone that have one.
        Finding(
            label,
            getattr(match, "path_string", ""),
            match.rule.id,
            match.message,
            level=_LEVELS.get(match.rule.id[:1], Level.ERROR),
        )
        for match in matches
    ]


@cache
def _stock_rules() -> Rules:
    """Return cfn-lint's own rules; it takes most of a second to load them."""
    return Runner(ConfigMixIn()).rules


def _unexplained(label: str, template: Json) -> Iterator[Finding]:
    """Yield exceptions from cfn-lint's rules that have no reason beside them."""
    for name, part in {"template": template, **template["Resources"]}.items():
        metadata = part.get("Metadata", {}).get("cfn-lint", {})
        for rule in metadata.get("config", {}).get("ignore_checks", []):
            if not metadata.get("reasons", {}).get(rule):
                yield Finding(label, name, rule, "is ignored without a reason in Metadata")


def _state_machines(template: Json) -> list[tuple[str, Json]]:
    return [
        (name, resource["Properties"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == _STATE_MACHINE
    ]


def _substitutions_filled_in(machine: Json) -> Json:
    text = json.dumps(machine["Definition"])
    for name, value in machine.get("DefinitionSubstitutions", {}).items():
        if isinstance(value, dict) and value.get("Ref") in _SUBSTITUTED:
            text = text.replace(f"${{{name}}}", _SUBSTITUTED[value["Ref"]])
    filled_in: Json = json.loads(text)
    return filled_in


def _numbers_filled_in(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _numbers_filled_in(inside, name) for name, inside in value.items()}
    if isinstance(value, list):
        return [_numbers_filled_in(inside) for inside in value]
    if key in _NUMBERS and isinstance(value, str) and value.startswith("{%"):
        return 1
    if key == "Resource" and isinstance(value, str):  # CloudFormation fills in an ARN, or a part of one
        return _FILLED_IN.sub("name" if ":" in _FILLED_IN.sub("", value) else "arn:aws:filled:in", value)
    return float(value) if key == "BackoffRate" and isinstance(value, int) else value


def lint_files(paths: Iterable[Path]) -> list[Finding]:
    """Return everything that is wrong with the pipelines and state machines in files, sorted.

    Args:
        paths: CloudFormation templates in JSON or YAML, create-pipeline input, or state machines.

    Raises:
        Unreadable: A file is none of these.
    """
    return sorted(finding for path in paths for finding in _lint(documents.read(path), str(path)))


def _lint(document: Json, label: str) -> Iterator[Finding]:
    if "StartAt" in document and "States" in document:
        yield from _definition(label, document)
        return
    yield from lint_document(document, label)
    for name, resource in mapping(document.get("Resources")).items():
        if mapping(resource).get("Type") == _STATE_MACHINE:
            yield from _machine(f"{label}: {name}", mapping(mapping(resource).get("Properties")))


def _machine(label: str, properties: Json) -> Iterator[Finding]:
    """Yield what is wrong with a state machine's definition; one that is in another place is passed over."""
    definition = properties.get("Definition")
    if definition is None and (source := text(properties.get("DefinitionString"))):
        try:
            definition = json.loads(source)
        except ValueError:
            return  # text that CloudFormation fills in need not be JSON before
    if isinstance(definition, dict):
        yield from _definition(label, definition)


def _definition(label: str, definition: Json) -> Iterator[Finding]:
    from pipelines.lint.templates import lint_definition  # noqa: PLC0415 - 2 s that pipelines alone need not wait

    yield from lint_definition(label, definition)
