"""Two releases promoted from a branch to production, the second taken back, and the branch removed.

What roles do meanwhile is what they need. The second release meets what a first one cannot: stacks that are
updated, drift, pages that are gone.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from environments import tools as tools_file
from pipelines.aws import stacks
from pipelines.aws.accounts import DOCS_STACK, PIPELINES_STACK, PREVIEWS_STACK
from pipelines.core import branch_names
from pipelines.core.reporting import NOBODY
from pipelines.core.repository import ROOT
from pipelines.definitions.branch_pipelines import VARIABLE
from pipelines.orders import payment_stack
from pipelines.promotion import control, execution, failure_report
from pipelines.promotion.execution import Promotion
from pipelines.rehearsal import rehearsal
from tests.least_privilege import planting
from tests.least_privilege.audit import grants
from tests.proofs import small_builds
from tests.rehearsal import logged_data
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from types_boto3_cloudformation.type_defs import TagTypeDef

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws
    from pipelines.rehearsal.rehearsal import Rehearsal
    from tests.least_privilege.audit.grants import Grant

BRANCH: Final = "feature/permissions"
STACK: Final = branch_names.stack_name(BRANCH)
ORDERING: Final = {"branch": STACK, "prod": "payments-prod"}
"""Where orders are placed between the releases."""
_LONGEST_SECONDS: Final = 120
_NOWHERE: Final = {"VpcId": "vpc-00000000000000001", "PeerVpcId": "vpc-00000000000000002"}
_ORPHAN: Final = {"Type": "AWS::EC2::VPCPeeringConnection", "Properties": _NOWHERE}


@dataclass(frozen=True, slots=True)
class Promotions:
    """What two promotions and a removal may do, did, and left behind.

    Attributes:
        grants: What every role may do.
        orders: The orders that were placed on the way.
        left: What can be read afterwards, by account and place.
    """

    grants: list[Grant]
    orders: list[str]
    left: dict[str, str]


def promote_and_remove(instance: Instance) -> Promotions:
    """Promote two commits, take the second back, look for expired branches, remove theirs.

    Roles are read, and what a branch left, before its stack goes and takes its own along.
    """
    prepared = rehearsal.prepare(instance, NOBODY)
    tools, targets = prepared.aws, prepared.targets
    with ExitStack() as listening:
        heard = {name: listening.enter_context(logged_data.events(there)) for name, there in targets.items()}
        _fail_to_create(targets["branch"])
        _promote(prepared, "first", {})
        orders = _plant(targets)
        _promote(prepared, "second", _more_memory())
        _go_back(prepared)
        all_grants = _grants_of_every_stack(prepared)
        data = {name: logged_data.everything(there, instance.root) for name, there in targets.items()}
        _expire(prepared)
    data["tools"] = logged_data.everything(tools, instance.root) | {
        "pipelines": logged_data.of_pipelines(tools)
    }
    for name, events in heard.items():
        data[name]["events"] = "\n".join(events)
    left = {f"{name}: {where}": text for name, texts in data.items() for where, text in texts.items()}
    return Promotions(all_grants, orders, left)


def _plant(targets: Mapping[str, Aws]) -> list[str]:
    stacks_there = {name: payment_stack.connect(targets[name], stack) for name, stack in ORDERING.items()}
    planting.plant_password(stacks_there["prod"])
    return [order for stack in stacks_there.values() for order in planting.plant_order(stack)]


def _promote(prepared: Rehearsal, word: str, files: dict[str, str]) -> None:
    pushed = prepared.commit(BRANCH, f"Try the {word} thing", small_builds.files(page=word) | files)
    _end(prepared, pushed)
    _end(prepared, prepared.merge(BRANCH))


def _go_back(prepared: Rehearsal) -> None:
    """Take production back to the first release, for what only a rollback does."""
    pipeline = control.name_of(prepared.aws, "release")
    back = control.rollback(prepared.aws, pipeline, "Production")
    _end(prepared, Promotion("release", pipeline, back))


def _more_memory() -> dict[str, str]:
    """A change to every stack's functions."""
    files = {name: f"environments/{name}.yml" for name in ("branch", "staging", "prod")}
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in files.values()}
    return {path: text.replace("memory_mb: ", "memory_mb: 1") for path, text in texts.items()}


def _fail_to_create(branch: Aws) -> None:
    """Leave a stack of the branch's name that was rolled back, as a push that could not be deployed does."""
    tags: list[TagTypeDef] = [{"Key": "environment", "Value": "branch"}]
    branch.cloudformation.create_stack(
        StackName=STACK, TemplateBody=json.dumps({"Resources": {"Orphan": _ORPHAN}}), Tags=tags
    )
    wait_until(
        lambda: stacks.status(branch, STACK) == "ROLLBACK_COMPLETE",
        "a failed stack",
        seconds=_LONGEST_SECONDS,
        every=0.2,
    )


def _expire(prepared: Rehearsal) -> None:
    """Let the schedule find the branch expired; a second look finds its removal under way, until it ends."""
    pipelines = prepared.aws
    _backdate(prepared.targets["branch"])
    look = control.name_of(pipelines, "expire")
    before = {execution["pipelineExecutionId"] for execution in control.executions(pipelines, look)}
    with _let_the_schedule_start(pipelines):
        scheduled = wait_until(
            lambda: _new(pipelines, look, before), "a scheduled look", seconds=_LONGEST_SECONDS, every=0.2
        )
    _end(prepared, Promotion("expire", look, scheduled))
    remove = control.name_of(pipelines, "remove-branch")
    proposed = wait_until(
        lambda: _proposed(pipelines, remove), "a proposal", seconds=_LONGEST_SECONDS, every=0.2
    )
    _end(prepared, Promotion("expire", look, control.start(pipelines, look)))
    _end(prepared, Promotion("remove-branch", remove, proposed))


def _backdate(branch: Aws) -> None:
    """Say that nobody has pushed for long."""
    stack = stacks.described(branch, STACK)
    pushed: TagTypeDef = {"Key": "pushed-at", "Value": (datetime.now(UTC) - timedelta(days=90)).isoformat()}
    branch.cloudformation.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
            for parameter in stack["Parameters"]
        ],
        Tags=[*(tag for tag in stack["Tags"] if tag["Key"] != "pushed-at"), pushed],
        Capabilities=["CAPABILITY_IAM"],
    )
    wait_until(
        lambda: stacks.status(branch, STACK) == "UPDATE_COMPLETE",
        "a backdated push",
        seconds=_LONGEST_SECONDS,
        every=0.2,
    )


@contextmanager
def _let_the_schedule_start(pipelines: Aws) -> Iterator[None]:
    """Have the schedule start what it starts once a day within this block, which is shorter than a minute."""
    scheduler = pipelines.client("scheduler")
    (listed,) = scheduler.list_schedules()["Schedules"]
    schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
    kept = {key: schedule[key] for key in ("Name", "GroupName", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, ScheduleExpression="rate(1 minute)")
    try:
        yield
    finally:
        scheduler.update_schedule(**kept, ScheduleExpression=schedule["ScheduleExpression"])


def _new(pipelines: Aws, pipeline: str, before: set[str]) -> str | None:
    ids = (execution["pipelineExecutionId"] for execution in control.executions(pipelines, pipeline))
    return next((identifier for identifier in ids if identifier not in before), None)


def _proposed(pipelines: Aws, remove: str) -> str | None:
    client = pipelines.client("codepipeline")
    for summary in control.executions(pipelines, remove):
        which = {"pipelineName": remove, "pipelineExecutionId": summary["pipelineExecutionId"]}
        variables = client.get_pipeline_execution(**which)["pipelineExecution"].get("variables", [])
        if {"name": VARIABLE, "resolvedValue": BRANCH} in variables:
            return str(summary["pipelineExecutionId"])
    return None


def _end(prepared: Rehearsal, started: Promotion) -> None:
    """Approve whatever it asks until it ends."""
    execution.follow(
        prepared.aws, started, watch=lambda _: None, decide=lambda _: (True, "for its permissions")
    )
    if started.status != "Succeeded":
        after = failure_report.explain(prepared.aws, started.pipeline, started.execution)
        raise AssertionError("\n".join([*(after.log.end if after.log else ()), *after.sentences()]))


def _grants_of_every_stack(prepared: Rehearsal) -> list[Grant]:
    collected = [
        grant
        for stack in (PIPELINES_STACK, DOCS_STACK, PREVIEWS_STACK)
        for grant in grants.of_stack(prepared.aws, stack)
    ]
    settings = tools_file.load()
    for name, there in prepared.targets.items():
        payments = STACK if name == "branch" else there.environment.default_stack
        for stack in (settings.bootstrap_of(name), there.environment.network_stack, payments):
            collected += grants.of_stack(there, stack)
    return collected
