"""What a workflow's role may not do fails as on AWS, and what roles do is on record."""

import json
from collections.abc import Callable

import pytest
from embedded_workbench import ACCOUNT, Aws, Function, Workflow, define, unique

from embedded_aws.iam import call_log
from embedded_aws.instance import Instance

PLACE = f"eu-central-1:{ACCOUNT}"
# What is done: by which task, with which argument, to what, and how it fails.
TASKS = {
    "lambda:InvokeFunction": (
        "lambda:invoke",
        "FunctionName",
        f"arn:aws:lambda:{PLACE}:function:other",
        "Lambda.AWSLambdaException",
    ),
    "states:DescribeExecution": (
        "aws-sdk:sfn:describeExecution",
        "ExecutionArn",
        f"arn:aws:states:{PLACE}:execution:other:one",
        "Sfn.SfnException",
    ),
}


@pytest.mark.parametrize("action", TASKS)
def test_a_workflow_without_the_permission_cannot_do_a_task(
    aws: Aws, embedded: Instance, action: str
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    # Given a workflow whose role is allowed nothing
    resource, argument, acted_on, error = TASKS[action]
    name = unique("powerless")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))[
        "Role"
    ]["Arn"]
    call = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Arguments": {argument: acted_on},
        "End": True,
    }
    client = aws("stepfunctions")
    workflow = Workflow(client, define(client, role, {"Call": call}))
    # When it does the task
    ended = workflow.run({})
    # Then the task fails with the name that AWS gives it, and the attempt is on record
    assert ended.error == error
    assert f"is not authorized to perform: {action}" in str(ended.cause)
    (noted,) = (call for call in call_log.read(embedded.root) if call.role == name)
    assert (noted.action, noted.resource, noted.allowed) == (action, acted_on, False)


def test_a_call_is_on_record_with_the_statement_that_allowed_it(
    aws: Aws,
    make_function: Callable[..., Function],
    make_workflow: Callable[..., Workflow],
    embedded: Instance,
) -> None:
    # Given a workflow that may call functions, by a statement named Work
    function = make_function()
    call = {"Type": "Task", "Resource": function.arn, "End": True}
    # When it called one, twice
    workflow = make_workflow({"Call": call})
    workflow.run({})
    workflow.run({})
    # Then that is one kind of call, and it rests on that statement
    noted = [
        call
        for call in call_log.read(embedded.root)
        if call.action == "lambda:InvokeFunction" and call.allowed
    ]
    assert len(noted) == len({call.kind for call in noted})
    assert ("Work",) in {call.statements for call in noted}
