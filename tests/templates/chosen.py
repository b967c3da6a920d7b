"""Every template that has a part of its own: of each kind of database, payment and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from environments import tools
from environments.schema import load
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import synth
from templates import docs
from tests.templates.paying import paying_by, with_a_password

if TYPE_CHECKING:
    from environments.schema import Environment

Json = dict[str, Any]


def templates() -> dict[str, Json]:
    """Return them by what they are: `prod network`, `card payments`, `docs`, and so on."""
    chosen: dict[str, Environment] = {
        "prod": load("prod"),
        "card": paying_by("card"),
        "branch": load("branch"),
        "password": with_a_password(load("staging")),
        "card and credit": paying_by("card").model_copy(update={"also_refunds": ["credit"]}),
    }
    made = {
        f"{name} {stack}": template
        for name, environment in chosen.items()
        for stack, template in synth.build(environment).items()
    }
    made |= {"docs": docs.build(), "pipelines": pipelines_stack.build(tools.load())}
    for name in ("prod", "branch"):
        made[f"{name} bootstrap"] = bootstrap_stack.build(tools.load(), load(name))
    return {name: template.to_dict() for name, template in made.items()}
