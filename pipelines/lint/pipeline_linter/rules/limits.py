"""P601 to P610: numbers and lengths that AWS refuses.

Source: CodePipeline user guide, "Quotas"; API reference, the data types' constraints.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Rule
from pipelines.lint.pipeline_linter.values import listed, literal, mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline
    from pipelines.lint.pipeline_linter.values import Json

_VALUE: Final = 1000
_VARIABLES: Final = 50
_OUTPUT_VARIABLES: Final = 15
_COMMANDS: Final = 50
_ENVIRONMENT: Final = 10
_RULES: Final = 5
_TIMEOUT: Final = range(5, 86401)
_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")

RULES: Final = {
    "P601": Rule("CustomData of more than 1000 characters", "Link to the rest"),
    "P602": Rule(
        "another configuration value of more than 1000 characters", "Put it in a file of an artifact"
    ),
    "P604": Rule(
        "more than 50 pipeline variables, or a default that is not 1 to 1000 characters long",
        "Put some together, or in a file of the source",
    ),
    "P605": Rule("more than 15 output variables of an action", "Put the rest in a file of an artifact"),
    "P606": Rule(
        "more than 50 commands of an action, or one that is not a line of 1 to 1000 characters",
        "Put them in a script of the source",
    ),
    "P607": Rule("more than 10 environment variables of an action", "Put the rest in a file of the source"),
    "P608": Rule(
        "several conditions of one kind around a stage, or a condition without rules or with more than five",
        "Put the rules into one condition of 1 to 5",
    ),
    "P609": Rule("a timeout of an action or a rule that is not 5 to 86400 minutes", "Choose one between"),
    "P610": Rule(
        "a stack or change set whose name CloudFormation refuses",
        "Begin with a letter; then letters, digits and hyphens, 128 in all",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is too long, too many or wrongly shaped."""
    declared = listed(pipeline.raw.get("Variables"))
    if len(declared) > _VARIABLES:
        problem = f"{len(declared)} variables, and {_VARIABLES} are allowed"
        yield pipeline.finding(
            "P604", pipeline.name, problem, "Put some together, or in a file of the source"
        )
    for variable in mappings(declared):
        default = text(variable.get("DefaultValue"))
        if default is not None and len(default) not in range(1, _VALUE + 1):
            problem = f"the default of {text(variable.get('Name'))} has {len(default)} characters"
            yield pipeline.finding("P604", pipeline.name, problem, f"Keep to 1 to {_VALUE}, or leave it out")
    for action in pipeline.actions:
        yield from _configuration(pipeline, action)
        yield from _lists(pipeline, action)
        yield from _timeout(pipeline, action.place, action.raw)
        yield from _names(pipeline, action)
    yield from _conditions(pipeline)


def _conditions(pipeline: Pipeline) -> Iterator[Finding]:
    for stage in pipeline.stages:
        for when in ("BeforeEntry", "OnSuccess", "OnFailure"):
            around = mapping(stage.raw.get(when))
            count = len(listed(around.get("Conditions", "")))
            if count != 1:
                problem = f"{count} conditions in {when}, and one is allowed"
                yield pipeline.finding("P608", stage.place, problem, "Put their rules into one condition")
        for condition in stage.conditions():
            count = len(listed(condition.raw.get("Rules")))
            if not 1 <= count <= _RULES:
                fix = f"A condition has 1 to {_RULES} rules"
                yield pipeline.finding("P608", condition.place, f"{count} rules", fix)
            for place, _, rule in condition.rules():
                yield from _timeout(pipeline, place, rule)


def _configuration(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    for key, value in action.configuration.items():
        value_text = text(value)
        if value_text is not None and len(value_text) > _VALUE:
            rule = "P601" if key == "CustomData" else "P602"
            problem = f"{key} has {len(value_text)} characters, and {_VALUE} are allowed"
            fix = "Link to the rest" if rule == "P601" else "Put it in a file of an artifact"
            yield pipeline.finding(rule, action.place, problem, fix)


def _lists(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    for rule, key, most in (
        ("P605", "OutputVariables", _OUTPUT_VARIABLES),
        ("P606", "Commands", _COMMANDS),
        ("P607", "EnvironmentVariables", _ENVIRONMENT),
    ):
        count = len(listed(action.raw.get(key)))
        if count > most:
            fix = "Put the rest in a script or a file of the source"
            yield pipeline.finding(rule, action.place, f"{count} {key}, and {most} are allowed", fix)
    for command in listed(action.raw.get("Commands")):
        line = text(command) or ""
        if not 1 <= len(line) <= _VALUE or "\n" in line:
            fix = f"A command is one line of 1 to {_VALUE} characters; put more in a script of the source"
            yield pipeline.finding("P606", action.place, "a command is empty, too long or has lines", fix)


def _timeout(pipeline: Pipeline, place: str, timed: Json) -> Iterator[Finding]:
    minutes = literal(timed.get("TimeoutInMinutes"))
    if minutes is not None and (not minutes.isdecimal() or int(minutes) not in _TIMEOUT):
        fix = f"Choose {_TIMEOUT.start} to {_TIMEOUT.stop - 1} minutes"
        yield pipeline.finding("P609", place, f"a timeout of {minutes} minutes", fix)


def _names(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    for key in ("StackName", "ChangeSetName"):
        name = literal(action.configuration.get(key))
        if name is not None and not _NAME.fullmatch(name):
            fix = "Begin with a letter; then letters, digits and hyphens, 128 in all"
            yield pipeline.finding("P610", action.place, f"{key} {name} is no name", fix)
