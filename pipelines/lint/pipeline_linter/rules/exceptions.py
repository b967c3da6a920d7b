"""P012: exceptions from these rules, each with its reason.

A pipeline's resource says in its Metadata which rules it is excepted from, and why:
`{"pipeline-linter": {"ignore": {"P402": "the artifact is read by hand"}}}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Rule
from pipelines.lint.pipeline_linter.values import mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Pipeline

RULES: Final = {
    "P012": Rule("an exception from a rule without a reason", "Say why beside the rule's id"),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield exceptions that give no reason."""
    for rule, reason in _entries(pipeline).items():
        if not reason.strip():
            problem = f"{rule} is ignored without a reason in Metadata"
            yield pipeline.finding("P012", pipeline.name, problem, "Say why beside the rule's id")


def excepted(pipeline: Pipeline) -> set[str]:
    """Return the ids of the rules that a pipeline is excepted from, with a reason."""
    return {rule for rule, reason in _entries(pipeline).items() if reason.strip()} - set(RULES)


def _entries(pipeline: Pipeline) -> dict[str, str]:
    ignored = mapping(mapping(pipeline.metadata.get("pipeline-linter")).get("ignore"))
    return {rule: text(reason) or "" for rule, reason in ignored.items()}
