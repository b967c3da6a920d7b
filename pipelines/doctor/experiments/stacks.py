"""What CloudFormation does with stacks, change sets, exports and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.aws import stacks
from pipelines.doctor.experiments.declarations import GROUP, Json, role
from pipelines.doctor.experiments.verdicts import refusal, verdict
from pipelines.doctor.lent_account import template

if TYPE_CHECKING:
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount

_FAILING: Final[Json] = {
    "First": {**GROUP, "DeletionPolicy": "RetainExceptOnCreate"},
    # It has no value, so Systems Manager refuses it, once the first is there.
    "Second": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "Nonsense"}, "DependsOn": "First"},
}


def deleted_only(lent: LentAccount) -> Diagnosis:
    """Update a stack whose creation failed."""
    stack = lent.stack(_FAILING)
    state = stacks.status(lent.aws, stack)
    body = template({"Only": GROUP})
    refused = refusal(lambda: lent.aws.cloudformation.update_stack(StackName=stack, TemplateBody=body))
    held = state == "ROLLBACK_COMPLETE" and bool(refused)
    return verdict(holds=held, seen=f"{state}: {refused or 'it was updated'}")


def kept_except_on_create(lent: LentAccount) -> Diagnosis:
    """Look for what a failed creation left."""
    stack = lent.stack(_FAILING)
    left = lent.log_groups(stack)
    return verdict(holds=not left, seen=f"a failed creation left {', '.join(left) or 'nothing'}")


def unknown_parameter(lent: LentAccount) -> Diagnosis:
    """Make a change set with a parameter too many."""
    stack = lent.stack({"Only": GROUP})
    refused = refusal(lambda: lent.change_set(stack, {"Only": GROUP, "Other": GROUP}, Unknown="x"))
    return verdict(holds=bool(refused), seen=refused or "it was taken")


def one_change_set(lent: LentAccount) -> Diagnosis:
    """Make two change sets of a stack and execute the first."""
    stack = lent.stack({"Only": GROUP})
    first, _second = (lent.change_set(stack, {"Only": GROUP, "Other": GROUP}) for _ in range(2))
    lent.execute(stack, first)
    left = lent.aws.cloudformation.list_change_sets(StackName=stack)["Summaries"]
    return verdict(holds=not left, seen=f"after one of two was executed, {len(left)} are left")


def names(lent: LentAccount) -> Diagnosis:
    """Read the names that CloudFormation made up."""
    name = lent.stack({"Group": GROUP, "Role": role("lambda.amazonaws.com")})
    ids = lent.physical_ids(name)
    held = all(each.startswith(f"{name}-") for each in ids.values())
    return verdict(holds=held, seen=", ".join(ids.values()))


def imported_exports(lent: LentAccount) -> Diagnosis:
    """Take an export away that another stack imports."""
    export = lent.name()
    exported = {"Name": {"Value": "one", "Export": {"Name": export}}}
    exporter = lent.stack({"Only": GROUP}, outputs=exported)
    parameter = {"Type": "String", "Value": {"Fn::ImportValue": export}}
    lent.stack({"Importer": {"Type": "AWS::SSM::Parameter", "Properties": parameter}})
    exported["Name"]["Value"] = "two"
    refused = [lent.updated(exporter, {"Only": GROUP}, outputs=outputs) for outputs in (exported, {})]
    return verdict(holds=all(refused), seen="; ".join(each or "it was taken" for each in refused))


def remembered(lent: LentAccount) -> Diagnosis:
    """Delete a stack that keeps a log group, and read what CloudFormation remembers."""
    stack = lent.stack({"Kept": {**GROUP, "DeletionPolicy": "Retain"}})
    identifier = stacks.described(lent.aws, stack)["StackId"]
    lent.log_groups(stack)
    lent.delete_stack(stack)
    pages = lent.aws.cloudformation.get_paginator("describe_stack_events").paginate(StackName=identifier)
    skipped = [
        event["LogicalResourceId"]
        for page in pages
        for event in page["StackEvents"]
        if event.get("ResourceStatus") == "DELETE_SKIPPED"
    ]
    return verdict(holds=skipped == ["Kept"], seen=f"its events say that it kept {skipped}")
