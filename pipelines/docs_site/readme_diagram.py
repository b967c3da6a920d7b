"""The README's diagram: the order flow and the path to production."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.pages import promotion, workflows
from templates.definitions import payment_workflow

if TYPE_CHECKING:
    from pipelines.docs_site.drift import Drift
    from pipelines.docs_site.stacks import Stack

_PICTURE: Final = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)


def check(readme: str, pipelines: Stack, drift: Drift) -> None:
    """Note when README.md shows something else than the definitions."""
    shown = _PICTURE.search(readme)
    if shown is None or shown.group(1) != drawn(pipelines):
        drift.note(
            "README.md draws something else than templates/definitions/payment_workflow.py and"
            " pipelines/definitions/release_pipeline.py: run `payments docs picture`."
        )


def redrawn(readme: str, pipelines: Stack) -> str:
    """Return README.md with the diagram of the present definitions."""
    return _PICTURE.sub(lambda _: f"```mermaid\n{drawn(pipelines)}```", readme, count=1)


def drawn(pipelines: Stack) -> str:
    """Return the diagram as Mermaid, which GitHub draws as this site does."""
    return "\n".join(
        [
            "flowchart TB",
            '    subgraph order["Order flow"]',
            *_indented(workflows.happy_and_undone(payment_workflow.definition())),
            "    end",
            '    subgraph release["Path to production"]',
            "        direction LR",
            *(f"    {line}" for line in release(pipelines)),
            "    end",
            "",
        ]
    )


def release(pipelines: Stack) -> list[str]:
    """Return the lines that draw a release's stages: who approves, and what rolls back."""
    stages = promotion.every(pipelines)["ReleasePipeline"]["Stages"]
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
