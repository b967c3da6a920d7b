"""Whether the template's own policies refuse an attempt, as IAM evaluates them."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests import embedded_functions

if TYPE_CHECKING:
    from tests.hostile.attempt import Attempt

Json = dict[str, Any]
ACCOUNT: Final = "444444444444"
REGION: Final = "eu-central-1"
_PSEUDO: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "payments-pipelines",
    "AWS::URLSuffix": "amazonaws.com",
}
_HERE: Final = f"{REGION}:{ACCOUNT}"
BRANCH_ROLES: Final = ("BranchBuildRole", "BranchMoneyPathRole", "NameRole", "PreviewRole")
"""Whose code is the branch's; the branch pipeline's own role is taken on by CodePipeline alone."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The pipelines stack with every name filled in.

    Attributes:
        resources: Its resources by logical id, without functions of CloudFormation in them.
        names: What the attempts' words stand for.
    """

    resources: dict[str, Json]
    names: dict[str, str]


def filled_in(template: Json) -> Stack:
    """Return the stack as CloudFormation would make it; a physical name is the logical id in lower case.

    Everything is in one account: what an account of its own refuses besides is not counted on.
    """
    resources = {name: _literal(template, part) for name, part in template["Resources"].items()}
    arn = {name: _arn(template, name) for name in template["Resources"]}
    parameter = {name: _parameter(name) for name in template["Parameters"]}
    key = "lambdas/x/1.zip"
    names = {
        "account": ACCOUNT,
        "region": REGION,
        "artifacts": "artifacts",
        "packages": "packages",
        "docs": "docsbucket",
        "templates": f"payments-templates-{ACCOUNT}-{REGION}",
        "package_key": key,
        "package_version": "1",
        "source_key": "release/Source/a",
        "built_key": "release/Built/b",
        "packages_key": "release/Packages/c",
        "evidence_key": "evidence/1/index.html",
        "domain": "librarydomain",
        "library": "library",
        "signing_key": arn["SigningKey"],
        "release_key": arn["ArtifactsKey"],
        "secret": f"arn:aws:secretsmanager:{_HERE}:secret:payments/stripe-1",
        "release_log": "buildlogs",
        "release_log_arn": arn["BuildLogs"],
        **{role_word(role): at for role, at in {**arn, **parameter}.items() if role.endswith("Role")},
        "publish_role_name": "publishrole",
        "release_pipeline": "releasepipeline",
        "remove_pipeline": "removebranchpipeline",
        "token": "token",
        "execution": "execution",
        "publish_project": "publish",
        "build_project": "build",
        "build": "build:1",
        "connection": arn["SourceConnection"],
        "change_set": "review",
        "alarm": "payments-prod-OrdersFailingAlarm-1",
        "function": "payments-prod-DataApiFunction-1",
        "workflow": f"arn:aws:states:{_HERE}:stateMachine:PaymentWorkflow",
        "schedule": "expiryschedule",
        "topic": arn["Approvals"],
        "release_turns": "releaseturns",
        "staging_function": "payments-staging-DataApiFunction-1",
    }
    return Stack(resources, names)


def role_word(role: str) -> str:
    """Return the word that attempts name a role by: `prod_deployment_role` for ProdDeploymentRole."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", role).lower()


def giving_back(stack: Stack, role: str, attempt: Attempt) -> Stack:
    """Return the stack with an attempt's permission given to a role, and no bucket or key that denies it."""
    part = copy.deepcopy(stack.resources[role])
    statement = {"Effect": "Allow", "Action": attempt.action, "Resource": "*"}
    part["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(statement)
    open_to_all = {
        name: {**each, "Properties": {**each["Properties"], "KeyPolicy": {"Statement": []}}}
        for name, each in stack.resources.items()
        if each["Type"] == "AWS::KMS::Key"
    }
    kept = {name: each for name, each in stack.resources.items() if each["Type"] != "AWS::S3::BucketPolicy"}
    return Stack({**kept, **open_to_all, role: part}, stack.names)


def allows(stack: Stack, role: str, attempt: Attempt) -> bool:
    """Return whether IAM lets a role make an attempt: its own policies, and those of buckets and keys."""
    return embedded_functions.allows(
        [*_identity(stack, role), *_denials(stack)],
        principal_arn=f"arn:aws:iam::{ACCOUNT}:role{stack.resources[role]['Properties']['Path']}{role.lower()}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=attempt.action,
        resource_arn=attempt.resource.format(**stack.names),
        region=REGION,
        source_ip="127.0.0.1",
        secure_transport=True,
    )


def shared(stack: Stack) -> list[str]:
    """Return what both zones use: projects, artifact stores, caches, logs and quotas, each by its name."""
    used: dict[str, dict[str, set[str]]] = {}

    def use(kind: str, thing: str, role: str) -> None:
        path = next(
            part["Properties"]["Path"]
            for name, part in stack.resources.items()
            if part["Type"] == "AWS::IAM::Role" and _arn({"Resources": stack.resources}, name) == role
        )
        used.setdefault(kind, {}).setdefault(thing, set()).add(path)

    for name, part in stack.resources.items():
        properties = part["Properties"]
        if part["Type"] == "AWS::CodePipeline::Pipeline":
            use("store", properties["ArtifactStore"]["Location"], properties["RoleArn"])
            for action in (action for stage in properties["Stages"] for action in stage["Actions"]):
                if "ProjectName" in action["Configuration"]:
                    use("project", action["Configuration"]["ProjectName"], properties["RoleArn"])
        if part["Type"] == "AWS::CodeBuild::Project":
            use("project", name.lower(), properties["ServiceRole"])
            use("cache", properties["Cache"]["Location"], properties["ServiceRole"])
            use("store", properties["Cache"]["Location"].partition("/")[0], properties["ServiceRole"])
            machine = properties["Environment"]
            use("quota", f"{machine['Type']} {machine['ComputeType']}", properties["ServiceRole"])
            use("log", properties["LogsConfig"]["CloudWatchLogs"]["GroupName"], properties["ServiceRole"])
    return sorted(
        f"{kind} {thing}"
        for kind, things in used.items()
        for thing, paths in things.items()
        if len(paths) > 1
    )


def _identity(stack: Stack, role: str) -> list[Json]:
    own = [policy["PolicyDocument"] for policy in stack.resources[role]["Properties"]["Policies"]]
    later = [
        part["Properties"]["PolicyDocument"]
        for part in stack.resources.values()
        if part["Type"] == "AWS::IAM::Policy" and role.lower() in part["Properties"]["Roles"]
    ]
    return [*own, *later]


def _denials(stack: Stack) -> list[Json]:
    """What the policies of buckets and keys deny to everybody; what they allow is another account's."""
    found = []
    for name, part in stack.resources.items():
        properties = part["Properties"]
        document = properties.get("KeyPolicy") or (
            properties["PolicyDocument"] if part["Type"] == "AWS::S3::BucketPolicy" else None
        )
        for statement in (document or {}).get("Statement", []):
            if statement["Effect"] == "Deny":
                here = [f"arn:aws:kms:{_HERE}:key/{name.lower()}"] if "KeyPolicy" in properties else None
                found.append({**statement, "Resource": here or statement["Resource"]})
    return [{"Version": "2012-10-17", "Statement": [_plain(statement)]} for statement in found]


def _plain(statement: Json) -> Json:
    return {key: value for key, value in statement.items() if key != "Principal"}


def _parameter(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}" if name.endswith("Role") else name.lower()


def _arn(template: Json, name: str) -> str:
    kind, physical = template["Resources"][name]["Type"], name.lower()
    path = template["Resources"][name].get("Properties", {}).get("Path", "/")
    return {
        "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role{path}{physical}",
        "AWS::S3::Bucket": f"arn:aws:s3:::{physical}",
        "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/{physical}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{physical}:*",
        "AWS::CodeBuild::Project": f"arn:aws:codebuild:{_HERE}:project/{physical}",
        "AWS::CodePipeline::Pipeline": f"arn:aws:codepipeline:{_HERE}:{physical}",
        "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{physical}",
        "AWS::CodeConnections::Connection": f"arn:aws:codeconnections:{_HERE}:connection/{physical}",
        "AWS::CodeArtifact::Domain": f"arn:aws:codeartifact:{_HERE}:domain/{physical}",
        "AWS::CodeArtifact::Repository": f"arn:aws:codeartifact:{_HERE}:repository/librarydomain/{physical}",
    }.get(kind, f"arn:aws:any:{_HERE}:{physical}")


def _literal(template: Json, value: Any) -> Any:
    if isinstance(value, list):
        return [_literal(template, inside) for inside in value]
    if not isinstance(value, dict) or "Fn::Select" in value:  # a part of the stack's id
        return value if not isinstance(value, dict) else "incarnation"
    if "Ref" in value:
        return _reference(template, value["Ref"])
    if "Fn::GetAtt" in value:
        name, attribute = value["Fn::GetAtt"]
        return _arn(template, name) if attribute == "Arn" else name.lower()
    if "Fn::Sub" in value:
        given = value["Fn::Sub"]
        text, words = (given, {}) if isinstance(given, str) else given
        for word, filling in {**_PSEUDO, **{k: _literal(template, v) for k, v in words.items()}}.items():
            text = text.replace(f"${{{word}}}", filling)
        for name in (*template["Resources"], *template["Parameters"]):
            text = text.replace(f"${{{name}}}", _reference(template, name))
        return text
    return {key: _literal(template, inside) for key, inside in value.items()}


def _reference(template: Json, name: str) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    if name in template["Parameters"]:
        return _parameter(name)
    kind = template["Resources"][name]["Type"]
    by_arn = {"AWS::SNS::Topic", "AWS::CodeConnections::Connection", "AWS::CodeArtifact::Domain"}
    by_arn |= {"AWS::CodeArtifact::Repository"}
    return _arn(template, name) if kind in by_arn else name.lower()
