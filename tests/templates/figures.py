"""Every resource and output, number and switch of the templates, a line each, for a person who reviews them.

A resource's line ends with a digest of all that it says, so that nothing of it changes unseen: its texts,
permissions and references are too long to be listed.

python -m tests.templates.figures      writes tests/templates/figures.txt anew
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from templates.definitions import time_budget
from tests.templates.chosen import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIGURE: Final = re.compile(r"true|false|\d+|(rate|cron)\(.*\)")
FILE: Final = Path(__file__).with_name("figures.txt")


def figures() -> str:
    """Return those of every template, and of the time budget."""
    parts = templates()
    blocks = {name: lines(template) for name, template in parts.items()}
    blocks |= {"time budget": lines({"Resources": {"Budget": {"Type": "seconds", **time_budget.figures()}}})}
    said: dict[str, set[str]] = {}
    for name, block in blocks.items():  # what is the same in another variant of a stack is not said twice
        stack = name.rpartition(" ")[2]
        known = said.setdefault(stack, set())
        blocks[name] = [line for line in block if line not in known]
        known.update(block)
    return "\n".join(line for name, block in blocks.items() for line in (f"# {name}", *block, ""))


def lines(template: dict[str, Any]) -> list[str]:
    """Return a template's lines."""
    return [*_lines(template)]


def _lines(template: dict[str, Any]) -> Iterator[str]:
    for name, parameter in sorted(template.get("Parameters", {}).items()):
        yield from _leaves(parameter, f"parameter {name}")
    for name, resource in sorted(template["Resources"].items()):
        yield f"{name}: {resource['Type']} {_digest(resource)}"
        yield from _leaves(resource, name)
    for name, output in sorted(template.get("Outputs", {}).items()):
        yield f"output {name}: {_digest(output)}"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def _leaves(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str) and value.startswith('{"'):
        with contextlib.suppress(ValueError):
            value = json.loads(value)  # a dashboard's body
    if isinstance(value, dict):
        for key, inside in sorted(value.items()):
            yield from _leaves(inside, f"{place}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, inside in enumerate(value):
            yield from _leaves(inside, f"{place}[{number}]")
    elif isinstance(value, (bool, int, float)) or _FIGURE.fullmatch(str(value)):
        yield f"{place} = {value}"


if __name__ == "__main__":
    from tests import sample_environments  # noqa: F401 - the figures are those of the samples

    FILE.write_text(figures(), encoding="utf-8")
