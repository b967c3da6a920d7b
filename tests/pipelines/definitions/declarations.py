"""A pipeline of a template as CloudFormation would send it to CodePipeline."""

from __future__ import annotations

import re
from typing import Any

ARN = "arn:aws:iam::444444444444:role/payments-pipelines/x"
_BUCKETS = ({"Ref": "Artifacts"}, {"Ref": "BranchArtifacts"})
_AS_IT_IS = {"Configuration"}


def create_pipeline_input(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The input of create_pipeline; what CloudFormation fills in is filled in with an ARN or a word."""
    declared = _camel_case(_filled_in(properties))
    declared.pop("restartExecutionOnUpdate", None)
    return {"pipeline": {**declared, "name": name}}


def _filled_in(value: Any) -> Any:
    if isinstance(value, list):
        return [_filled_in(item) for item in value]
    if value in _BUCKETS:
        return "artifacts"
    if isinstance(value, dict) and set(value) & {"Ref", "Fn::GetAtt", "Fn::Sub"}:
        said = value.get("Fn::Sub")
        text = said[0] if isinstance(said, list) else said
        return re.sub(r"\$\{[^}]*\}", "https://docs.example", text) if text else ARN
    if isinstance(value, dict):
        return {key: _filled_in(inside) for key, inside in value.items()}
    return value


def _camel_case(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel_case(item) for item in value]
    if isinstance(value, dict):
        return {
            key[:1].lower() + key[1:]: inside if key in _AS_IT_IS else _camel_case(inside)
            for key, inside in value.items()
        }
    return value
