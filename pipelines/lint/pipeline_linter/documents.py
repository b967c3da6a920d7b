"""Reads pipelines out of files: CloudFormation templates in JSON or YAML, and plain create-pipeline input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from pipelines.lint.pipeline_linter.findings import Unreadable
from pipelines.lint.pipeline_linter.model import Pipeline
from pipelines.lint.pipeline_linter.values import text

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.lint.pipeline_linter.values import Json

_PIPELINE = "AWS::CodePipeline::Pipeline"
_AS_IT_IS = {"configuration"}
_NOTHING = {"Ref": "AWS::NoValue"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as `!Ref`; a date stays the text that it was."""


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


def read(path: Path) -> list[Pipeline]:
    """The pipelines of a file; a template without any gives none.

    Raises:
        Unreadable: It is neither a template nor a pipeline.
    """
    try:
        document = _parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Unreadable(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise Unreadable(f"{path}: holds no template and no pipeline")
    return of_document(document, str(path))


def _parsed(text: str) -> Any:
    # JSON is YAML too, but a hundred times slower to read as such.
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass  # a flow mapping, as YAML may begin with
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader


def of_document(document: Json, file: str) -> list[Pipeline]:
    """The pipelines of a parsed template, or of create-pipeline or get-pipeline JSON.

    Raises:
        Unreadable: It is neither.
    """
    if isinstance(document.get("Resources"), dict):
        resources = _first_choice(document["Resources"])
        return [
            Pipeline(file, name, resource.get("Properties") or {}, resources)
            for name, resource in resources.items()
            if isinstance(resource, dict) and resource.get("Type") == _PIPELINE
        ]
    declared = document.get("pipeline", document)
    if not isinstance(declared, dict) or "stages" not in declared:
        raise Unreadable(f"{file}: holds no template and no pipeline")
    raw = _in_template_case(declared)
    return [Pipeline(file, text(raw.get("Name")) or "pipeline", raw)]


def _first_choice(value: Any) -> Any:
    """What a template says if every condition holds, as far as a branch says anything at all."""
    if isinstance(value, list):
        return [one for one in map(_first_choice, value) if one != _NOTHING]
    if not isinstance(value, dict):
        return value
    match value.get("Fn::If"):
        case [_, yes, no]:
            return _first_choice(no if yes == _NOTHING else yes)
    chosen = {key: _first_choice(inside) for key, inside in value.items()}
    return {key: inside for key, inside in chosen.items() if inside != _NOTHING}


def _in_template_case(value: Any) -> Any:
    """The API's camelCase as CloudFormation's PascalCase; configuration keys are nobody's case."""
    if isinstance(value, list):
        return [_in_template_case(item) for item in value]
    if isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: inside if key in _AS_IT_IS else _in_template_case(inside)
            for key, inside in value.items()
        }
    return value
