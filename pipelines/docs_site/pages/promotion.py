"""The pipelines: a diagram of the stages, a table of what each action does; and the README's diagram."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.markdown import code, lines, mermaid, page, table
from pipelines.docs_site.pages import workflows
from pipelines.docs_site.stacks import shown
from templates.definitions import payment_workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.docs_site.markdown import Drift
    from pipelines.docs_site.stacks import Stack

_TYPE: Final = "AWS::CodePipeline::Pipeline"
_SOURCES: Final = {
    "BranchPipeline": "pipelines/definitions/branch_pipelines.py",
    "ReleasePipeline": "pipelines/definitions/release_pipeline.py",
    "RemoveBranchPipeline": "pipelines/definitions/branch_pipelines.py",
    "ExpiryPipeline": "pipelines/definitions/branch_pipelines.py",
}
_LONG: Final = {"ExternalEntityLink", "CustomData", "EnvironmentVariables", "PrimarySource", "RoleArn"}
"""Configuration that the table leaves out; the stack's template has it."""


def pages(pipelines: Stack) -> dict[str, str]:
    """Return a page for each pipeline, by its path."""
    return {
        f"reference/pipeline-{_slug(name)}.md": _page(name, pipeline)
        for name, pipeline in every(pipelines).items()
    }


def every(pipelines: Stack) -> dict[str, dict[str, Any]]:
    """Return the pipelines by their logical ids."""
    return pipelines.of_type(_TYPE)


def diagram(pipeline: dict[str, Any]) -> str:
    """Return a flow chart: stages from top to bottom, the actions of each from left to right."""
    drawn, links = ["flowchart TB"], []
    for number, stage in enumerate(pipeline["Stages"]):
        drawn += [
            f'    subgraph t{number}["{stage["Name"]}"]',
            "        direction LR",
            *_actions(number, stage),
            "    end",
        ]
        if number:
            links.append(f"    t{number - 1} --{_condition(stage)}--> t{number}")
        if stage.get("OnFailure", {}).get("Result") == "ROLLBACK":
            links.append(f"    t{number} -. on failure: roll back .-> t{number}")
    return "\n".join([*drawn, *links]) + "\n"


def _page(name: str, pipeline: dict[str, Any]) -> str:
    source = _SOURCES[name]
    rows = [
        [
            stage["Name"],
            str(action["RunOrder"]),
            action["Name"],
            action["ActionTypeId"]["Provider"],
            lines(_settings(action)),
        ]
        for stage in pipeline["Stages"]
        for action in stage["Actions"]
    ]
    conditions = [
        [stage["Name"], *condition] for stage in pipeline["Stages"] for condition in _conditions(stage)
    ]
    parts = [
        f"{' '.join(_starts(pipeline))}\n",
        mermaid(diagram(pipeline)),
        "## Actions\n",
        "Actions of one stage with the same order run at the same time.\n",
        table(["Stage", "Order", "Action", "Provider", "Settings"], rows),
    ]
    if conditions:
        parts += ["## Conditions\n", table(["Stage", "When", "Rule", "Otherwise"], conditions)]
    return page(_title(name), [source], *parts)


def _starts(pipeline: dict[str, Any]) -> Iterator[str]:
    yield f"Execution mode {code(pipeline['ExecutionMode'])}."
    for trigger in pipeline.get("Triggers", []):
        for push in trigger["GitConfiguration"]["Push"]:
            branches = push["Branches"]
            without = branches.get("Excludes", [])
            but = f" but {', '.join(code(glob) for glob in without)}" if without else ""
            yield f"Starts on a push to {', '.join(code(glob) for glob in branches['Includes'])}{but}."
    for variable in pipeline.get("Variables", []):
        yield f"Its variable {code(variable['Name'])}: {variable['Description']}."
    if not pipeline.get("Triggers"):
        yield "Started by a person or a schedule, never by a push."


def _actions(number: int, stage: dict[str, Any]) -> Iterator[str]:
    ids: dict[int, list[str]] = {}
    for index, action in enumerate(stage["Actions"]):
        node = f"t{number}a{index}"
        ids.setdefault(action["RunOrder"], []).append(node)
        gate = action["ActionTypeId"]["Category"] == "Approval"
        yield f'        {node}{{{{"{action["Name"]}"}}}}' if gate else f'        {node}["{action["Name"]}"]'
    orders = sorted(ids)
    for before, after in pairwise(orders):
        yield f"        {' & '.join(ids[before])} --> {' & '.join(ids[after])}"


def _condition(stage: dict[str, Any]) -> str:
    rules = [
        rule["Name"]
        for entry in stage.get("BeforeEntry", {}).get("Conditions", [])
        for rule in entry["Rules"]
    ]
    return f" if {' and '.join(rules)} " if rules else ""


def _conditions(stage: dict[str, Any]) -> Iterator[list[str]]:
    for key, when in (("BeforeEntry", "before it begins"), ("OnSuccess", "after it succeeded")):
        for entry in stage.get(key, {}).get("Conditions", []):
            for rule in entry["Rules"]:
                asked = [f"{name} {code(shown(value))}" for name, value in rule["Configuration"].items()]
                what = f"{rule['Name']} ({rule['RuleTypeId']['Provider']})"
                yield [when, lines([what, *asked]), entry["Result"]]
    if "OnFailure" in stage:
        yield ["when it fails", "", stage["OnFailure"]["Result"]]


def _settings(action: dict[str, Any]) -> Iterator[str]:
    for key, value in action.get("Configuration", {}).items():
        if key not in _LONG:
            yield f"{key} {code(shown(value))}"
    for key, word in (("InputArtifacts", "reads"), ("OutputArtifacts", "writes")):
        if action.get(key):
            yield f"{word} {', '.join(code(artifact['Name']) for artifact in action[key])}"


def _slug(name: str) -> str:
    return "-".join(_words(name)[:-1]).lower()


def _title(name: str) -> str:
    return f"The {' '.join(_words(name)).lower()}"


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z][a-z]+", name)


_PICTURE: Final = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)


def check_readme(readme: str, pipelines: Stack, drift: Drift) -> None:
    """Note when README.md shows something else than the definitions."""
    shown = _PICTURE.search(readme)
    if shown is None or shown.group(1) != readme_drawn(pipelines):
        drift.note(
            "README.md draws something else than templates/definitions/payment_workflow.py and"
            " pipelines/definitions/release_pipeline.py: run `payments docs picture`."
        )


def readme_redrawn(readme: str, pipelines: Stack) -> str:
    """Return README.md with the diagram of the present definitions."""
    return _PICTURE.sub(lambda _: f"```mermaid\n{readme_drawn(pipelines)}```", readme, count=1)


def readme_drawn(pipelines: Stack) -> str:
    """Return the diagram as Mermaid, which GitHub draws as this site does."""
    return "\n".join(
        [
            "flowchart TB",
            '    subgraph order["Order flow"]',
            *_indented(workflows.happy_and_undone(payment_workflow.definition())),
            "    end",
            '    subgraph release["Path to production"]',
            "        direction LR",
            *(f"    {line}" for line in release_chain(pipelines)),
            "    end",
            "",
        ]
    )


def release_chain(pipelines: Stack) -> list[str]:
    """Return the lines that draw a release's stages: who approves, and what rolls back."""
    stages = every(pipelines)["ReleasePipeline"]["Stages"]
    ids = [f"r{number}" for number in range(len(stages))]
    boxes = [f"    {node}{_box(stage)}" for node, stage in zip(ids, stages, strict=True)]
    return [*boxes, f"    {' --> '.join(ids)}"]


def _box(stage: dict[str, Any]) -> str:
    name = stage["Name"]
    if any(action["ActionTypeId"]["Category"] == "Approval" for action in stage["Actions"]):
        return f'{{{{"{name}:<br>a person approves"}}}}'
    if stage.get("OnFailure", {}).get("Result") == "ROLLBACK":
        return f'["{name}<br>rolls back when it fails"]'
    return f'["{name}"]'


def _indented(drawing: str) -> list[str]:
    return [f"    {line}" for line in drawing.splitlines()]
