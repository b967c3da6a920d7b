"""P801 to P804: an action or a rule needs a permission that its role lacks, or nobody may take a role on.

Source: the "Service role permissions" of each page of the action structure reference and of the rule
structure reference. Names are compared as the template resolves them; explicit denials count, and so do the
policies of buckets, topics and roles in the template. A role that another stack makes, or that has policies
of AWS's own, cannot be judged from here; where the template cannot say, nothing is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter import values
from pipelines.lint.pipeline_linter.model import stores
from pipelines.lint.pipeline_linter.roles import Permissions
from pipelines.lint.pipeline_linter.values import literal, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline
    from pipelines.lint.pipeline_linter.values import Json

_STACK_ACTIONS: Final = {
    "CREATE_UPDATE": ["CreateStack", "UpdateStack", "DescribeStacks"],
    "REPLACE_ON_FAILURE": ["CreateStack", "UpdateStack", "DeleteStack", "DescribeStacks"],
    "DELETE_ONLY": ["DeleteStack", "DescribeStacks"],
    "CHANGE_SET_REPLACE": ["CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet", "DescribeStacks"],
    "CHANGE_SET_EXECUTE": ["ExecuteChangeSet", "DescribeChangeSet", "DescribeStacks"],
}
_NEEDS: Final[dict[str, list[str]]] = {
    "CodeBuild": ["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
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
_COMMIT: Final = ["codecommit:GetBranch", "codecommit:GetCommit"]
_ARCHIVE: Final = ["codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus"]
_ON: Final = {
    "CodeBuild": ("ProjectName", values.PROJECT),
    "CodeStarSourceConnection": ("ConnectionArn", values.AS_IT_IS),
    "Lambda": ("FunctionName", values.FUNCTION),
    "LambdaInvoke": ("FunctionName", values.FUNCTION),
    "StepFunctions": ("StateMachineArn", values.AS_IT_IS),
}
"""The configuration key that names what the permission must be on, and the form of its ARN."""
_NOT_ON_IT: Final = {"states:DescribeExecution"}
"""Permissions that are on something else than what the key names."""
_RULES_NEED: Final[dict[str, list[str]]] = {
    "CloudWatchAlarm": ["cloudwatch:DescribeAlarms"],
    "CodeBuild": _NEEDS["CodeBuild"],
    "Commands": _NEEDS["Commands"],
    "LambdaInvoke": _NEEDS["Lambda"],
}
_SOMETIMES: Final = {
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "codedeploy:GetApplicationRevision",
    "codedeploy:RegisterApplicationRevision",
    *_NEEDS["Commands"],
}
"""Permissions that an action asks for in some of its runs alone, as when an earlier change set is left."""
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
    "P804": Rule(
        "a pipeline whose role CodePipeline may not take on",
        "Allow codepipeline.amazonaws.com sts:AssumeRole in its AssumeRolePolicyDocument",
    ),
}
_SERVICE: Final = "codepipeline.amazonaws.com"


@dataclass(frozen=True, slots=True)
class _Need:
    """A permission of any of these names, on a target; any target will do where it is none."""

    names: tuple[str, ...]
    target: values.Target | None = None


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield permissions that are needed and not there."""
    permissions = Permissions(pipeline.resources)
    bucket = _bucket(pipeline)
    for action in pipeline.actions:
        needs = [*_needs_of_action(action), *_artifacts(action, bucket)]
        yield from _judge(pipeline, permissions, "P801", action.place, action.raw, needs)
    for condition in pipeline.conditions:
        for place, provider, rule in condition.rules():
            needs = list(_needs_of_rule(provider, rule, bucket))
            yield from _judge(pipeline, permissions, "P803", place, rule, needs)
    own = permissions.role(pipeline.raw.get("RoleArn"))
    if own is not None and permissions.trusts(own, _SERVICE) is False:
        problem = f"its role {own.name} does not trust {_SERVICE}"
        yield pipeline.finding("P804", pipeline.name, problem, RULES["P804"].fix)


def _judge(  # noqa: PLR0917 - a place and what is asked of it
    pipeline: Pipeline, permissions: Permissions, rule: str, place: str, raw: Json, needs: list[_Need]
) -> Iterator[Finding]:
    own, other = permissions.role(pipeline.raw.get("RoleArn")), raw.get("RoleArn")
    actor = own if other is None else permissions.role(other)
    if other is not None and own is not None:
        target = values.Target(other, values.AS_IT_IS)
        if permissions.may(own, ("sts:AssumeRole",), target) is False:
            fix = "Allow the pipeline's role sts:AssumeRole on it"
            problem = "the pipeline may not take on its role"
            yield pipeline.finding("P802", place, problem, fix, _level(permissions, target, "sts:AssumeRole"))
    if actor is None:
        return
    for need in needs:
        if permissions.may(actor, need.names, need.target) is False:
            fix = f"Allow it in the role that the {'action' if rule == 'P801' else 'rule'} runs as"
            problem = f"its role lacks {' or '.join(need.names)}"
            yield pipeline.finding(rule, place, problem, fix, _level(permissions, need.target, need.names[0]))


def _level(permissions: Permissions, target: values.Target | None, name: str) -> Level:
    """Return a warning where a policy of the target, in another stack, may give it, or few runs need it."""
    of_target = name.partition(":")[0] in {"s3", "sns", "sts", "lambda"} and not permissions.holds(target)
    return Level.WARNING if of_target or name in _SOMETIMES else Level.ERROR


def _bucket(pipeline: Pipeline) -> values.Target | None:
    """Return the objects of the artifact bucket; none where there are several, or none."""
    buckets = list(stores(pipeline).values())
    return values.Target(buckets[0], values.OBJECTS) if len(buckets) == 1 and buckets[0] else None


def _needs_of_rule(provider: str, rule: Json, bucket: values.Target | None) -> Iterator[_Need]:
    configuration = mapping(rule.get("Configuration"))
    for name in _RULES_NEED.get(provider, []):
        yield _Need((name,), _target(provider, configuration, name))
    if rule.get("InputArtifacts"):
        yield _Need(("s3:GetObject",), bucket)


def _target(provider: str, configuration: Json, name: str) -> values.Target | None:
    key, form = _ON.get(provider, ("", values.AS_IT_IS))
    value = configuration.get(key)
    return None if value is None or name in _NOT_ON_IT else values.Target(value, form)


def _needs_of_action(action: Action) -> Iterator[_Need]:
    provider, configuration = action.kind[2], action.configuration
    if action.kind[1] != "AWS":
        return
    if (action.kind[0], provider) == ("Deploy", "Lambda"):
        return
    for name in _NEEDS.get(provider, []):
        yield _Need((name,), _target(provider, configuration, name))
    if provider == "CodeStarSourceConnection":
        yield _Need(_CONNECTIONS, _target(provider, configuration, ""))
    if provider == "CodeCommit":
        whole = literal(configuration.get("OutputArtifactFormat")) == "CODEBUILD_CLONE_REF"
        for name in [*_COMMIT, *(["codecommit:GetRepository"] if whole else _ARCHIVE)]:
            yield _Need((name,))
    if provider == "Manual" and "NotificationArn" in configuration:
        yield _Need(("sns:Publish",), values.Target(configuration["NotificationArn"], values.AS_IT_IS))
    if provider == "CloudFormation":
        yield from _needs_of_stack(configuration)
    if provider == "S3" and action.kind[0] == "Deploy":
        yield _Need(("s3:PutObject",), values.Target(configuration.get("BucketName"), values.OBJECTS))


def _needs_of_stack(configuration: Json) -> Iterator[_Need]:
    mode = literal(configuration.get("ActionMode")) or ""
    stack = values.Target(configuration.get("StackName"), values.STACK)
    for name in _STACK_ACTIONS.get(mode, []):
        yield _Need((f"cloudformation:{name}",), stack)
    if "RoleArn" in configuration and mode != "CHANGE_SET_EXECUTE":
        yield _Need(("iam:PassRole",), values.Target(configuration["RoleArn"], values.AS_IT_IS))


def _artifacts(action: Action, bucket: values.Target | None) -> Iterator[_Need]:
    if action.inputs:
        yield _Need(("s3:GetObject",), bucket)
    if action.outputs:
        yield _Need(("s3:PutObject",), bucket)
