"""What a branch's stack is called.

The name is computed here, from an environment variable, and never interpolated into a shell: a branch may
be called `$(reboot)`, and git is fine with it. The same name is the stack's, the database's and the docs
preview's, so it obeys the narrowest of them: 38 bytes, as MongoDB Atlas takes for a database.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "branch-"
"""Every branch stack begins with it, and IAM lets the removal role delete nothing else."""
LONGEST: Final = 38
VARIABLE: Final = "BRANCH"
"""The environment variable that CodePipeline hands the branch's name over in."""

_DIGEST_CHARACTERS: Final = 10
"""50 bits of SHA-256 in base 32: a thousand branches collide once in two billion repositories."""
_LONGEST_SLUG: Final = LONGEST - len(PREFIX) - _DIGEST_CHARACTERS - 1
_LEGAL: Final = re.compile(rf"{PREFIX}(?:[a-z0-9][a-z0-9-]*-)?[a-z2-7]{{{_DIGEST_CHARACTERS}}}")


class NotABranchStack(Refused):
    """A stack was named that no branch made, so it is not removed here."""


def stack_name(branch: str) -> str:
    """Return the name of a branch's stack: a readable slug and a digest of the whole branch name.

    Args:
        branch: Any name git allows (git-check-ref-format), of any length and script.

    Returns:
        `[a-z][a-z0-9-]*`, at most 38 characters, begins with `branch-`; two branches share one only if
        their digests collide.

    Raises:
        Refused: The name is empty.
    """
    if not branch:
        raise Refused("No branch is named.", f"Set {VARIABLE}.")
    # A name that is not UTF-8 reaches Python with surrogates, which must stay different from each other.
    whole = hashlib.sha256(branch.encode("utf-8", "surrogatepass")).digest()
    digest = base64.b32encode(whole).decode().lower()[:_DIGEST_CHARACTERS]
    return PREFIX + "-".join(filter(None, (_slug(branch), digest)))


def from_environment(environment: Mapping[str, str] = os.environ) -> str:
    """Return the stack name of the branch that the variable `BRANCH` names.

    Raises:
        Refused: The variable is missing or empty.
    """
    return stack_name(environment.get(VARIABLE, ""))


def is_branch_stack(stack: str) -> bool:
    """Return whether a stack's name is one that a branch has."""
    return len(stack) <= LONGEST and _LEGAL.fullmatch(stack) is not None


def removable(stack: str) -> str:
    """Return the stack's name if it is one that a branch has.

    Raises:
        NotABranchStack: It is not: staging's, production's and the networks' names never are.
    """
    if not is_branch_stack(stack):
        raise NotABranchStack(
            f"{stack} is no branch's stack, so it is not removed here.",
            "Only stacks that the branch pipeline made can be removed: payments branch list",
        )
    return stack


def _slug(branch: str) -> str:
    plain = unicodedata.normalize("NFKD", branch).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].rstrip("-")
