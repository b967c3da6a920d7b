"""What an approval is about: the state of production's stacks before and after, and every change between.

The record outlives its change sets, which CloudFormation deletes when another of the stack is executed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.aws import stacks
from pipelines.evidence import stack_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.aws.accounts import Aws
    from pipelines.evidence.stack_changes import StackChanges

Json = dict[str, Any]


def record(aws: Aws, reviewed: Iterable[StackChanges]) -> Json:
    """Return the record of reviewed changes, by stack: `before`, `after` and `changes`."""
    return {
        changes.stack: {
            "before": state(aws, changes.stack),
            "after": after(changes),
            "changes": [
                asdict(change) | {"properties": list(change.properties)} for change in changes.changes
            ],
        }
        for changes in reviewed
    }


def state(aws: Aws, stack: str) -> Json:
    """Return a stack as it is: its `template` (SHA-256 of its canonical JSON), `parameters` and `tags`.

    A stack that does not exist yet has none of them.
    """
    status = stacks.status(aws, stack)
    if status in {None, "REVIEW_IN_PROGRESS"}:
        return {"template": "", "parameters": {}, "tags": {}}
    described: Any = stacks.described(aws, stack)
    return {
        "template": template_digest(stack_changes.template(aws, stack)),
        "parameters": {
            p["ParameterKey"]: p.get("ParameterValue", "") for p in described.get("Parameters", [])
        },
        "tags": {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    }


def after(changes: StackChanges) -> Json:
    """Return a stack as a change set would leave it, in the form of `state`."""
    return {
        "template": template_digest(changes.after),
        "parameters": changes.parameters,
        "tags": changes.tags,
    }


def template_digest(template: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a template's canonical JSON, in which neither order nor white space counts."""
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def moved(recorded: Mapping[str, Any], aws: Aws) -> list[str]:
    """Return what of production's stacks is not as it was when it was reviewed, in words."""
    return [
        f"{stack}: {difference}"
        for stack, expected in recorded.items()
        for difference in state_differences(expected["before"], state(aws, stack))
    ]


def state_differences(expected: Json, present: Json) -> list[str]:
    """Return in what two states of a stack differ, in words."""
    wrong = [] if expected["template"] == present["template"] else ["another template"]
    for kind in ("parameters", "tags"):
        names = expected[kind].keys() | present[kind].keys()
        other = sorted(name for name in names if expected[kind].get(name) != present[kind].get(name))
        wrong += [f"other {kind}: {', '.join(other)}"] if other else []
    return wrong


def differences(expected: Json, prepared: StackChanges) -> list[str]:
    """Return in what a prepared change set is not the reviewed one, in words."""
    wrong = state_differences(expected["after"], after(prepared))
    reviewed = {json.dumps(change, sort_keys=True): change["resource"] for change in expected["changes"]}
    ready = {
        json.dumps(asdict(change) | {"properties": list(change.properties)}, sort_keys=True): change.resource
        for change in prepared.changes
    }
    other = sorted({(reviewed | ready)[text] for text in reviewed.keys() ^ ready.keys()})
    return [*wrong, *([f"other changes, to {', '.join(other)}"] if other else [])]
