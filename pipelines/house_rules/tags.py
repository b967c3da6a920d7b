"""E9007: a stack says whose it is, where it comes from and when it may go.

CloudFormation puts a stack's tags on everything in it, so they are asked of the stack's settings
(CodePipeline's template configuration file), not of a template.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipelines.pipeline_linter.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULE_ID: Final = "E9007"
TITLE: Final = "A stack says whose it is and when it may go"
ALWAYS: Final = ("system", "environment", "owner")
_PARTS: Final = {"Parameters", "StackPolicy", "Tags"}
OF_A_BRANCH: Final = ("branch", "commit", "pushed-at", "expires-at")


def in_settings(path: Path) -> bool:
    """Whether a file is a template configuration file: JSON with parameters and tags, and nothing else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever reads it as something else says what is wrong with it
    return isinstance(document, dict) and bool(document) and set(document) <= _PARTS


def findings(path: Path) -> list[Finding]:
    """What is wrong with the tags of a template configuration file."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    return [
        Finding(str(path), "Tags", RULE_ID, fault, "Write it with `payments` as the pipelines do")
        for fault in faults(settings)
    ]


def faults(settings: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the tags of a stack's settings."""
    tags = settings.get("Tags", {})
    # A branch's network is everybody's: no push made it, and it does not expire.
    of_a_push = tags.get("environment") == "branch" and bool(settings.get("Parameters"))
    for key in (*ALWAYS, *(OF_A_BRANCH if of_a_push else ())):
        if not tags.get(key):
            yield f"the stack has no tag {key!r}"
