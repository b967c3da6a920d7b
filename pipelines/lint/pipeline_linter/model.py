"""A pipeline as rules see it, whichever file it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Finding, Level
from pipelines.lint.pipeline_linter import shapes
from pipelines.lint.pipeline_linter.values import Json, listed, literal, mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        """Its category, owner and provider; empty where CloudFormation fills one in."""
        kind = self.raw.get("ActionTypeId") or {}
        return (
            literal(kind.get("Category")) or "",
            literal(kind.get("Owner")) or "",
            literal(kind.get("Provider")) or "",
        )

    @cached_property
    def configuration(self) -> Json:
        """Its configuration; empty where CloudFormation fills in all of it."""
        return self.raw.get("Configuration") or {}

    @cached_property
    def inputs(self) -> list[str]:
        """Names of its input artifacts; one that CloudFormation fills in is left out."""
        return _names(self.raw.get("InputArtifacts"))

    @cached_property
    def outputs(self) -> list[str]:
        """Names of its output artifacts; one that CloudFormation fills in is left out."""
        return _names(self.raw.get("OutputArtifacts"))

    @cached_property
    def namespace(self) -> str | None:
        """Its variables' namespace."""
        return text(self.raw.get("Namespace"))

    def value(self, key: str) -> str | None:
        """Return a configuration value as text."""
        return text(self.configuration.get(key))


@dataclass(frozen=True)
class Condition:
    """A condition around a stage."""

    when: str
    raw: Json
    place: str
    position: tuple[int, int]

    def rules(self) -> Iterator[tuple[str, str, Json]]:
        """Yield each of its rules {Name, RuleTypeId, Configuration, …} with its place and its provider."""
        for rule in mappings(self.raw.get("Rules")):
            provider = literal(mapping(rule.get("RuleTypeId")).get("Provider")) or ""
            yield f"{self.place} > {text(rule.get('Name'))}", provider, rule


@dataclass(frozen=True)
class Stage:
    """A stage and what is around it."""

    raw: Json
    place: str
    index: int

    @cached_property
    def actions(self) -> list[Action]:
        """Its actions in the order of the file."""
        actions = []
        for action in mappings(self.raw.get("Actions")):
            order = text(action.get("RunOrder")) or "1"
            position = (self.index, int(order) if order.isdecimal() else 1)
            actions.append(Action(action, f"{self.place} > {text(action.get('Name'))}", position))
        return actions

    def conditions(self) -> Iterator[Condition]:
        """Yield the conditions of all three kinds."""
        for when in CONDITIONS:
            order = 0 if when == "BeforeEntry" else LAST
            for raw in mappings(mapping(self.raw.get(when)).get("Conditions")):
                yield Condition(when, raw, f"{self.place} > {when}", (self.index, order))

    @property
    def on_failure(self) -> Json:
        """What becomes of the stage when it fails: {Result, Conditions, RetryConfiguration}, or empty."""
        return mapping(self.raw.get("OnFailure"))


@dataclass(frozen=True)
class Pipeline:
    """A pipeline under one combination of its template's conditions.

    Attributes:
        file: The file that it is in.
        name: Its logical id, or its name.
        declared: Its declaration, in CloudFormation's spelling, before anything is known of its shape.
        in_template: Whether it stands in a template.
        resources: The resources of the template; none for plain JSON.
        metadata: The Metadata of its resource.
        truths: Whether each condition of the template holds here.
        undeclared: The names that its resource refers to and the template declares nowhere.
    """

    file: str
    name: str
    declared: object
    in_template: bool = True
    resources: dict[str, Json] = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    truths: Mapping[str, bool] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()

    @cached_property
    def shaped(self) -> shapes.Shaped:
        """Its declaration as far as it has the right shape, and what is wrong with the rest."""
        return shapes.shaped(self.name, self.declared, in_template=self.in_template)

    @property
    def raw(self) -> Json:
        """Its declaration {Stages, ArtifactStore, Triggers, …} as far as it has the right shape."""
        return self.shaped.raw

    @property
    def complete(self) -> bool:
        """Whether every stage, action and artifact can be read from the file."""
        return not self.shaped.unknown and not self.shaped.faults

    @cached_property
    def stages(self) -> list[Stage]:
        """Its stages in order."""
        return [
            Stage(stage, f"{self.name} > {text(stage.get('Name'))}", index)
            for index, stage in enumerate(mappings(self.raw.get("Stages")))
        ]

    @cached_property
    def actions(self) -> list[Action]:
        """All its actions."""
        return [action for stage in self.stages for action in stage.actions]

    def unreadable(self, action: Action) -> bool:
        """Return whether CloudFormation fills in an action's whole configuration, and nobody can judge it."""
        return f"{action.place}: Configuration" in self.shaped.unknown

    @cached_property
    def conditions(self) -> list[Condition]:
        """The conditions around all its stages."""
        return [condition for stage in self.stages for condition in stage.conditions()]

    @property
    def version(self) -> str:
        """V1 or V2; V1 where nothing is said (CodePipeline API reference, PipelineDeclaration)."""
        return text(self.raw.get("PipelineType")) or "V1"

    @property
    def mode(self) -> str:
        """Its execution mode; SUPERSEDED where nothing is said."""
        return text(self.raw.get("ExecutionMode")) or "SUPERSEDED"

    def finding(self, rule: str, place: str, problem: str, fix: str, level: Level = Level.ERROR) -> Finding:
        """Return a finding in this pipeline, of at most this level."""
        return Finding(self.file, place, rule, problem, fix, level)


def _names(artifacts: object) -> list[str]:
    return [name for artifact in mappings(artifacts) if (name := literal(artifact.get("Name")))]


def stores(pipeline: Pipeline) -> dict[str, object]:
    """Return the pipeline's artifact buckets by region; the region of one that is its own is empty."""
    own = mapping(pipeline.raw.get("ArtifactStore"))
    buckets: dict[str, object] = {"": own.get("Location")} if own else {}
    for entry in listed(pipeline.raw.get("ArtifactStores")):
        region = text(mapping(entry).get("Region"))
        if region is not None:
            buckets[region] = mapping(mapping(entry).get("ArtifactStore")).get("Location")
    return buckets
