"""The buckets that deployments read from, and the templates that are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from environments import schema
from pipelines.core.refusals import Refused
from pipelines.deploy import artifacts, synth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.aws.accounts import Aws


def test_a_bucket_is_made_once_and_keeps_versions(aws: Aws, answers: Callable[..., None]) -> None:
    # Given no bucket, then one
    region = aws.environment.region
    name = f"payments-templates-{aws.environment.account}-{region}"
    answers("s3", client=aws.s3)
    stub = answers.stubs["s3"]  # type: ignore[attr-defined]  # for a refusal
    stub.add_client_error("head_bucket", "404", http_status_code=404)
    place: Any = {"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": region}}
    stub.add_response("create_bucket", {}, place)
    kept = {"Bucket": name, "VersioningConfiguration": {"Status": "Enabled"}}
    stub.add_response("put_bucket_versioning", {}, kept)
    stub.add_response("head_bucket", {}, {"Bucket": name})
    # Then
    assert artifacts.template_bucket(aws) == name
    assert artifacts.template_bucket(aws) == name
    # And one that may not be looked at is not made
    stub.add_client_error("head_bucket", "403", http_status_code=403)
    with pytest.raises(aws.s3.exceptions.ClientError):
        artifacts.template_bucket(aws)


def test_packages_come_from_the_bucket_that_is_named_and_on_aws_from_no_other(aws: Aws) -> None:
    assert artifacts.bucket(aws, "named") == "named"
    with pytest.raises(Refused, match="Name the artifact bucket"):
        artifacts.bucket(aws)


def test_a_template_is_uploaded_once_under_its_digest(aws: Aws, answers: Callable[..., None]) -> None:
    body = '{"Resources": {}}'
    answers("s3", client=aws.s3)
    stub = answers.stubs["s3"]  # type: ignore[attr-defined]  # for a refusal
    stub.add_client_error("head_object", "404", http_status_code=404)
    asked: list[Any] = []
    noted = "provide-client-params.s3.PutObject"
    aws.s3.meta.events.register(noted, lambda params, **_: asked.append(params))
    stub.add_response("put_object", {})
    first = artifacts.upload_template(aws, "templates-bucket", "prod", body)
    stub.add_response("head_object", {})
    assert artifacts.upload_template(aws, "templates-bucket", "prod", body) == first
    [put] = asked
    key = put["Key"]
    assert put["Bucket"] == "templates-bucket"
    assert put["ContentType"] == "application/json"
    assert first == f"https://s3.{aws.environment.region}.amazonaws.com/templates-bucket/{key}"
    assert key.startswith("templates/prod/")


def test_templates_are_written_sorted_one_file_for_each_stack(tmp_path: Path) -> None:
    environment = schema.load("local")
    written = synth.synth(environment, tmp_path)
    assert written == {name: tmp_path / "local" / f"{name}.json" for name in ("network", "payments")}
    for stack, template in synth.build(environment).items():
        text = written[stack].read_text(encoding="utf-8")
        assert json.loads(text) == template.to_dict()
        assert text.endswith("}\n")
        assert list(json.loads(text)["Resources"]) == sorted(template.to_dict()["Resources"])


def test_roles_of_environments_that_pipelines_deploy_are_bounded() -> None:
    for name in ("local", "branch", "staging", "prod"):
        roles = [
            resource["Properties"]
            for template in synth.build(schema.load(name)).values()
            for resource in template.to_dict()["Resources"].values()
            if resource["Type"] == "AWS::IAM::Role"
        ]
        bounded = ["PermissionsBoundary" in role for role in roles]
        assert bounded
        assert set(bounded) == {name != "local"}
