"""Every stack of this repository as the generated pages read it: the very templates that are deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from environments import schema, tools
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import synth
from templates import docs

_ENVIRONMENT: Final = "prod"
"""The environment whose stacks are shown; another differs by the values of its file."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack.

    Attributes:
        name: as `payments`.
        source: the file whose `build` makes it.
        template: as CloudFormation gets it.
    """

    name: str
    source: str
    template: dict[str, Any]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """By name."""
        found: dict[str, dict[str, Any]] = self.template.get("Parameters", {})
        return found

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """By logical id."""
        found: dict[str, dict[str, Any]] = self.template["Resources"]
        return found

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """By name."""
        found: dict[str, dict[str, Any]] = self.template.get("Outputs", {})
        return found

    @property
    def has_roles(self) -> bool:
        """Whether it says who may do what."""
        return any(one["Type"].startswith("AWS::IAM::") for one in self.resources.values())

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of its resources of a type, by logical id."""
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] == kind}


def every() -> dict[str, Stack]:
    """Every stack by name: the environment's in the order of deployment, then the pipelines' own."""
    environment, settings = schema.load(_ENVIRONMENT), tools.load()
    built = synth.build(environment)
    stacks = [Stack(name, _source(synth.STACKS[name]), built[name].to_dict()) for name in built]
    stacks += [
        Stack("docs", _source(docs.build), docs.build().to_dict()),
        Stack("pipelines", _source(pipelines_stack.build), pipelines_stack.build(settings).to_dict()),
        Stack(
            "bootstrap",
            _source(bootstrap_stack.build),
            bootstrap_stack.build(settings, environment).to_dict(),
        ),
    ]
    return {stack.name: stack for stack in stacks}


def _source(build: Any) -> str:
    return str(build.__module__).replace(".", "/") + ".py"
