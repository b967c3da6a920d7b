"""Every stack of this repository as the generated pages read it: the very templates that are deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from environments import schema, tools
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import synth
from templates import docs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from troposphere import Template

    from environments.schema import Environment

_ENVIRONMENT: Final = "prod"
"""The environment whose stacks are shown; another differs by the values of its file."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack.

    Attributes:
        name: as `payments`.
        source: the file whose `build` makes it.
        template: as CloudFormation gets it.
        with_other_choices: parameters by name that it has only where environments' files choose otherwise.
    """

    name: str
    source: str
    template: dict[str, Any]
    with_other_choices: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Return the parameters by name."""
        section: dict[str, dict[str, Any]] = self.template.get("Parameters", {})
        return section

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources by logical id."""
        section: dict[str, dict[str, Any]] = self.template["Resources"]
        return section

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """Return the outputs by name."""
        section: dict[str, dict[str, Any]] = self.template.get("Outputs", {})
        return section

    @property
    def has_roles(self) -> bool:
        """Return whether the stack has roles or policies."""
        return any(resource["Type"].startswith("AWS::IAM::") for resource in self.resources.values())

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of a type, by logical id."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }


def every() -> dict[str, Stack]:
    """Return every stack by name: the environment's in the order of deployment, then the pipelines' own."""
    environment, settings = schema.load(_ENVIRONMENT), tools.load()
    built = synth.build(environment)
    others = [synth.build(other) for other in _otherwise(environment)]
    stacks = [
        Stack(
            name,
            _source(synth.STACKS[name]),
            built[name].to_dict(),
            {key: rules for other in others for key, rules in _parameters(other[name]).items()},
        )
        for name in built
    ]
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


def _otherwise(environment: Environment) -> list[Environment]:
    """Return the environment with the other kind of database, and packaged in the other way."""
    atlas = {"kind": "atlas", "atlas_project": "0" * 24, "vpc_id": None, "owner_account": None}
    own = {"kind": "own_cluster", "atlas_project": None, "vpc_id": f"vpc-{'0' * 17}"}
    own |= {"owner_account": environment.account, "authentication": "none"}
    packaging = "zip" if environment.functions.packaging == "image" else "image"
    return [
        environment.with_database(**(own if environment.database.kind == "atlas" else atlas)),
        environment.model_copy(
            update={"functions": environment.functions.model_copy(update={"packaging": packaging})}
        ),
    ]


def _parameters(template: Template) -> dict[str, dict[str, Any]]:
    section: dict[str, dict[str, Any]] = template.to_dict().get("Parameters", {})
    return section


def _source(build: Any) -> str:
    return str(build.__module__).replace(".", "/") + ".py"


def shown(value: Any) -> str:
    """Return a property's value in one line; `${Name}` is what CloudFormation fills in."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        [(function, argument)] = value.items()
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](argument)
    return json.dumps(value, sort_keys=True)


def _sub(argument: Any) -> str:
    if isinstance(argument, str):
        return argument
    text, variables = argument
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", shown(value))
    return str(text)


def _join(argument: Any) -> str:
    separator, parts = argument
    return str(separator).join(shown(part) for part in parts)


_FUNCTIONS: Final[dict[str, Callable[[Any], str]]] = {
    "Ref": lambda name: f"${{{name}}}",
    "Fn::GetAtt": lambda path: f"${{{'.'.join(path) if isinstance(path, list) else path}}}",
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::ImportValue": lambda name: f"imported {shown(name)}",
}
