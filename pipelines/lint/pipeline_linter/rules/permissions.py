"""P801 to P803: an action or a rule needs a permission that its role lacks.

Source: the "Service role permissions" of each page of the action structure reference and of the rule
structure reference. Roles that another stack makes, and roles with policies of AWS's own, cannot be judged
from here and are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.findings import Rule
from pipelines.lint.pipeline_linter.roles import allows, role_of
from pipelines.lint.pipeline_linter.values import listed, literal, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.pipeline_linter.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline
    from pipelines.lint.pipeline_linter.values import Json

_CFN: Final = "cloudformation:"
_MODES: Final = {
    "CREATE_UPDATE": ["CreateStack", "UpdateStack", "DescribeStacks"],
    "REPLACE_ON_FAILURE": ["CreateStack", "UpdateStack", "DeleteStack", "DescribeStacks"],
    "DELETE_ONLY": ["DeleteStack", "DescribeStacks"],
    "CHANGE_SET_REPLACE": ["CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet", "DescribeStacks"],
    "CHANGE_SET_EXECUTE": ["ExecuteChangeSet", "DescribeChangeSet", "DescribeStacks"],
}
_NEEDS: Final[dict[str, list[str]]] = {
    "CodeBuild": ["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
    "CodeCommit": [
        "codecommit:GetBranch",
        "codecommit:GetCommit",
        "codecommit:UploadArchive",
        "codecommit:GetUploadArchiveStatus",
    ],
    "CodeDeploy": [
        "codedeploy:CreateDeployment",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "codedeploy:GetApplicationRevision",
        "codedeploy:RegisterApplicationRevision",
    ],
    "Commands": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "ECS": ["ecs:DescribeServices", "ecs:RegisterTaskDefinition", "ecs:UpdateService"],
    "Lambda": ["lambda:InvokeFunction"],
    "StepFunctions": ["states:StartExecution", "states:DescribeExecution", "states:DescribeStateMachine"],
}
_ON: Final = {
    "CodeBuild": "ProjectName",
    "CodeStarSourceConnection": "ConnectionArn",
    "Lambda": "FunctionName",
    "StepFunctions": "StateMachineArn",
}
"""The configuration key that names what the permission must be on."""
_ON_RULE: Final = {"CodeBuild": "ProjectName", "LambdaInvoke": "FunctionName"}
_RULES_NEED: Final[dict[str, list[str]]] = {
    "CloudWatchAlarm": ["cloudwatch:DescribeAlarms"],
    "CodeBuild": _NEEDS["CodeBuild"],
    "Commands": _NEEDS["Commands"],
    "LambdaInvoke": _NEEDS["Lambda"],
}
_CONNECTIONS: Final = ("codestar-connections:UseConnection", "codeconnections:UseConnection")

RULES: Final = {
    "P801": Rule(
        "an action whose role lacks a permission that the action needs",
        "Allow it in the role that the action runs as",
    ),
    "P802": Rule(
        "an action or a rule whose role the pipeline's may not take on",
        "Allow the pipeline's role sts:AssumeRole on it",
    ),
    "P803": Rule(
        "a rule whose role lacks a permission that the rule needs",
        "Allow it in the role that the rule runs as",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield permissions that are needed and not there."""
    for action in pipeline.actions:
        yield from _judge(pipeline, "P801", action.place, action.raw, _needed(action))
    for stage in pipeline.stages:
        for condition in stage.conditions():
            for rule in listed(condition.raw.get("Rules")):
                place = f"{condition.place} > {text(rule.get('Name'))}"
                yield from _judge(pipeline, "P803", place, rule, _needed_by_rule(rule))


def _judge(
    pipeline: Pipeline, rule: str, place: str, raw: Json, needs: Iterator[tuple[list[str], object]]
) -> Iterator[Finding]:
    own, other = pipeline.raw.get("RoleArn"), raw.get("RoleArn")
    if other is not None and not _may(pipeline, own, ["sts:AssumeRole"], other):
        mend = "Allow the pipeline's role sts:AssumeRole on it"
        yield pipeline.finding("P802", place, "the pipeline may not take on its role", mend)
    for needed, target in needs:
        if not _may(pipeline, own if other is None else other, needed, target):
            mend = f"Allow it in the role that the {'action' if rule == 'P801' else 'rule'} runs as"
            yield pipeline.finding(rule, place, f"its role lacks {' or '.join(needed)}", mend)


def _needed_by_rule(rule: Json) -> Iterator[tuple[list[str], object]]:
    provider = text((rule.get("RuleTypeId") or {}).get("Provider")) or ""
    target = (rule.get("Configuration") or {}).get(_ON_RULE.get(provider, ""))
    for permission in _RULES_NEED.get(provider, []):
        yield [permission], target
    if rule.get("InputArtifacts"):
        yield ["s3:GetObject"], None


def _needed(action: Action) -> Iterator[tuple[list[str], object]]:
    provider, configuration = action.kind[2], action.configuration
    target = configuration.get(_ON.get(provider, ""))
    for permission in _NEEDS.get(provider, []):
        yield [permission], target
    if provider == "CodeStarSourceConnection":
        yield list(_CONNECTIONS), target
    if provider == "Manual" and "NotificationArn" in configuration:
        yield ["sns:Publish"], configuration["NotificationArn"]
    if provider == "CloudFormation":
        mode = literal(configuration.get("ActionMode")) or ""
        for name in _MODES.get(mode, []):
            yield [_CFN + name], None
        if "RoleArn" in configuration and mode != "CHANGE_SET_EXECUTE":
            yield ["iam:PassRole"], configuration["RoleArn"]
    if provider == "S3" and action.kind[0] == "Deploy":
        yield ["s3:PutObject"], None
    if action.inputs:
        yield ["s3:GetObject"], None
    if action.outputs:
        yield ["s3:PutObject"], None


def _may(pipeline: Pipeline, arn: object, needed: list[str], target: object) -> bool:
    role = role_of(pipeline.resources, arn)
    return role is None or any(allows(role, permission, target) is not False for permission in needed)
