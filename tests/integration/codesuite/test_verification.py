"""`payments pipeline verify`, the last look before production changes, at change sets in their accounts."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from embedded_aws import instance
from environments import schema
from pipelines.build import packaging, reproducible_zip
from pipelines.build.packaging import Package, StoredPackages
from pipelines.cli.main import main
from tests.integration.codesuite.conftest import TOOLS, Workshop, await_stacks, commands, delete_stacks, stage

STAGING, PROD = schema.load("staging"), schema.load("prod")


@dataclass(frozen=True)
class Release:
    """Packages in a folder and in the bucket, as `publish.yml` leaves them."""

    folder: Path
    package: Package
    version: str


class Accounts:
    """The stacks of staging and production, small: one function each, and a network."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self.roles = {
            one.name: workshop.role("inspection", {"AWS": f"arn:aws:iam::{TOOLS}:root"}, ["*"], one.account)
            for one in (STAGING, PROD)
        }

    def deploy(self, environment: schema.Environment, release: Release) -> None:
        """Make the environment's stacks run a release."""
        cloudformation = self._workshop.client("cloudformation", environment.account)
        role = self._workshop.role("function", "lambda.amazonaws.com", ["logs:*"], environment.account)
        for name, body, parameters in (
            (environment.network_stack, {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, []),
            (environment.default_stack, self._function(role), self._code(release)),
        ):
            cloudformation.create_stack(
                StackName=name, TemplateBody=json.dumps(body), Parameters=parameters, Tags=[]
            )
            await_stacks(cloudformation, "create", name)

    def prepare(self, change_set: str, release: Release, *, description: str = "") -> None:
        """Make change sets of production's stacks that would run a release."""
        cloudformation = self._workshop.client("cloudformation", PROD.account)
        for name in (PROD.network_stack, PROD.default_stack):
            body = json.loads(json.dumps(cloudformation.get_template(StackName=name)["TemplateBody"]))
            template = json.loads(body) if isinstance(body, str) else body
            parameters = self._code(release) if name == PROD.default_stack else []
            if name == PROD.default_stack and description:
                template["Resources"]["DataApiFunction"]["Properties"]["Description"] = description
            cloudformation.create_change_set(
                StackName=name,
                ChangeSetName=change_set,
                TemplateBody=json.dumps(template),
                Parameters=parameters,
            )

    def remove(self) -> None:
        """Delete every stack."""
        for environment in (STAGING, PROD):
            cloudformation = self._workshop.client("cloudformation", environment.account)
            delete_stacks(cloudformation, environment.default_stack, environment.network_stack)

    def _function(self, role: str) -> dict[str, Any]:
        code = {
            "S3Bucket": self._workshop.bucket,
            "S3Key": {"Ref": "DataApiCodeKey"},
            "S3ObjectVersion": {"Ref": "DataApiCodeVersion"},
        }
        properties = {"Code": code, "Handler": "app.handler", "Runtime": "python3.13", "Role": role}
        return {
            "Parameters": {"DataApiCodeKey": {"Type": "String"}, "DataApiCodeVersion": {"Type": "String"}},
            "Resources": {"DataApiFunction": {"Type": "AWS::Lambda::Function", "Properties": properties}},
        }

    def _code(self, release: Release) -> list[dict[str, str]]:
        values = {"DataApiCodeKey": release.package.key, "DataApiCodeVersion": release.version}
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


@pytest.fixture
def accounts(workshop: Workshop) -> Iterator[Accounts]:
    found = Accounts(workshop)
    yield found
    found.remove()


@pytest.fixture
def make(workshop: Workshop, tmp_path: Path) -> Callable[[str], Release]:
    """Build a release of one function whose code is these words."""

    def build(words: str) -> Release:
        folder = tmp_path / words / "dist" / "packages"
        folder.mkdir(parents=True)
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr("app.py", f"# {words}\n")
        (folder / "data_api.zip").write_bytes(body.getvalue())
        (folder / "data_api.cdx.json").write_text("{}")
        digests = [reproducible_zip.digest(folder / name) for name in ("data_api.zip", "data_api.cdx.json")]
        key = f"lambdas/data_api/{digests[0]}.zip"
        package = Package("data_api.zip", key, digests[0], 1, "", "data_api.cdx.json", digests[1])
        packaging._write_manifest(folder, {"data_api": package})
        s3 = workshop.client("s3")
        s3.put_bucket_versioning(Bucket=workshop.bucket, VersioningConfiguration={"Status": "Enabled"})
        version = s3.put_object(Bucket=workshop.bucket, Key=key, Body=body.getvalue())["VersionId"]
        packaging.write_stored(folder, StoredPackages(workshop.bucket, {"data_api": version}))
        return Release(tmp_path / words, package, version)

    return build


@pytest.fixture
def verify(
    workshop: Workshop, accounts: Accounts, embedded: instance.Instance
) -> Callable[[Release, str, str], Result]:
    """Run the command as the pipeline's build does, in an execution of a pipeline."""

    def run(release: Release, pipeline: str, execution: str) -> Result:
        environment = {
            "AWS_ENDPOINT_URL": embedded.endpoint,
            "CODEBUILD_INITIATOR": f"codepipeline/{pipeline}",
            "EXECUTION": execution,
            "APPROVED": "review-1",
            "PREPARED": "release-1",
            **{f"{name.upper()}_INSPECTION_ROLE": arn for name, arn in accounts.roles.items()},
        }
        arguments = ["pipeline", "verify", "--packages", str(release.folder)]
        return CliRunner().invoke(main, arguments, env=environment)

    return run


@pytest.fixture(scope="module")
def releasing(workshop: Workshop) -> tuple[str, str, str]:
    """A pipeline, an execution of it, and a rollback to that."""
    repository = workshop.repository()
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Run", commands("true")))
    first = workshop.start(name)
    workshop.succeeded(name, first)
    workshop.succeeded(name, workshop.start(name))
    rollback = workshop.pipelines.rollback_stage(
        pipelineName=name, stageName="Run", targetPipelineExecutionId=first
    )["pipelineExecutionId"]
    workshop.succeeded(name, rollback)
    return name, first, rollback


def test_what_was_approved_and_what_staging_runs_may_go_to_production(
    accounts: Accounts,
    make: Callable[[str], Release],
    verify: Callable[..., Result],
    releasing: tuple[str, str, str],
) -> None:
    # Given a new release in staging, an old one in production, and change sets that are the same
    old, new = make("old"), make("new")
    accounts.deploy(STAGING, new)
    accounts.deploy(PROD, old)
    accounts.prepare("review-1", new)
    accounts.prepare("release-1", new)
    # When they are compared
    result = verify(new, *releasing[:2])
    # Then production may change
    assert result.exit_code == 0, result.output
    assert "as approved, and what staging runs" in result.output


def test_other_packages_than_staging_s_are_refused_by_digest(
    accounts: Accounts,
    make: Callable[[str], Release],
    verify: Callable[..., Result],
    releasing: tuple[str, str, str],
) -> None:
    # Given that staging runs something else than this release
    old, new = make("old"), make("new")
    accounts.deploy(STAGING, old)
    accounts.deploy(PROD, old)
    accounts.prepare("review-1", new)
    accounts.prepare("release-1", new)
    # When they are compared
    result = verify(new, *releasing[:2])
    # Then what staging was told and what it really runs are both named
    assert result.exit_code == 1
    assert "Production was not changed:" in result.output
    assert f"payments-staging runs data_api from {old.package.key}" in result.output
    assert f"payments-staging runs data_api as {old.package.sha256}" in result.output
    assert f"the release holds {new.package.sha256}" in result.output


def test_code_that_was_changed_behind_staging_s_stack_is_refused(
    accounts: Accounts,
    make: Callable[[str], Release],
    verify: Callable[..., Result],
    releasing: tuple[str, str, str],
    workshop: Workshop,
) -> None:
    # Given the right release in staging, and then other code by hand
    old, new = make("old"), make("new")
    accounts.deploy(STAGING, new)
    accounts.deploy(PROD, old)
    accounts.prepare("review-1", new)
    accounts.prepare("release-1", new)
    functions = workshop.client("lambda", STAGING.account)
    (function,) = [
        one["FunctionName"]
        for one in functions.list_functions()["Functions"]
        if one["FunctionName"].startswith("payments-staging")
    ]
    functions.update_function_code(FunctionName=function, S3Bucket=workshop.bucket, S3Key=old.package.key)
    # When they are compared
    result = verify(new, *releasing[:2])
    # Then the digest of what runs tells
    assert result.exit_code == 1
    assert f"payments-staging runs data_api as {old.package.sha256}" in result.output
    assert "data_api from" not in result.output


def test_a_change_set_that_is_not_the_approved_one_is_refused(
    accounts: Accounts,
    make: Callable[[str], Release],
    verify: Callable[..., Result],
    releasing: tuple[str, str, str],
) -> None:
    # Given that the prepared change set does more than the reviewed one
    old, new = make("old"), make("new")
    accounts.deploy(STAGING, new)
    accounts.deploy(PROD, old)
    accounts.prepare("review-1", new)
    accounts.prepare("release-1", new, description="nobody saw this")
    # Then it is refused
    result = verify(new, *releasing[:2])
    assert result.exit_code == 1
    assert "payments-prod: another template than approved" in result.output


def test_a_rollback_asks_neither_staging_nor_the_approval_but_compares_its_packages(
    accounts: Accounts,
    make: Callable[[str], Release],
    verify: Callable[..., Result],
    releasing: tuple[str, str, str],
) -> None:
    # Given that staging went on, and production goes back to an earlier release; nothing was reviewed for it
    old, new = make("old"), make("new")
    accounts.deploy(STAGING, new)
    accounts.deploy(PROD, new)
    accounts.prepare("release-1", old)
    name, _, rollback = releasing
    # Then it may
    result = verify(old, name, rollback)
    assert result.exit_code == 0, result.output
    assert "A rollback to the packages of that release" in result.output
    # And not with other packages than the change set's
    refused = verify(new, name, rollback)
    assert refused.exit_code == 1
    assert f"payments-prod would run data_api from {old.package.key}" in refused.output


def test_packages_that_were_changed_on_the_way_are_refused(
    make: Callable[[str], Release], verify: Callable[..., Result], releasing: tuple[str, str, str]
) -> None:
    new = make("new")
    (new.folder / "dist" / "packages" / "data_api.zip").write_bytes(b"other")
    result = verify(new, *releasing[:2])
    assert result.exit_code == 1
    assert "data_api.zip is not what the manifest says" in " ".join(result.output.split())
