"""Where container images are kept, and who builds them: only where an environment asks for them."""

import json
from typing import Any

import pytest

from environments import schema, tools
from pipelines.core.refusals import Refused
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.lint import repository_templates

Json = dict[str, Any]


def of_type(template: Json, kind: str) -> dict[str, Json]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def privileged(template: Json) -> set[str]:
    projects = of_type(template, "AWS::CodeBuild::Project")
    return {name for name, one in projects.items() if one["Properties"]["Environment"]["PrivilegedMode"]}


@pytest.fixture(scope="module")
def with_images(settings: tools.Tools) -> Json:
    built: Json = pipelines_stack.build(settings, ("branch", "staging", "prod")).to_dict()
    return built


def test_without_images_there_is_no_repository_and_no_build_is_privileged(pipelines_template: Json) -> None:
    assert of_type(pipelines_template, "AWS::ECR::Repository") == {}
    assert privileged(pipelines_template) == set()


def test_linters_find_nothing_in_pipelines_that_build_images(with_images: Json) -> None:
    assert repository_templates.judged({"pipelines": with_images}, "eu-central-1") == []


def test_repositories_never_move_a_tag_and_look_for_weaknesses(with_images: Json) -> None:
    repositories = of_type(with_images, "AWS::ECR::Repository")
    assert set(repositories) == {"BranchImages", "ReleaseImages"}
    for name, repository in repositories.items():
        given = repository["Properties"]
        assert given["ImageTagMutability"] == "IMMUTABLE", name
        assert given["ImageScanningConfiguration"] == {"ScanOnPush": True}, name
        assert given["EncryptionConfiguration"]["EncryptionType"] == "KMS", name
        assert "RepositoryName" not in given, name
        assert repository["DeletionPolicy"] == "RetainExceptOnCreate", name


def test_what_a_release_was_is_kept_and_what_a_branch_was_expires(with_images: Json) -> None:
    expiring = {
        name: json.loads(one["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        for name, one in of_type(with_images, "AWS::ECR::Repository").items()
    }
    assert [rule["selection"]["tagStatus"] for rule in expiring["ReleaseImages"]] == ["untagged"]
    assert [rule["selection"]["tagStatus"] for rule in expiring["BranchImages"]] == ["any"]


def test_the_environments_accounts_alone_pull(with_images: Json) -> None:
    policy = with_images["Resources"]["ReleaseImages"]["Properties"]["RepositoryPolicyText"]
    by_role, by_lambda = policy["Statement"]
    assert by_role["Principal"] == {"AWS": [{"Ref": "StagingExecutionRole"}, {"Ref": "ProdExecutionRole"}]}
    for statement in (by_role, by_lambda):
        assert statement["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    functions = [one["Fn::Sub"] for one in by_lambda["Condition"]["ArnLike"]["aws:SourceArn"]]
    accounts = [schema.load(name).account for name in ("staging", "prod")]
    assert [text.rsplit(":", 3)[1] for text in functions] == accounts


def test_only_the_builds_that_upload_packages_are_privileged_and_push(with_images: Json) -> None:
    assert privileged(with_images) == {"Publish", "Name"}
    pushes = {}
    for name, role in of_type(with_images, "AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if "ecr:PutImage" in statement["Action"]:
                    (repository,) = statement["Resource"]
                    pushes[name] = repository["Fn::GetAtt"][0]
    # A branch's build runs the branch's code, and never reaches what production runs
    assert pushes == {"PublishRole": "ReleaseImages", "NameRole": "BranchImages"}


def test_what_is_privileged_runs_on_arm_as_the_functions_do(with_images: Json) -> None:
    for name in privileged(with_images):
        environment = with_images["Resources"][name]["Properties"]["Environment"]
        assert environment["Type"] == "ARM_CONTAINER"
        told = {one["Name"]: one["Value"] for one in environment["EnvironmentVariables"]}
        assert told["IMAGE_REPOSITORY"]["Fn::GetAtt"][1] == "RepositoryUri"


def test_staging_is_packaged_as_production_is(settings: tools.Tools) -> None:
    with pytest.raises(Refused, match="packaged in two ways"):
        pipelines_stack.build(settings, ("prod",))


def test_branches_alone_may_run_images(settings: tools.Tools) -> None:
    template = pipelines_stack.build(settings, ("branch",)).to_dict()
    assert set(of_type(template, "AWS::ECR::Repository")) == {"BranchImages"}
    assert privileged(template) == {"Name"}


@pytest.mark.parametrize("packaging", ["zip", "image"])
def test_cloudformation_pulls_only_where_the_environment_runs_images(
    settings: tools.Tools, packaging: str
) -> None:
    stated = schema.load("prod")
    functions = stated.functions.model_copy(update={"packaging": packaging})
    environment = stated.model_copy(update={"functions": functions})
    template = bootstrap_stack.build(settings, environment).to_dict()
    (policy,) = template["Resources"]["ExecutionRole"]["Properties"]["Policies"]
    pulls = [one for one in policy["PolicyDocument"]["Statement"] if "ecr:BatchGetImage" in one["Action"]]
    assert [one["Sid"] for one in pulls] == (["PullImages"] if packaging == "image" else [])
