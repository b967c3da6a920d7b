"""Each protection taken away again, one at a time: the suite has to notice every one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def _give(role: str, *actions: str, resource: Any = "*") -> Callable[[Json], None]:
    def mutate(template: Json) -> None:
        policies = template["Resources"][role]["Properties"]["Policies"]
        statement = {"Sid": "Evil", "Effect": "Allow", "Action": list(actions), "Resource": resource}
        policies[0]["PolicyDocument"]["Statement"].append(statement)

    return mutate


def _share(what: str, role: str, with_: str) -> Callable[[Json], None]:
    """Let a branch's role use a release's resource in place of its own, as before there were zones."""

    def mutate(template: Json) -> None:
        part = template["Resources"][role]["Properties"]
        part["Policies"] = _renamed(part["Policies"], with_, what)

    return mutate


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, list):
        return [_renamed(inside, old, new) for inside in value]
    if isinstance(value, dict):
        return {key: _renamed(inside, old, new) for key, inside in value.items()}
    return new if value == old else value


def _without_store_policy(template: Json) -> None:
    """Name may write the release's store, and its policy denies nothing."""
    del template["Resources"]["PackagesPolicy"]
    _share("Packages", "NameRole", "BranchPackages")(template)


def _versions_without_store_policy(template: Json) -> None:
    del template["Resources"]["PackagesPolicy"]
    _give("NameRole", "s3:DeleteObjectVersion")(template)


def _without_key_policy(template: Json) -> None:
    template["Resources"]["SigningKey"]["Properties"]["KeyPolicy"]["Statement"] = []
    _give("NameRole", "kms:Sign")(template)


def _change(resource: str, *path: str | int, to: Any) -> Callable[[Json], None]:
    def mutate(template: Json) -> None:
        part = template["Resources"][resource]["Properties"]
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = to

    return mutate


SHARING: Final[dict[str, Callable[[Json], None]]] = {
    "one build project": _change(
        "BranchPipeline", "Stages", 1, "Actions", 0, "Configuration", "ProjectName", to={"Ref": "Build"}
    ),
    "one store of pipelines": _change("BranchPipeline", "ArtifactStore", "Location", to={"Ref": "Artifacts"}),
    "one cache": _change(
        "BranchBuild",
        "Cache",
        "Location",
        to={"Fn::Sub": ["${Bucket}/cache/Build", {"Bucket": {"Ref": "Artifacts"}}]},
    ),
    "one log": _change("BranchBuild", "LogsConfig", "CloudWatchLogs", "GroupName", to={"Ref": "BuildLogs"}),
    "one quota of builds": _change("BranchBuild", "Environment", "ComputeType", to="BUILD_GENERAL1_LARGE"),
    "one role": _change("BranchBuild", "ServiceRole", to={"Fn::GetAtt": ["BuildRole", "Arn"]}),
    "one path": _change("BranchBuildRole", "Path", to="/payments-pipelines/release/"),
}
"""Of the zones themselves, by what both would share again."""
MUTANTS: Final[dict[str, Callable[[Json], None]]] = {
    "one artifact store": _share("Artifacts", "BranchBuildRole", "BranchArtifacts"),
    "one artifact store for Name": _share("Artifacts", "NameRole", "BranchArtifacts"),
    "one key": _share("ArtifactsKey", "BranchBuildRole", "BranchArtifactsKey"),
    "one package store, without its policy": _without_store_policy,
    "deleting packages": _give("NameRole", "s3:DeleteObject", resource="*"),
    "deleting versions, without the store's policy": _versions_without_store_policy,
    "one docs site": _share("DocsBucket", "PreviewRole", "PreviewsBucket"),
    "a signing key for all": _without_key_policy,
    "the key's policy": _give("BranchBuildRole", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"),
    "the library": _give("BranchBuildRole", "codeartifact:PublishPackageVersion"),
    "tokens of the library": _give("BranchBuildRole", "codeartifact:GetAuthorizationToken"),
    "any role": _give("NameRole", "sts:AssumeRole"),
    "starting pipelines": _give("NameRole", "codepipeline:StartPipelineExecution"),
    "approving": _give("NameRole", "codepipeline:PutApprovalResult"),
    "retrying and rolling back": _give(
        "NameRole", "codepipeline:RetryStageExecution", "codepipeline:RollbackStage"
    ),
    "stopping": _give("NameRole", "codepipeline:StopPipelineExecution"),
    "transitions": _give("NameRole", "codepipeline:DisableStageTransition"),
    "starting builds": _give("BranchBuildRole", "codebuild:StartBuild"),
    "reports of any project": _give("BranchBuildRole", "codebuild:CreateReportGroup"),
    "any log": _give("PreviewRole", "logs:FilterLogEvents", "logs:CreateLogStream"),
    "secrets": _give("BranchBuildRole", "secretsmanager:GetSecretValue"),
    "alarms": _give("BranchBuildRole", "cloudwatch:DeleteAlarms", "cloudwatch:SetAlarmState"),
    "change sets": _give("NameRole", "cloudformation:DeleteChangeSet", "cloudformation:ExecuteChangeSet"),
    "stacks": _give("NameRole", "cloudformation:CreateStack", "cloudformation:UpdateStack"),
    "code": _give("NameRole", "lambda:UpdateFunctionCode"),
    "identities": _give("NameRole", "iam:CreateRole", "iam:PutRolePolicy"),
    "people": _give("PreviewRole", "sns:Publish", "sns:Subscribe"),
    "listing": _give("BranchBuildRole", "s3:ListBucket"),
    "buckets": _give("BranchBuildRole", "s3:PutBucketPolicy", "s3:PutBucketVersioning"),
    "names": _give("BranchBuildRole", "s3:CreateBucket"),
}
"""By what is given back."""


def mutated(template: Json, name: str) -> Json:
    """Return a copy of the template without one protection."""
    copied = copy.deepcopy(template)
    ({**SHARING, **MUTANTS}[name])(copied)
    return copied
