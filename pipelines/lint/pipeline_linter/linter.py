"""The door of the pipeline linter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pipelines.lint.pipeline_linter import documents
from pipelines.lint.pipeline_linter.rules import (
    actions,
    approvals,
    artifacts,
    conditions,
    deployments,
    limits,
    permissions,
    self_mutation,
    triggers,
    variables,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.lint.pipeline_linter.findings import Finding, Rule
    from pipelines.lint.pipeline_linter.model import Pipeline
    from pipelines.lint.pipeline_linter.values import Json


class Family(Protocol):
    """A module of `rules/`: what its rules are, whence, and what they find."""

    @property
    def RULES(self) -> Mapping[str, Rule]:  # noqa: N802 - a constant of the module
        """Its rules by id."""

    def check(self, pipeline: Pipeline) -> Iterator[Finding]:
        """Yield what they find in a pipeline."""


FAMILIES: Final[tuple[Family, ...]] = (
    versions,
    variables,
    triggers,
    artifacts,
    actions,
    limits,
    conditions,
    permissions,
    approvals,
    deployments,
    self_mutation,
)
"""Every family of rules, in the order of their ids."""


def lint_pipelines(paths: Iterable[Path]) -> list[Finding]:
    """Everything that is wrong with the pipelines in these files, sorted; nothing when all is well.

    Args:
        paths: CloudFormation templates in JSON or YAML, or create-pipeline input.

    Raises:
        Unreadable: A file is neither.
    """
    return sorted(finding for path in paths for finding in _judge(documents.read(path)))


def lint_document(document: Json, label: str) -> list[Finding]:
    """The same for one template or create-pipeline input that is parsed already."""
    return sorted(_judge(documents.of_document(document, label)))


def _judge(pipelines: Iterable[Pipeline]) -> Iterator[Finding]:
    return (finding for pipeline in pipelines for family in FAMILIES for finding in family.check(pipeline))
