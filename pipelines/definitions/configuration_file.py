"""A stack's parameters and tags, as the file that CodePipeline hands to CloudFormation.

The tags are more than labels: the removal role deletes only what is tagged `environment: branch`, and
`payments branch list` reads from them whose stack it is and when it was last pushed to.

Source: CloudFormation user guide, "CloudFormation artifacts", template configuration file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from environments import tools
from pipelines.core.refusals import Refused
from pipelines.definitions.artifacts import template_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from environments.schema import Environment

TAGS_RULE: Final = "E9007"
"""The house rule that asks for them (`pipelines/lint/house_rules/conventions.py`)."""
_ALWAYS: Final = ("system", "environment", "owner")
_OF_A_BRANCH: Final = ("branch", "commit", "pushed-at", "expires-at")
_LONGEST: Final = 256
_NOT_IN_A_TAG: Final = re.compile(r"[^\w .:/=+@-]", re.ASCII)
"""What a tag's value may not hold (Tagging AWS resources, "Tag naming limits and requirements")."""


@dataclass(frozen=True, slots=True)
class Push:
    """The push that a branch stack was made from.

    Attributes:
        branch: As git calls it; in the tag, what a tag cannot hold becomes `_`.
        owner: Who pushed.
        commit: Its SHA.
        at: When, with its time zone.
    """

    branch: str
    owner: str
    commit: str
    at: datetime


def tags(environment: Environment, push: Push | None = None) -> dict[str, str]:
    """Return the tags of an environment's stack; a branch's also name its owner and when it expires.

    Rule E9007 asks for them (`pipelines/lint/house_rules/conventions.py`).
    """
    values = {"system": "payments", "environment": environment.name, "owner": environment.owner}
    if push is not None:
        expires = push.at + timedelta(days=tools.load().branch_expiry_days)
        values |= {
            "branch": push.branch,
            "owner": push.owner or environment.owner,
            "commit": push.commit,
            "pushed-at": push.at.isoformat(timespec="seconds"),
            "expires-at": expires.isoformat(timespec="seconds"),
        }
    return {key: _NOT_IN_A_TAG.sub("_", value)[:_LONGEST] for key, value in values.items()}


def write(
    folder: Path,
    environment: Environment,
    stack: str,
    parameters: Mapping[str, str],
    push: Push | None = None,
) -> Path:
    """Write the template configuration of one stack where the pipelines read it.

    Args:
        folder: The build's folder, which becomes the artifact.
        environment: Whose stack it is.
        stack: `network` or `payments`.
        parameters: Its parameters.
        push: For a branch's stack, where it comes from.

    Returns:
        The file: `dist/settings/<environment>/<stack>.json` in the folder.

    Raises:
        Refused: A tag is missing that every stack of its kind has.
    """
    path = folder / template_configuration("", environment.name, stack).removeprefix("::")
    path.parent.mkdir(parents=True, exist_ok=True)
    configuration = {"Parameters": dict(parameters), "Tags": tags(environment, push)}
    for fault in tag_faults(configuration):
        raise Refused(f"{path.name} of {environment.name}: {TAGS_RULE} {fault}")
    path.write_text(json.dumps(configuration, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def tag_faults(settings: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the tags of a stack's settings."""
    tags = settings.get("Tags", {})
    # A branch's network is everybody's: no push made it, and it does not expire.
    of_a_push = tags.get("environment") == "branch" and bool(settings.get("Parameters"))
    for key in (*_ALWAYS, *(_OF_A_BRANCH if of_a_push else ())):
        if not tags.get(key):
            yield f"the stack has no tag {key!r}"
