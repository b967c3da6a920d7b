"""Writes the stacks of an environment as CloudFormation templates."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from environments import tools
from environments.groupings import PROMOTED
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.definitions.bootstrap_stack import with_runtime_boundary
from templates import network, payments

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment

STACKS = {"network": network.build, "payments": payments.build}
"""Stack to what builds it."""


def build(environment: Environment) -> dict[str, Template]:
    """Return the environment's templates by stack.

    The roles of what pipelines deploy are bounded by what the account's bootstrap stack exports.

    Raises:
        Refused: The templates know nothing of what they were given, as of a function that is half entered.
    """
    try:
        built = {stack: make(environment) for stack, make in STACKS.items()}
    except (KeyError, ValueError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        file = Path(last.filename)
        if not file.is_relative_to(ROOT / "templates"):
            raise  # a library beneath them
        place = f"{file.relative_to(ROOT)}:{last.lineno}: {(last.line or '').rstrip(',')}"
        raise Refused(f"{place} has no {error}." if isinstance(error, KeyError) else str(error)) from error
    if environment.name in PROMOTED:
        bootstrap = tools.load().bootstrap_of(environment.name)
        return {stack: with_runtime_boundary(template, bootstrap) for stack, template in built.items()}
    return built


def synth(environment: Environment, out_dir: Path) -> dict[str, Path]:
    """Write `<out_dir>/<environment>/<stack>.json` and return the paths by stack.

    The same source gives the same bytes: keys are sorted, and nothing depends on when or where.
    """
    folder = out_dir / environment.name
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for stack, template in build(environment).items():
        paths[stack] = folder / f"{stack}.json"
        paths[stack].write_text(template.to_json(sort_keys=True) + "\n", encoding="utf-8")
    return paths
