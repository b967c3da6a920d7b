"""Reads pipelines out of files: CloudFormation templates in JSON or YAML, and plain create-pipeline input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import yaml

from pipelines.lint.findings import Unreadable
from pipelines.lint.pipeline_linter import references, worlds
from pipelines.lint.pipeline_linter.model import Pipeline
from pipelines.lint.pipeline_linter.values import mapping, text

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.lint.pipeline_linter.values import Json

PIPELINE: Final = "AWS::CodePipeline::Pipeline"
_AS_IT_IS: Final = {"configuration"}
_LARGEST_BYTES: Final = 2_000_000
_MOST_VALUES: Final = 500_000
"""CloudFormation takes a template of 1 MB; a small file of aliases of aliases can hold far more than that."""
_DEEPEST: Final = 100


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as `!Ref`; a date stays the text that it was."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node, unless it lies deeper than any template: PyYAML is quadratic in depth."""
        if self._depth > _DEEPEST:
            raise Unreadable(f"it is nested more than {_DEEPEST} deep")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # YAML has no fourth kind
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    return {name: value.split(".", 1) if suffix == "GetAtt" and isinstance(value, str) else value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> Json:
    """Return the document that a file holds: a template {Resources, …} or a pipeline's declaration.

    Raises:
        Unreadable: It is neither JSON nor YAML, or no mapping, or too large.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise Unreadable("it is larger than any template may be")
        document = _parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise Unreadable(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise Unreadable(f"{path}: holds no template and no pipeline")
    return document


def _parsed(source: str) -> Any:
    # JSON is YAML too, but a hundred times slower to read as such.
    if source.lstrip().startswith("{"):
        try:
            return json.loads(source)
        except json.JSONDecodeError:
            pass  # a flow mapping, as YAML may begin with
    return yaml.load(source, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader


def pipelines_in(document: Json, file: str) -> list[list[Pipeline]]:
    """Return each pipeline of a parsed template, or of create-pipeline or get-pipeline JSON.

    A pipeline comes as often as the template's conditions make another one of it.

    Raises:
        Unreadable: It is neither, or holds itself.
    """
    plain = _Copier(file).copied(document)
    if isinstance(plain.get("Resources"), dict):
        return _in_template(plain, file)
    declared = mapping(plain.get("pipeline", plain))
    if "stages" not in declared:
        raise Unreadable(f"{file}: holds no template and no pipeline")
    raw = _in_template_case(declared | {"artifactStores": _stores(declared.get("artifactStores"))})
    return [[Pipeline(file, text(raw.get("Name")) or "pipeline", raw, in_template=False)]]


def _in_template(document: Json, file: str) -> list[list[Pipeline]]:
    pipelines: dict[str, list[Pipeline]] = {}
    declared = worlds.unrolled(document)
    for world in worlds.of_template(document, PIPELINE):
        for name, resource in world.resources.items():
            if resource.get("Type") == PIPELINE:
                pipeline = Pipeline(
                    file,
                    name,
                    resource.get("Properties", {}),
                    resources=world.resources,
                    metadata=mapping(resource.get("Metadata")),
                    truths=world.truths,
                    undeclared=tuple(references.undeclared(document, mapping(declared.get(name)), declared)),
                )
                pipelines.setdefault(name, []).append(pipeline)
    return list(pipelines.values())


class _Copier:
    """Copies a document so that every key is text and no part holds itself."""

    def __init__(self, file: str) -> None:
        """Begin with nothing copied."""
        self._file = file
        self._values = 0

    def copied(self, value: Any, depth: int = 0) -> Any:
        """Return a copy.

        Raises:
            Unreadable: It holds itself, or more than any template may.
        """
        self._values += 1
        if self._values > _MOST_VALUES or depth > _DEEPEST:
            raise Unreadable(f"{self._file}: holds more than any template may, or itself")
        if isinstance(value, dict):
            return {_key(key): self.copied(inside, depth + 1) for key, inside in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.copied(inside, depth + 1) for inside in value]
        return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _stores(value: Any) -> Any:
    """Return the API's artifact stores, by region, as CloudFormation lists them."""
    if not isinstance(value, dict):
        return value
    return [{"region": region, "artifactStore": store} for region, store in value.items()]


def _in_template_case(value: Any) -> Any:
    """Return the API's camelCase as CloudFormation's PascalCase; configuration keys are nobody's case."""
    if isinstance(value, list):
        return [_in_template_case(item) for item in value]
    if isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: inside if key in _AS_IT_IS else _in_template_case(inside)
            for key, inside in value.items()
            if inside is not None
        }
    return value
