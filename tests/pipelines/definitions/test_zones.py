"""Two zones of trust: nothing that a branch's build can write is read by a release."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.core.zone import Trust
from pipelines.definitions.projects import COMPUTE_TYPES

Json = dict[str, Any]
READS = ("Get", "List", "Describe", "Batch", "Decrypt")
GONE_BRANCHES = {"UnpublishRole"}
"""It deletes what is left of a branch's preview, and so lists it."""


def roles(template: Json, zone: str) -> dict[str, Json]:
    """The roles of a zone by logical id."""
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        and resource["Properties"]["Path"] == f"/payments-pipelines/{zone}/"
    }


def statements(template: Json, role: str) -> list[Json]:
    """What a role may do, by its own policies and by those that were attached to it later."""
    documents = [
        policy["PolicyDocument"] for policy in template["Resources"][role]["Properties"].get("Policies", [])
    ]
    documents += [
        resource["Properties"]["PolicyDocument"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


def things(statement: Json) -> set[str]:
    """The resources and parameters of the stack that a statement's resources name."""
    text = json.dumps(statement["Resource"])
    return {
        name
        for name in (
            "Artifacts",
            "ArtifactsKey",
            "BranchArtifacts",
            "BranchArtifactsKey",
            "BranchImages",
            "BranchPackages",
            "DocsBucket",
            "Library",
            "Packages",
            "PreviewsBucket",
            "ReleaseImages",
            "SigningKey",
        )
        if f'"{name}"' in text
    }


def touched(template: Json, zone: str, *, reading: bool) -> dict[str, set[str]]:
    """What the roles of a zone read, or write, by role."""
    found: dict[str, set[str]] = {}
    for name in roles(template, zone):
        for statement in statements(template, name):
            verbs = [action.partition(":")[2] for action in statement["Action"]]
            if any(verb.startswith(READS) == reading for verb in verbs):
                found.setdefault(name, set()).update(things(statement))
    return found


def test_no_release_reads_what_a_branch_can_write(pipelines_template: Json) -> None:
    # Given what each role of each zone reads and writes of what the stack keeps
    written = set().union(*touched(pipelines_template, "branch", reading=False).values())
    read = touched(pipelines_template, "release", reading=True)
    assert written == {"BranchArtifacts", "BranchArtifactsKey", "BranchPackages", "PreviewsBucket"}
    # Then no role of a release reads any of it, but the one that removes previews
    assert {name: seen & written for name, seen in read.items() if seen & written} == {
        name: {"PreviewsBucket"} for name in GONE_BRANCHES
    }


def test_no_branch_touches_what_releases_keep(pipelines_template: Json) -> None:
    of_branches = {"BranchArtifacts", "BranchArtifactsKey", "BranchPackages", "PreviewsBucket"}
    for reading in (True, False):
        for name, seen in touched(pipelines_template, "branch", reading=reading).items():
            assert seen <= of_branches, name


def test_every_role_belongs_to_a_zone(pipelines_template: Json) -> None:
    every = {
        name
        for name, resource in pipelines_template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    branch, release = (set(roles(pipelines_template, zone)) for zone in ("branch", "release"))
    assert branch | release == every
    assert branch == {
        "BranchPipelineRole",
        "BranchBuildRole",
        "BranchMoneyPathRole",
        "BranchTurnsRole",
        "NameRole",
        "PreviewRole",
    }


def test_a_pipeline_runs_projects_of_its_own_zone_alone(
    pipelines: dict[str, Json], pipelines_template: Json
) -> None:
    for name, pipeline in pipelines.items():
        zone = "branch" if name == "BranchPipeline" else "release"
        used = {
            action["Configuration"]["ProjectName"]["Ref"]
            for stage in pipeline["Stages"]
            for action in stage["Actions"]
            if action["ActionTypeId"]["Provider"] == "CodeBuild"
        }
        assert {f"{project}Role" for project in used} <= set(roles(pipelines_template, zone)), name
        bucket = {"branch": "BranchArtifacts", "release": "Artifacts"}[zone]
        assert pipeline["ArtifactStore"]["Location"] == {"Ref": bucket}


@pytest.mark.parametrize("zone", ["branch", "release"])
def test_every_build_writes_its_own_artifact_and_its_own_cache(pipelines_template: Json, zone: str) -> None:
    made = {"Build": "Built", "BranchBuild": "Built", "Publish": "Packages", "Name": "Named"}
    made |= {"Evidence": "Reviewed*", "Verify": "Recorded", "MoneyPath": "Proven"}
    stores = {"branch": ("BranchArtifacts", "BranchPackages"), "release": ("Artifacts", "Packages")}[zone]
    for name in roles(pipelines_template, zone):
        project = name.removesuffix("Role")
        if pipelines_template["Resources"].get(project, {}).get("Type") != "AWS::CodeBuild::Project":
            continue
        written = {
            resource["Fn::Sub"][0].partition("/")[2]
            for statement in statements(pipelines_template, name)
            if "s3:PutObject" in statement["Action"] and things(statement) & set(stores)
            for resource in statement["Resource"]
        }
        expected = {f"cache/{project}/*"}
        expected |= {f"*/{made[project]}/*"} if project in made else set()
        expected |= {"lambdas/*"} if project in {"Name", "Publish"} else set()
        assert written == expected, name
        cache = pipelines_template["Resources"][project]["Properties"]["Cache"]["Location"]["Fn::Sub"]
        assert cache == [f"${{Bucket}}/cache/{project}", {"Bucket": {"Ref": stores[0]}}]


def test_only_publish_writes_packages_of_releases_and_signs(pipelines_template: Json) -> None:
    # Given the policies of the store and of the key, which deny whatever a role's own policy comes to say
    resources = pipelines_template["Resources"]
    publish = {"Fn::GetAtt": ["PublishRole", "Arn"]}
    (writing,) = (
        statement
        for statement in resources["PackagesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if statement["Sid"] == "NobodyElseWrites"
    )
    (signing,) = (
        statement
        for statement in resources["SigningKey"]["Properties"]["KeyPolicy"]["Statement"]
        if statement["Effect"] == "Deny"
    )
    # Then both except the one role
    assert writing["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": publish}
    assert {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"} <= set(writing["Action"])
    assert signing["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": publish}
    assert signing["Action"] == ["kms:Sign"]
    # And no other role asks for it, nor for deleting a package
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            for statement in statements(pipelines_template, name):
                if "kms:Sign" in statement["Action"]:
                    assert name == "PublishRole"
                if "Packages" in things(statement):
                    assert not {"s3:DeleteObject", "s3:DeleteObjectVersion"} & set(statement["Action"]), name


def test_packages_of_releases_stay_and_every_bucket_keeps_versions(pipelines_template: Json) -> None:
    buckets = {
        name: resource["Properties"]
        for name, resource in pipelines_template["Resources"].items()
        if resource["Type"] == "AWS::S3::Bucket"
    }
    assert set(buckets) == {"Artifacts", "BranchArtifacts", "BranchPackages", "Packages"}
    for name, bucket in buckets.items():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
    rules = buckets["Packages"]["LifecycleConfiguration"]["Rules"]
    assert [rule["Id"] for rule in rules] == ["Uploads"]
    # And of a release's artifacts only caches go with time, of a branch's everything
    expiring = {
        name: {
            rule["Prefix"]
            for rule in buckets[name]["LifecycleConfiguration"]["Rules"]
            if "ExpirationInDays" in rule
        }
        for name in ("Artifacts", "BranchArtifacts")
    }
    assert expiring == {"Artifacts": {"cache/"}, "BranchArtifacts": {""}}


def test_what_is_retained_can_be_made_again_after_a_failed_creation(pipelines_template: Json) -> None:
    kept = {
        name: resource["DeletionPolicy"]
        for name, resource in pipelines_template["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert {"LibraryDomain", "Library", "SourceConnection", "Packages"} <= set(kept)
    # Turns of a schedule that could not be started tell nothing once the stack is gone
    assert kept.pop("ExpiryNotStarted") == "Delete"
    assert set(kept.values()) == {"RetainExceptOnCreate"}
    # And what CloudFormation cannot name by itself is called otherwise in each incarnation of the stack
    resources = pipelines_template["Resources"]
    for name, key in (("LibraryDomain", "DomainName"), ("SourceConnection", "ConnectionName")):
        _, words = resources[name]["Properties"][key]["Fn::Sub"]
        assert "AWS::StackId" in json.dumps(words), name


@pytest.mark.parametrize(
    ("zone", "strangers"),
    [
        ("", {"BranchDeploymentRole", "BranchExecutionRole"}),
        (
            "Branch",
            {"ProdDeploymentRole", "ProdExecutionRole", "StagingDeploymentRole", "StagingExecutionRole"},
        ),
    ],
)
def test_a_zone_keeps_the_other_zone_s_roles_out_also_where_one_account_is_both(
    pipelines_template: Json, zone: str, strangers: set[str]
) -> None:
    # Given that in one account a role's own policy is enough to read a bucket of any name
    resources = pipelines_template["Resources"]
    policies = [
        resources[f"{zone}ArtifactsPolicy"]["Properties"]["PolicyDocument"],
        resources[f"{zone}PackagesPolicy"]["Properties"]["PolicyDocument"],
        resources[f"{zone}ArtifactsKey"]["Properties"]["KeyPolicy"],
    ]
    keys = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"]
    # Then both stores and the key of a zone refuse every role that deploys for the other one
    for policy, actions in zip(policies, [*[["s3:GetObject", "s3:GetObjectVersion"]] * 2, keys], strict=True):
        (refused,) = (part for part in policy["Statement"] if part["Sid"] == "OtherZoneStaysOut")
        assert (refused["Effect"], refused["Principal"], refused["Action"]) == ("Deny", {"AWS": "*"}, actions)
        named = refused["Condition"]["ArnEquals"]["aws:PrincipalArn"]
        assert {role["Ref"] for role in named} == strangers
        # And none of those that it lets in
        (let_in,) = (part for part in policy["Statement"] if part["Sid"] == "TargetAccountsRead")
        assert not {role["Ref"] for role in let_in["Principal"]["AWS"]} & strangers


def test_releases_alone_are_checked_and_built_on_a_large_machine(pipelines_template: Json) -> None:
    machines = {
        name: (
            resource["Properties"]["Environment"]["Type"],
            resource["Properties"]["Environment"]["ComputeType"],
        )
        for name, resource in pipelines_template["Resources"].items()
        if resource["Type"] == "AWS::CodeBuild::Project"
    }
    large = COMPUTE_TYPES[Trust.RELEASE][True]
    assert [name for name, (_, computed) in machines.items() if computed == large] == ["Build", "MoneyPath"]
    # And no branch's build waits in a queue that a release's does
    of_branches = {role.removesuffix("Role") for role in roles(pipelines_template, "branch")}
    branches = {machine for name, machine in machines.items() if name in of_branches}
    assert branches.isdisjoint({machine for name, machine in machines.items() if name not in of_branches})
