"""The buckets that deployments read from, and the templates that are written."""

from __future__ import annotations

import base64
import hashlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from environments import schema
from pipelines.aws import stacks
from pipelines.build import package_manifest
from pipelines.build.package_manifest import Image, Package, StoredPackages
from pipelines.core.refusals import Refused
from pipelines.deploy import artifacts, deployment, embedded_overrides, payment_methods, synth
from templates.capabilities.peering import PEERING_ID
from templates.capabilities.stack_interface import (
    ARTIFACT_BUCKET,
    ATTEMPT,
    DATABASE_NAME,
    IMAGE_DIGEST,
    IMAGE_REPOSITORY,
    NETWORK_STACK,
    code_key,
    code_version,
)

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


MANIFEST = {
    name: Package(f"{name}.zip", f"functions/{name}/{name}.zip", "0" * 64, 1, "s", f"{name}.json", "1" * 64)
    for name in ("data_api", "smoke")
}
STORED = StoredPackages("artifacts", {"data_api": "v1", "smoke": "v2"})


def test_a_stack_is_handed_the_key_and_the_version_of_each_package() -> None:
    # Given packages that are stored
    zips = schema.load("staging")
    # When a stack of any name is made of them
    values = deployment.parameters(zips, "feature", STORED, MANIFEST, None)
    # Then it has its network, its database and each function's code, in the version that was stored
    code = {
        code_key("data_api"): "functions/data_api/data_api.zip",
        code_version("data_api"): "v1",
        code_key("smoke"): "functions/smoke/smoke.zip",
        code_version("smoke"): "v2",
    }
    common = {NETWORK_STACK: zips.network_stack, DATABASE_NAME: "feature"}
    assert values == {**common, ARTIFACT_BUCKET: "artifacts", **code}
    with pytest.raises(Refused, match="The packages are in no bucket yet"):
        deployment.parameters(zips, "feature", None, MANIFEST, None)
    # And an environment of images has the image alone
    functions = zips.functions.model_copy(update={"packaging": "image"})
    images = zips.model_copy(update={"functions": functions})
    image = Image("repository", "sha256:0c")
    values = deployment.parameters(images, "feature", STORED, MANIFEST, image)
    assert values == {**common, IMAGE_REPOSITORY: "repository", IMAGE_DIGEST: "sha256:0c"}
    with pytest.raises(Refused, match="staging runs a container image, and none was built"):
        deployment.parameters(images, "feature", STORED, MANIFEST, None)


@pytest.mark.parametrize("stack", [None, "feature"])
def test_settings_are_written_for_a_stack_and_for_the_network_that_its_pipeline_deploys(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: str | None
) -> None:
    # Given an environment whose stacks are not there yet
    monkeypatch.setattr(stacks, "status", lambda *_: None)
    # When
    written = deployment.write_configuration(aws, MANIFEST, STORED, tmp_path, stack=stack)
    # Then branches share a network, which their pipeline does not deploy
    names = ["payments", "network"] if stack is None else ["payments"]
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        f"dist/settings/prod/{name}.json" for name in names
    ]
    parameters = [json.loads(path.read_text())["Parameters"] for path in written]
    assert parameters[0][DATABASE_NAME] == (stack or "payments-prod")
    assert parameters[0][code_version("smoke")] == "v2"
    assert parameters[1:] == [{PEERING_ID: ""}][: len(names) - 1]


def test_an_attempt_after_a_rollback_has_another_number_and_any_other_the_same(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    described: dict[str, Any] = {"StackStatus": "UPDATE_COMPLETE"}
    monkeypatch.setattr(stacks, "status", lambda *_: described["StackStatus"])
    monkeypatch.setattr(stacks, "described", lambda *_: described)
    assert deployment.next_attempt(aws, "payments") == "1"
    described["Parameters"] = [{"ParameterKey": ATTEMPT, "ParameterValue": "7"}]
    assert deployment.next_attempt(aws, "payments") == "7"
    # Another number, which is the same for no other second of ten days, and short
    described["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    now = 1_764_000_000.9
    monkeypatch.setattr("pipelines.deploy.deployment.time", SimpleNamespace(time=lambda: now))
    first = deployment.next_attempt(aws, "payments")
    now += 1
    assert first != deployment.next_attempt(aws, "payments")
    assert len(first) <= 6
    monkeypatch.setattr(stacks, "status", lambda *_: None)
    assert deployment.next_attempt(aws, "payments") == "1"


class Versioned:
    """A bucket that keeps versions of some objects, each with its checksum."""

    def __init__(self, **objects: tuple[str, str]) -> None:
        self.objects = dict(objects)
        self.put: list[str] = []

    def head_object(self, **asked: Any) -> dict[str, str]:
        assert asked["ChecksumMode"] == "ENABLED"
        if asked["Key"] not in self.objects:
            status: Any = {"HTTPStatusCode": 404}
            error: Any = {"Code": "404", "Message": "Not Found"}
            raise ClientError({"Error": error, "ResponseMetadata": status}, "HeadObject")
        version, checksum = self.objects[asked["Key"]]
        return {"VersionId": version, "ChecksumSHA256": checksum}

    def put_object(self, **asked: Any) -> dict[str, str]:
        self.put.append(asked["Key"])
        self.objects[asked["Key"]] = ("new", asked["ChecksumSHA256"])
        return {"VersionId": "new"}


def test_packages_are_stored_unless_their_very_bytes_are_there(tmp_path: Path) -> None:
    # Given a package that is stored, one whose key holds other bytes, and one that is not there
    manifest, checksums = {}, {}
    for name in ("same", "other", "absent"):
        (tmp_path / f"{name}.zip").write_bytes(name.encode())
        digest = hashlib.sha256(name.encode())
        manifest[name] = Package(f"{name}.zip", name, digest.hexdigest(), 1, "s", "sbom", "1")
        checksums[name] = base64.b64encode(digest.digest()).decode()
    bucket = Versioned(same=("old", checksums["same"]), other=("old", checksums["same"]))
    aws: Any = SimpleNamespace(s3=bucket)
    assert artifacts.stored_differences(aws, StoredPackages("b", {}), manifest) == [
        f"other is stored as {checksums['same']}, not {checksums['other']}",
        "absent in version : Not Found",
    ]
    # When
    said: list[str] = []
    passed: list[str] = []
    reporter: Any = SimpleNamespace(say=said.append, passing=passed.append)
    stored = artifacts.store_packages(aws, "b", manifest, tmp_path, reporter)
    # Then the two others are uploaded, and the versions are those that hold the bytes
    assert sorted(bucket.put) == ["absent", "other"]
    assert stored == StoredPackages("b", {"same": "old", "other": "new", "absent": "new"})
    assert said == ["2 of 3 packages uploaded to b"]
    assert sorted(passed) == ["uploading absent", "uploading other"]
    assert artifacts.stored_differences(aws, stored, manifest) == []
    # And a file that is not what was built is not uploaded
    (tmp_path / "absent.zip").write_bytes(b"changed")
    del bucket.objects["absent"]
    with pytest.raises(Refused, match=r"absent\.zip is not what the manifest says"):
        artifacts.store_packages(aws, "b", manifest, tmp_path)


@pytest.mark.parametrize("stack", [None, "feature"])
def test_a_stack_is_deployed_under_its_name_after_the_network_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, stack: str | None
) -> None:
    # Given an environment, and what is asked of AWS
    environment = schema.load("local")
    name = stack or environment.default_stack
    asked: list[Any] = []
    monkeypatch.setattr(payment_methods, "check_deployment", lambda _, checked, __: asked.append(checked))
    monkeypatch.setattr(embedded_overrides, "with_database", lambda _: environment)
    monkeypatch.setattr(embedded_overrides, "connect_atlas", lambda *_: asked.append("peered"))
    monkeypatch.setattr(artifacts, "bucket", lambda _, named: named)
    monkeypatch.setattr(artifacts, "store_packages", lambda *_: STORED)
    monkeypatch.setattr(artifacts, "upload_template", lambda _, bucket, of, __: f"{bucket}/{of}")
    monkeypatch.setattr(stacks, "status", lambda *_: None)
    monkeypatch.setattr(package_manifest, "read_image", lambda _: None)

    def deploy(_: Any, request: stacks.StackRequest, __: Any) -> str:
        asked.append((request.name, request.template_url, request.parameters.get(DATABASE_NAME)))
        return "created"

    monkeypatch.setattr(stacks, "deploy", deploy)
    # When
    aws: Any = SimpleNamespace(environment=environment, embedded=False)
    deployed = deployment.deploy(aws, MANIFEST, stack=stack, artifact_bucket="b")
    # Then open orders are asked about first, and the network is connected before the stack is made
    network = environment.network_stack
    assert asked == [name, (network, f"b/{network}", None), "peered", (name, f"b/{name}", name)]
    assert (deployed.stack, deployed.bucket) == (name, "b")
    assert deployed.changes == {network: "created", name: "created"}
