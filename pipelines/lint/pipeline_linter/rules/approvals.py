"""P901: an approval that shows nothing to decide by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.pipeline_linter.findings import Finding
    from pipelines.lint.pipeline_linter.model import Pipeline


RULES: Final = {
    "P901": Rule(
        "an approval that shows neither CustomData nor a link",
        "Say in CustomData what will change, and link to the rest with ExternalEntityLink",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield approvals without evidence."""
    for action in pipeline.actions:
        if action.kind[0] != "Approval" or action.kind[1] != "AWS":
            continue
        if not (action.configuration.get("CustomData") or action.configuration.get("ExternalEntityLink")):
            mend = "Say in CustomData what will change, and link to the rest with ExternalEntityLink"
            yield pipeline.finding("P901", action.place, "whoever approves is shown nothing", mend)
