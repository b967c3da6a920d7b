"""The door of the pipeline linter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from pipelines.lint.findings import Level
from pipelines.lint.pipeline_linter import documents
from pipelines.lint.pipeline_linter.rules import (
    actions,
    artifacts,
    conditions,
    limits,
    permissions,
    release_practice,
    structure,
    triggers,
    variables,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.lint.findings import Finding, Rule
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
    structure,
    versions,
    variables,
    triggers,
    artifacts,
    actions,
    limits,
    conditions,
    permissions,
    release_practice,
)
"""Every family of rules, in the order of their ids."""
RULES: Final = {rule_id: rule for family in FAMILIES for rule_id, rule in family.RULES.items()}
_LEVELS: Final = tuple(Level)
_SOME: Final = ", under some of the template's conditions"


def lint_pipelines(paths: Iterable[Path]) -> list[Finding]:
    """Return everything that is wrong with the pipelines in these files, sorted; nothing when all is well.

    Args:
        paths: CloudFormation templates in JSON or YAML, or create-pipeline input.

    Raises:
        Unreadable: A file is neither.
    """
    return sorted(finding for path in paths for finding in lint_document(documents.read(path), str(path)))


def lint_document(document: Json, label: str) -> list[Finding]:
    """Return the same for one template or create-pipeline input that is parsed already.

    Raises:
        Unreadable: It is neither.
    """
    return sorted(
        finding
        for in_each_world in documents.pipelines_in(document, label)
        for finding in _judge(in_each_world)
    )


def _judge(in_each_world: list[Pipeline]) -> Iterator[Finding]:
    """Yield what is wrong with a pipeline; what is wrong under some conditions alone says under which."""
    where: dict[Finding, list[Pipeline]] = {}
    for pipeline in in_each_world:
        for finding in {finding for family in FAMILIES for finding in family.check(pipeline)}:
            if finding.rule not in structure.excepted(pipeline):
                where.setdefault(finding, []).append(pipeline)
    for finding, pipelines in where.items():
        level = max(finding.level, RULES[finding.rule].level, key=_LEVELS.index)
        under = _under(pipelines, in_each_world)
        if under == _SOME:  # nobody may ever choose these together
            level = max(level, Level.WARNING, key=_LEVELS.index)
        yield replace(finding, level=level, problem=finding.problem + under)


def _under(some: list[Pipeline], in_each_world: list[Pipeline]) -> str:
    if len(some) == len(in_each_world):
        return ""
    others = [pipeline for pipeline in in_each_world if pipeline not in some]
    for name, truth in some[0].truths.items():
        if all(pipeline.truths[name] is truth for pipeline in some) and not any(
            pipeline.truths[name] is truth for pipeline in others
        ):
            return f", where {name} {'holds' if truth else 'does not hold'}"
    return _SOME
