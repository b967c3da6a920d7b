"""What is wrong with the pipelines and state machines of any file, ours or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipelines.lint.pipeline_linter import documents
from pipelines.lint.pipeline_linter.linter import lint_document
from pipelines.lint.pipeline_linter.values import mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipelines.lint.findings import Finding

Json = dict[str, Any]
_MACHINE: Final = "AWS::StepFunctions::StateMachine"


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
        if mapping(resource).get("Type") == _MACHINE:
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
