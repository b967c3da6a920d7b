"""What `payments prove` asks of a lent account: assumptions of the register that a small experiment settles.

Each makes what it needs and removes it, also after a failure. Nothing of ours is deployed, and nothing that
is there is touched.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pipelines.aws import stacks
from pipelines.doctor.findings import Diagnosis, failed, unknown, well
from pipelines.doctor.lent_account import Json, LentAccount, template

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

_POLICY_CHARACTERS: Final = 6144
_GROUP: Final = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 1}}


def _refused(call: Callable[[], object]) -> str:
    """Return what AWS says against a call; nothing when it takes it."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


def _verdict(holds: bool, seen: str) -> Diagnosis:
    return (
        well(seen)
        if holds
        else failed(seen, "The register says what rests on it: docs/reference/assumptions.")
    )


_FAILING: Final[Json] = {
    "First": {**_GROUP, "DeletionPolicy": "RetainExceptOnCreate"},
    # It has no value, so Systems Manager refuses it, once the first is there.
    "Second": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "Nonsense"}, "DependsOn": "First"},
}


def _deleted_only(lent: LentAccount) -> Diagnosis:
    stack = lent.stack(_FAILING)
    state = stacks.status(lent.aws, stack)
    body = template({"Only": _GROUP})
    said = _refused(lambda: lent.aws.cloudformation.update_stack(StackName=stack, TemplateBody=body))
    return _verdict(state == "ROLLBACK_COMPLETE" and bool(said), f"{state}: {said or 'it was updated'}")


def _kept_except_on_create(lent: LentAccount) -> Diagnosis:
    stack = lent.stack(_FAILING)
    pages = lent.aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=stack)
    left = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    for name in left:
        lent.undo.callback(lent.aws.client("logs").delete_log_group, logGroupName=name)
    return _verdict(not left, f"a failed creation left {', '.join(left) or 'nothing'}")


def _unknown_parameter(lent: LentAccount) -> Diagnosis:
    stack = lent.stack({"Only": _GROUP})
    said = _refused(lambda: lent.change_set(stack, {"Only": _GROUP, "Other": _GROUP}, Unknown="x"))
    return _verdict(bool(said), said or "it was taken")


def _one_change_set(lent: LentAccount) -> Diagnosis:
    stack = lent.stack({"Only": _GROUP})
    first, _second = (lent.change_set(stack, {"Only": _GROUP, "Other": _GROUP}) for _ in range(2))
    lent.execute(stack, first)
    left = lent.aws.cloudformation.list_change_sets(StackName=stack)["Summaries"]
    return _verdict(not left, f"after one of two was executed, {len(left)} are left")


def _names(lent: LentAccount) -> Diagnosis:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
    name = lent.stack({"Group": _GROUP, "Role": role})
    ids = lent.physical_ids(name)
    return _verdict(all(each.startswith(f"{name}-") for each in ids.values()), ", ".join(ids.values()))


def _alarm(**more: Any) -> Json:
    metric = {"Namespace": "PaymentsProve", "MetricName": "Nothing", "Statistic": "Sum", "Period": 60}
    judged = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**metric, **judged, **more}}


def _alarm_types(lent: LentAccount) -> Diagnosis:
    rule = {"Fn::Sub": "ALARM(${Metric})"}
    composite = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}}
    stack = lent.stack({"Metric": _alarm(), "Composite": composite})
    names = [each.rpartition(":alarm:")[2] or each for each in lent.physical_ids(stack).values()]
    unasked = lent.aws.client("cloudwatch").describe_alarms(AlarmNames=names)
    asked = lent.aws.client("cloudwatch").describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    counts = [len(answer.get("CompositeAlarms", [])) for answer in (unasked, asked)]
    return _verdict(counts == [0, 1], f"composite alarms unasked and asked for: {counts}")


def _policy_size(lent: LentAccount) -> Diagnosis:
    def create(characters: int) -> str:
        statement = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "PAD"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        padded = "arn:aws:logs:*:*:log-group:".ljust(characters - len(document) + len("PAD"), "x")
        made = lent.aws.client("iam").create_policy(
            PolicyName=lent.name(), PolicyDocument=document.replace("PAD", padded)
        )["Policy"]["Arn"]
        lent.undo.callback(lent.aws.client("iam").delete_policy, PolicyArn=made)
        return str(made)

    create(_POLICY_CHARACTERS)
    said = _refused(lambda: create(_POLICY_CHARACTERS + 1))
    return _verdict(bool(said), said or f"a policy of {_POLICY_CHARACTERS + 1} characters was taken")


@dataclass(frozen=True, slots=True)
class Proof:
    """An experiment.

    Attributes:
        assumption: The name of the register's entry.
        minutes: How long it takes on AWS, at most.
        experiment: Makes it and says what was seen.
        emulated: Whether the embedded AWS decides it as AWS does.
    """

    assumption: str
    minutes: int
    experiment: Callable[[LentAccount], Diagnosis]
    emulated: bool = True


PROOFS: Final = (
    Proof("failed-first-creation-is-deleted-only", 3, _deleted_only),
    Proof("first-creation-keeps-retained", 3, _kept_except_on_create),
    Proof("change-set-refuses-unknown-parameters", 2, _unknown_parameter),
    Proof("executing-deletes-other-change-sets", 3, _one_change_set),
    Proof("names-begin-with-the-stack", 2, _names),
    Proof("alarm-types-must-be-asked-for", 2, _alarm_types),
    Proof("boundary-size", 1, _policy_size, emulated=False),
)
DOLLARS: Final = 0.1
"""What they cost together, at most: log groups, alarms and roles that live for minutes."""


def prove(aws: Aws, proof: Proof) -> Diagnosis:
    """Make an experiment, and remove what it made, whatever came of it."""
    if aws.embedded and not proof.emulated:
        return unknown("the embedded AWS has no such limit", "Prove it on AWS.")
    with ExitStack() as undo:
        return proof.experiment(LentAccount(aws, undo))
