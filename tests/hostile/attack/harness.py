"""A release that waits for its approval while a hostile branch goes through the branch pipeline."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.aws import stacks
from pipelines.aws.accounts import DOCS_STACK, PIPELINES_STACK
from pipelines.core.reporting import NOBODY
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides
from pipelines.promotion import control, execution, failure_report
from pipelines.rehearsal import rehearsal
from tests.hostile import payload, policies
from tests.proofs import small_builds

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.execution import Promotion
    from pipelines.rehearsal.rehearsal import Rehearsal

Json = dict[str, Any]
RELEASE, HOSTILE, MISNAMED = "feature/release", "evil/everything", "evil/stack-name"
_BUILDSPECS: Final = {
    "build": "buildspec.yml",
    "money-path": "pipelines/definitions/buildspecs/money-path.yml",
    "name": "pipelines/definitions/buildspecs/name.yml",
    "preview": "pipelines/definitions/buildspecs/docs.yml",
}
LOGS: Final = {
    "build": "BranchBuildLogs",
    "money-path": "BranchMoneyPathLogs",
    "name": "NameLogs",
    "preview": "PreviewLogs",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the attack.

    Attributes:
        attempts: Each attempt of each build: build, name, outcome and answer.
        before: What a release is made of, before the attack.
        after: The same after it.
        hostile: How the hostile branch's execution ended, and with which stages.
        misnamed: The execution whose build called its stack `payments-prod`.
        release: The release, approved after the attack.
        digests: The digests of staging's and production's functions after the release.
        poisoned: Files with the attack's mark in caches that a release's builds use.
    """

    attempts: list[Json]
    before: dict[str, Any]
    after: dict[str, Any]
    hostile: Promotion
    misnamed: Promotion
    release: Promotion
    digests: dict[str, dict[str, str]]
    poisoned: list[str]


def attack(instance: Instance, environments: dict[str, str]) -> Outcome:
    """Bring a release to its approval, attack it, then approve it.

    Args:
        instance: An embedded AWS that nothing was deployed to.
        environments: The environments' files that the release is of, where they are not this checkout's.
    """
    with pytest.MonkeyPatch.context() as patch:  # what it poisons is not this checkout's
        patch.setattr(embedded_overrides, "CACHE", instance.root / "caches")
        prepared = rehearsal.prepare(instance, NOBODY)
    branch = prepared.commit(RELEASE, "Try a thing", small_builds.files("release") | environments)
    release = prepared.merge(RELEASE)
    _stop(prepared.aws, branch)
    _follow(prepared, release, approve=False)
    if release.status != execution.WAITING:
        raise AssertionError(explained(prepared.aws, release))
    names = _names(prepared, release)
    before = _state(prepared, names, instance.root)
    hostile = prepared.commit(HOSTILE, "Improve docs", _hostile_files(names))
    misnamed = prepared.commit(MISNAMED, "Fix a typo", _misnaming_files())
    _follow(prepared, hostile, approve=False)
    _follow(prepared, misnamed, approve=False)
    after = _state(prepared, names, instance.root)
    attempts = _attempts(prepared.aws)
    _follow(prepared, release, approve=True)
    digests = {name: _digests(prepared.targets[name]) for name in ("staging", "prod")}
    poisoned = _poisoned(instance.root, _physical(prepared.aws))
    return Outcome(attempts, before, after, hostile, misnamed, release, digests, poisoned)


def explained(prepared: Aws, promotion: Promotion) -> str:
    """Return why a promotion ended as it did."""
    report = failure_report.explain(prepared, promotion.pipeline, promotion.execution)
    return "\n".join([*(report.log.end if report.log else ()), *report.sentences()])


def _poisoned(root: Path, physical: dict[str, str]) -> list[str]:
    """Return the files with the attack's mark in the caches of the release's builds.

    Those are the host's, that a rehearsal shares between the builds of a zone, and the projects' own
    (`embedded_aws.codebuild.outputs` names their folders).
    """
    folders = [root / "caches" / folder / "release" for folder in ("checked", "proven")]
    folders.append(root / "caches" / "packages")
    for project in ("Build", "MoneyPath", "Publish", "Evidence", "Verify", "Docs"):
        for folder in (".cache/checked", ".cache/proven", ".cache/packages", ".cache/uv"):
            name = hashlib.sha256(f"{physical[project]}\0{folder}".encode()).hexdigest()[:20]
            folders.append(root / "state" / "services" / "cache" / name)
    files = [file for folder in folders if folder.exists() for file in folder.rglob("*") if file.is_file()]
    return [str(file) for file in files if payload.EVIL in file.read_bytes()]


def _stop(tools: Aws, promotion: Promotion) -> None:
    tools.client("codepipeline").stop_pipeline_execution(
        pipelineName=promotion.pipeline, pipelineExecutionId=promotion.execution, abandon=True
    )


def _follow(prepared: Rehearsal, promotion: Promotion, *, approve: bool) -> None:
    execution.follow(
        prepared.aws,
        promotion,
        watch=lambda _: None,
        decide=lambda _: (True, "after the attack") if approve else None,
    )


def _hostile_files(names: dict[str, str]) -> dict[str, str]:
    files = small_builds.files("hostile")
    for build, path in _BUILDSPECS.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        command = f"  build:\n    commands:\n      - .venv/bin/python -m tests.hostile.payload {build}\n"
        files[path] = text.replace("  build:\n    commands:\n", command)
    files["tests/hostile/targets.json"] = json.dumps(names)
    return files


def _misnaming_files() -> dict[str, str]:
    path = _BUILDSPECS["name"]
    text = (ROOT / path).read_text(encoding="utf-8")
    last = "      - export STACK_NAME=payments-prod\n\nartifacts:"
    return {**small_builds.files("misnamed"), path: text.replace("\nartifacts:", last, 1)}


def _names(prepared: Rehearsal, release: Promotion) -> dict[str, str]:
    """Return the true name of everything that the attempts name: a hostile branch may know them all."""
    tools, prod = prepared.aws, prepared.targets["prod"]
    outputs, docs = stacks.outputs(tools, PIPELINES_STACK), stacks.outputs(tools, DOCS_STACK)
    physical = _physical(tools)
    artifacts, packages = outputs["ArtifactBucket"], outputs["PackageBucket"]
    made = {name: _latest(tools, artifacts, f"/{name}/") for name in ("Source", "Built", "Packages")}
    package = tools.s3.list_object_versions(Bucket=packages)["Versions"][0]
    (question,) = control.pending_approvals(tools, release.pipeline, release.execution)
    alarms = _alarms(prod)
    secret = tools.client("secretsmanager").create_secret(Name="payments/stripe", SecretString="x")
    account, region = tools.environment.account, tools.environment.region
    log_group = f"arn:aws:logs:{region}:{account}:log-group:{physical['BuildLogs']}:*"
    roles = {
        policies.role_word(logical): _role_arn(tools, name)
        for logical, name in physical.items()
        if logical.endswith("Role")
    }
    for name, target in prepared.targets.items():
        bootstrap = stacks.outputs(target, prepared.tools.bootstrap_of(name))
        roles |= {
            f"{name}_{policies.role_word(output)}": arn
            for output, arn in bootstrap.items()
            if output.endswith("Role")
        }
    return {
        **roles,
        "account": account,
        "region": region,
        "artifacts": artifacts,
        "packages": packages,
        "docs": docs["DocsBucket"],
        "package_key": package["Key"],
        "package_version": package["VersionId"],
        "source_key": made["Source"],
        "built_key": made["Built"],
        "packages_key": made["Packages"],
        "evidence_key": f"evidence/{release.execution}/index.html",
        "domain": outputs["LibraryDomain"],
        "library": outputs["LibraryRepository"],
        "signing_key": outputs["SigningKeyArn"],
        "release_key": f"arn:aws:kms:{region}:{account}:key/{physical['ArtifactsKey']}",
        "secret": secret["ARN"],
        "release_log": physical["BuildLogs"],
        "release_log_arn": log_group,
        "publish_role_name": physical["PublishRole"],
        "release_pipeline": release.pipeline,
        "remove_pipeline": control.name_of(tools, "remove-branch"),
        "token": question.token,
        "execution": release.execution,
        "publish_project": physical["Publish"],
        "build_project": physical["Build"],
        "build": tools.client("codebuild").list_builds_for_project(projectName=physical["Build"])["ids"][0],
        "connection": outputs["ConnectionArn"],
        "change_set": "review",
        "alarm": alarms[0]["AlarmName"] if alarms else "payments-prod-OrdersFailing",
        "function": _a_function(prod),
        "staging_function": _a_function(prepared.targets["staging"]),
        "release_turns": physical["ReleaseTurns"].rpartition(":")[2],
        "templates": f"payments-templates-{account}-{region}",
        "workflow": f"arn:aws:states:{region}:{account}:stateMachine:PaymentWorkflow",
        "schedule": physical["ExpirySchedule"],
        "topic": outputs["ApprovalsTopicArn"],
        "source_digest": _source_digest(tools, artifacts, made["Built"]),
    }


def _physical(tools: Aws) -> dict[str, str]:
    return {
        part["LogicalResourceId"]: part.get("PhysicalResourceId", "")
        for part in stacks.resources(tools, PIPELINES_STACK)
    }


def _alarms(target: Aws) -> list[Json]:
    """Return the alarms of a target's own stacks; other environments may share its account."""
    alarms: list[Json] = target.client("cloudwatch").describe_alarms(
        AlarmNamePrefix=target.environment.default_stack
    )["MetricAlarms"]
    return alarms


def _a_function(target: Aws) -> str:
    stack = target.environment.default_stack
    functions = [function["FunctionName"] for function in target.functions.list_functions()["Functions"]]
    return next((name for name in functions if name.startswith(stack)), f"{stack}-DataApi")


def _role_arn(tools: Aws, name: str) -> str:
    arn: str = tools.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    return arn


def _latest(tools: Aws, bucket: str, part: str) -> str:
    objects = [item for item in tools.s3.list_objects_v2(Bucket=bucket)["Contents"] if part in item["Key"]]
    return max(objects, key=lambda item: item["LastModified"])["Key"]


def _source_digest(tools: Aws, bucket: str, key: str) -> str:
    """Return the digest that the release's own check was recorded under, as its build's report says it."""
    import io  # noqa: PLC0415 - for this one function
    import zipfile  # noqa: PLC0415 - the same

    archive = zipfile.ZipFile(io.BytesIO(tools.s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    record: Json = json.loads(archive.read("reports/checked.json"))
    return str(record["source"])


def _attempts(tools: Aws) -> list[Json]:
    physical, found = _physical(tools), list[Json]()
    for group in LOGS.values():
        pages = tools.client("logs").get_paginator("filter_log_events").paginate(logGroupName=physical[group])
        for page in pages:
            for event in page["events"]:
                mark = re.search(rf"{payload.MARK}(\{{.*\}})", event["message"])
                found += [json.loads(mark[1])] if mark else []
    return found


def _state(prepared: Rehearsal, names: dict[str, str], root: Path) -> dict[str, Any]:
    """Return everything that a release is made of and judged by, as its owners see it."""
    tools = prepared.aws
    pipeline = tools.client("codepipeline")
    codebuild = tools.client("codebuild")
    projects = [names["publish_project"], names["build_project"]]
    state = {
        "artifacts": _versions(tools, names["artifacts"]),
        "packages": _versions(tools, names["packages"]),
        "docs": _versions(tools, names["docs"]),
        "policies": [
            tools.s3.get_bucket_policy(Bucket=names[bucket])["Policy"] for bucket in ("artifacts", "packages")
        ],
        "library": _library(root),
        "projects": [
            project["lastModified"] for project in codebuild.batch_get_projects(names=projects)["projects"]
        ],
        "definition": pipeline.get_pipeline(name=names["release_pipeline"])["metadata"],
        "releases": [
            (run["pipelineExecutionId"], run["status"])
            for run in control.executions(tools, names["release_pipeline"])
        ],
        "removals": control.executions(tools, names["remove_pipeline"]),
        "key": tools.client("kms").get_key_policy(KeyId=names["signing_key"], PolicyName="default")["Policy"],
        "subscriptions": tools.client("sns").list_subscriptions_by_topic(TopicArn=names["topic"])[
            "Subscriptions"
        ],
        "schedule": tools.client("scheduler").get_schedule(Name=names["schedule"])["ScheduleExpression"],
    }
    for name in ("staging", "prod"):
        target = prepared.targets[name]
        for stack in (target.environment.network_stack, target.environment.default_stack):
            if stacks.status(target, stack) is not None:
                described = stacks.described(target, stack)
                state[f"{name}/{stack}"] = (described["StackStatus"], described.get("LastUpdatedTime"))
        state[f"{name}/alarms"] = [(alarm["AlarmName"], alarm["ActionsEnabled"]) for alarm in _alarms(target)]
    return state


def _library(root: Path) -> list[tuple[str, str]]:
    """Return name and digest of every published version; the embedded index keeps them in a folder."""
    return sorted(
        (wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest())
        for wheel in (root / "state" / "services" / "packages").rglob("payment_data-*.whl")
    )


def _versions(tools: Aws, bucket: str) -> list[tuple[str, str]]:
    """Return key and version of everything in a bucket; a version's content never changes."""
    pages = tools.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return sorted(
        (version["Key"], version["VersionId"])
        for page in pages
        for version in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
    )


def _digests(target: Aws) -> dict[str, str]:
    """Return the SHA-256 of each function's code by the function's logical id."""
    stack = target.environment.default_stack
    return {
        part["LogicalResourceId"]: target.functions.get_function_configuration(
            FunctionName=part["PhysicalResourceId"]
        )["CodeSha256"]
        for part in stacks.resources(target, stack)
        if part["ResourceType"] == "AWS::Lambda::Function"
    }
