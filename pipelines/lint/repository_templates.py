"""Every template of this repository, and what the linters find in it; what was clean is not asked again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from environments import groupings, schema, tools
from pipelines.core.repository import CACHE, ROOT
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import synth
from pipelines.lint.pipeline_linter.linter import lint_document
from templates import docs
from templates.capabilities.alarms import RUNBOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.lint.findings import Finding

PIPELINES: Final = "pipelines"
"""The pipelines, docs and bootstrap stacks; every other name is an environment's."""


def names() -> list[str]:
    """Return the names of all that there is to lint."""
    return [*schema.names(), PIPELINES]


def findings(name: str) -> list[Finding]:
    """Return what is wrong with an environment's templates, or with the pipelines'."""
    return judged(*by_label(name))


def judged(templates: dict[str, Any], region: str) -> list[Finding]:
    """Return what is wrong with templates, by label, that are for a region; what was clean stays clean."""
    clean = mark(templates, region)
    if clean.exists():
        return []
    clean.parent.mkdir(parents=True, exist_ok=True)
    # Linters and tests of one run want the same templates judged at the same time, and it takes seconds.
    with clean.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return [] if clean.exists() else _judge(templates, region, clean)


def _judge(templates: Mapping[str, Any], region: str, clean: Path) -> list[Finding]:
    from pipelines.lint.templates import lint  # noqa: PLC0415 - 2 s that `payments --help` need not wait

    faults = lint(templates, regions=(region,))
    for label, template in templates.items():
        faults += lint_document(template, label)
    if not faults:
        clean.touch()
    return faults


def by_label(name: str) -> tuple[dict[str, Any], str]:
    """Return an environment's templates, or the pipelines', by label, and the region that they are for."""
    return _pipelines() if name == PIPELINES else _environment(name)


def _environment(name: str) -> tuple[dict[str, Any], str]:
    environment = schema.load(name)
    built = synth.build(environment)
    return {f"{name}/{stack}": template.to_dict() for stack, template in built.items()}, environment.region


def _pipelines() -> tuple[dict[str, Any], str]:
    settings = tools.load()
    templates = {
        f"bootstrap/{name}": bootstrap_stack.build(settings, schema.load(name)).to_dict()
        for name in groupings.PROMOTED
    }
    tools_stacks = {PIPELINES: pipelines_stack.build(settings).to_dict(), "docs": docs.build().to_dict()}
    return tools_stacks | templates, settings.region


_ACCOUNT: Final = re.compile(r"(?<![\w.-])[0-9]{12}(?![\w.-])")
_LINTER = (ROOT / "uv.lock", *sorted((ROOT / "pipelines" / "lint").rglob("*.py")))
"""What judges: the tools' versions, how we call them, and our own rules."""


def mark(templates: Mapping[str, Any], region: str, folder: Path = CACHE / "lint") -> Path:
    """Return the file that notes that these very templates were found clean by this very linter.

    An account's number is no template's fault, whichever it is, so that all numbers count as one.
    """
    runbooks = sorted(path.name for path in (ROOT / RUNBOOKS).glob("*.md"))  # a rule asks whether they exist
    text = _ACCOUNT.sub("ACCOUNT", json.dumps([templates, region, runbooks], sort_keys=True))
    judged = hashlib.sha256(text.encode())
    for path in _LINTER:
        judged.update(path.read_bytes())
    return folder / judged.hexdigest()
