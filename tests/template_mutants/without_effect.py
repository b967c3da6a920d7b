"""Which parts of a template no test, linter or embedded AWS can notice, and why."""

from __future__ import annotations

import fnmatch
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from tests.template_mutants.mutations import Mutant

_FILE: Final = Path(__file__).with_name("without_effect.yml")


@cache
def entries() -> list[dict[str, Any]]:
    """Return the entries: `parts`, patterns of type and path below the resource, and `why`."""
    listed: list[dict[str, Any]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return listed


def reason(mutant: Mutant) -> str:
    """Return why nobody can notice a mutant; nothing where somebody should."""
    part = part_of(mutant)
    return next(
        (
            entry["why"]
            for entry in entries()
            if any(fnmatch.fnmatchcase(part, pattern) for pattern in entry["parts"])
        ),
        "",
    )


def part_of(mutant: Mutant) -> str:
    """Return the type and the path below the resource: `AWS::Lambda::Function Timeout`."""
    path = [str(key) for key in mutant.path[2:] if key != "Properties"]
    return (
        f"{mutant.kind} {'.'.join(path) or mutant.path[1]} {'drop' if mutant.after == 'drop' else 'change'}"
    )
