"""A pipeline as rules see it, whichever file it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pipelines.lint.pipeline_linter.findings import Finding
from pipelines.lint.pipeline_linter.values import Json, listed, text

if TYPE_CHECKING:
    from collections.abc import Iterator

CONDITIONS: Final = ("BeforeEntry", "OnSuccess", "OnFailure")
LAST: Final = 10**6


@dataclass(frozen=True)
class Action:
    """An action of a stage; `position` orders it, and actions of one position run together."""

    raw: Json
    place: str
    position: tuple[int, int]

    @cached_property
    def kind(self) -> tuple[str, str, str]:
        """Category, owner and provider."""
        kind = self.raw.get("ActionTypeId") or {}
        return (
            text(kind.get("Category")) or "",
            text(kind.get("Owner")) or "",
            text(kind.get("Provider")) or "",
        )

    @cached_property
    def configuration(self) -> Json:
        """Its configuration; empty where CloudFormation fills in all of it."""
        said = self.raw.get("Configuration") or {}
        return {} if self.unknown else said

    @cached_property
    def unknown(self) -> bool:
        """Whether the configuration is one function of CloudFormation's, so nobody can judge its keys."""
        said = self.raw.get("Configuration") or {}
        return not isinstance(said, dict) or any(key == "Ref" or key.startswith("Fn::") for key in said)

    @cached_property
    def inputs(self) -> list[str]:
        """Names of its input artifacts."""
        return _names(self.raw.get("InputArtifacts"))

    @cached_property
    def outputs(self) -> list[str]:
        """Names of its output artifacts."""
        return _names(self.raw.get("OutputArtifacts"))

    @cached_property
    def namespace(self) -> str | None:
        """Its variables' namespace."""
        return text(self.raw.get("Namespace"))

    def says(self, key: str) -> str | None:
        """A configuration value as text."""
        return text(self.configuration.get(key))


@dataclass(frozen=True)
class Condition:
    """A condition around a stage."""

    when: str
    raw: Json
    place: str
    position: tuple[int, int]


@dataclass(frozen=True)
class Stage:
    """A stage and what is around it."""

    raw: Json
    place: str
    index: int

    @cached_property
    def actions(self) -> list[Action]:
        """Its actions in the order of the file."""
        found = []
        for action in listed(self.raw.get("Actions")):
            order = text(action.get("RunOrder")) or "1"
            position = (self.index, int(order) if order.isdigit() else 1)
            found.append(Action(action, f"{self.place} > {text(action.get('Name'))}", position))
        return found

    def conditions(self) -> Iterator[Condition]:
        """The conditions of all three kinds."""
        for when in CONDITIONS:
            order = 0 if when == "BeforeEntry" else LAST
            for raw in listed((self.raw.get(when) or {}).get("Conditions")):
                yield Condition(when, raw, f"{self.place} > {when}", (self.index, order))


@dataclass(frozen=True)
class Pipeline:
    """A pipeline; `resources` are those of the template it stands in, none for plain JSON."""

    file: str
    name: str
    raw: Json
    resources: dict[str, Json] = field(default_factory=dict)

    @cached_property
    def stages(self) -> list[Stage]:
        """Its stages in order."""
        return [
            Stage(stage, f"{self.name} > {text(stage.get('Name'))}", index)
            for index, stage in enumerate(listed(self.raw.get("Stages")))
        ]

    @cached_property
    def actions(self) -> list[Action]:
        """All its actions."""
        return [action for stage in self.stages for action in stage.actions]

    @property
    def version(self) -> str:
        """V1 or V2; V1 where nothing is said (CodePipeline API reference, PipelineDeclaration)."""
        return text(self.raw.get("PipelineType")) or "V1"

    @property
    def mode(self) -> str:
        """Its execution mode; SUPERSEDED where nothing is said."""
        return text(self.raw.get("ExecutionMode")) or "SUPERSEDED"

    def finding(self, rule: str, place: str, problem: str, mend: str) -> Finding:
        """A finding in this pipeline."""
        return Finding(self.file, place, rule, problem, mend)


def _names(artifacts: Any) -> list[str]:
    return [text(artifact.get("Name")) or "" for artifact in listed(artifacts)]
