"""The tags of every stack, and those of a branch's: whose it is, where it comes from, when it may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE_ID: Final = "E9007"
"""The house rule that asks for them (`pipelines/lint/house_rules/tags.py`)."""
ALWAYS: Final = ("system", "environment", "owner")
OF_A_BRANCH: Final = ("branch", "commit", "pushed-at", "expires-at")


def faults(settings: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the tags of a stack's settings."""
    tags = settings.get("Tags", {})
    # A branch's network is everybody's: no push made it, and it does not expire.
    of_a_push = tags.get("environment") == "branch" and bool(settings.get("Parameters"))
    for key in (*ALWAYS, *(OF_A_BRANCH if of_a_push else ())):
        if not tags.get(key):
            yield f"the stack has no tag {key!r}"
