"""Runs git in a folder, whatever the git process that started us has exported.

Git exports its repository to hooks, aliases and `rebase --exec`, and those variables beat `-C`: without care,
a rehearsal that a hook starts would commit into the developer's own repository.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOCAL_VARIABLES: Final = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""Variables of one repository: those of `git rev-parse --local-env-vars`, and those that a push adds."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without another repository's variables, with `extra` in it."""
    ours = {name: value for name, value in os.environ.items() if name not in LOCAL_VARIABLES}
    return ours | dict(extra or {})


def forget_caller() -> None:
    """Drop the variables of the repository that started this process, for it and everything it starts."""
    for name in LOCAL_VARIABLES:
        os.environ.pop(name, None)


def run(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> str:
    """Run git in a folder and return its output; bytes that are no UTF-8 come back as surrogates.

    Raises:
        Refused: Git is not installed, or failed.
    """
    try:
        completed = subprocess.run(  # noqa: S603 - our own arguments, no shell
            ["git", "-C", str(folder), "-c", "log.showSignature=false", *arguments],  # noqa: S607 - the git that the developer uses
            env=environment(extra),
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError:
        raise Refused("git is not installed.", "Install it with your system's packages.") from None
    if completed.returncode:
        reason = completed.stderr.encode("utf-8", "replace").decode().strip()
        raise Refused(f"git {arguments[0]} failed in {folder}: {reason}")
    return completed.stdout
