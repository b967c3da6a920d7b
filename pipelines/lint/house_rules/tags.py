"""E9007: a stack says whose it is, where it comes from and when it may go.

CloudFormation puts a stack's tags on everything in it, so they are asked of the stack's settings
(CodePipeline's template configuration file), not of a template.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pipelines.definitions import configuration_file
from pipelines.lint.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path

TITLE: Final = "A stack says whose it is and when it may go"
_PARTS: Final = {"Parameters", "StackPolicy", "Tags"}


def is_template_configuration(path: Path) -> bool:
    """Return whether a file is a template configuration file: JSON with parameters and tags, nothing else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever reads it as something else says what is wrong with it
    return isinstance(document, dict) and bool(document) and set(document) <= _PARTS


def findings(path: Path) -> list[Finding]:
    """Return the faults of the tags in a template configuration file."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    return [
        Finding(
            str(path),
            "Tags",
            configuration_file.TAGS_RULE,
            fault,
            "Write it with `payments` as the pipelines do",
        )
        for fault in configuration_file.tag_faults(settings)
    ]
