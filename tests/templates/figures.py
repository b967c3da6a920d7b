"""Every resource, number and switch of the templates, a line each, so that a person sees what a change turns.

python -m tests.templates.figures      writes tests/templates/figures.txt anew
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from environments import tools
from environments.schema import load
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import synth
from templates import docs
from templates.definitions import time_budget
from tests.templates.paying import paying_by

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIGURE: Final = re.compile(r"true|false|\d+|(rate|cron)\(.*\)")
FILE: Final = Path(__file__).with_name("figures.txt")


def figures() -> str:
    """Return those of production, of one that pays by card, docs, pipelines and the time budget."""
    production, card = synth.build(load("prod")), synth.build(paying_by("card"))
    parts = {
        "prod network": production["network"].to_dict(),
        "prod payments": production["payments"].to_dict(),
        "card network": card["network"].to_dict(),
        "card payments": card["payments"].to_dict(),
        "docs": docs.build().to_dict(),
        "pipelines": pipelines_stack.build(tools.load()).to_dict(),
        "prod bootstrap": bootstrap_stack.build(tools.load(), load("prod")).to_dict(),
        "time budget": {"Resources": {"Budget": {"Type": "seconds", **time_budget.figures()}}},
    }
    blocks = {name: [*_lines(template)] for name, template in parts.items()}
    for stack in ("network", "payments"):  # what card does not change is not said twice
        same = set(blocks[f"prod {stack}"])
        blocks[f"card {stack}"] = [line for line in blocks[f"card {stack}"] if line not in same]
    return "\n".join(line for name, lines in blocks.items() for line in (f"# {name}", *lines, ""))


def _lines(template: dict[str, Any]) -> Iterator[str]:
    for name, parameter in sorted(template.get("Parameters", {}).items()):
        yield from _leaves(parameter, f"parameter {name}")
    for name, resource in sorted(template["Resources"].items()):
        yield f"{name}: {resource['Type']}"
        yield from _leaves(resource, name)


def _leaves(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str) and value.startswith('{"'):
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
