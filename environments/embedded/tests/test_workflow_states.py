"""Step Functions: what single states do, in JSONata."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from embedded_workbench import Aws, Function, Workflow, policy

MakeWorkflow = Callable[..., Workflow]


def test_variables_are_set_all_at_once(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
    # Given a state that swaps two variables
    workflow = make_workflow(
        {
            "Set": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
            "Swap": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Next": "Show"},
            "Show": {"Type": "Succeed", "Output": {"a": "{% $a %}", "b": "{% $b %}"}},
        }
    )
    # When it runs; Then both see the values from before
    assert workflow.run().output == {"a": 2, "b": 1}


def test_a_fail_state_s_error_and_cause_may_be_expressions(make_workflow: MakeWorkflow) -> None:
    fail = {
        "Type": "Fail",
        "Error": "{% $states.input.error %}",
        "Cause": "{% 'because ' & $states.input.why %}",
    }
    ended = make_workflow({"Fail": fail}).run({"error": "PaymentDeclined", "why": "of that"})
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "PaymentDeclined", "because of that")


def test_the_context_tells_about_the_execution(make_workflow: MakeWorkflow, role: str) -> None:
    show = {"Type": "Succeed", "Output": "{% $states.context.Execution %}"}
    workflow = make_workflow({"Show": show})
    ended = workflow.run({"order_id": "1"})
    assert ended.output["Id"] == ended.arn
    assert ended.output["Input"] == {"order_id": "1"}
    assert (ended.output["RedriveCount"], ended.output["RoleArn"]) == (0, role)


def test_a_choice_s_default_has_the_state_s_output(make_workflow: MakeWorkflow) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% false %}", "Next": "No"}],
        "Default": "Yes",
        "Output": "by default",
    }
    states: dict[str, Any] = {"Choose": choice, "No": {"Type": "Fail"}, "Yes": {"Type": "Succeed"}}
    assert make_workflow(states).run().output == "by default"


def test_branches_and_items_have_variables_of_their_own(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
    # Given a Map whose items set and read a variable, and a Parallel that gives an output
    inner = {
        "StartAt": "Set",
        "States": {
            "Set": {"Type": "Pass", "Assign": {"mine": "{% $states.input %}"}, "Next": "Read"},
            "Read": {"Type": "Succeed", "Output": "{% $mine * $factor %}"},
        },
    }
    items = {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": inner, "Next": "Both"}
    both = {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "P", "States": {"P": {"Type": "Pass", "Output": word, "End": True}}} for word in "ab"
        ],
        "Output": "{% {'items': $states.input, 'branches': $states.result} %}",
        "End": True,
    }
    workflow = make_workflow(
        {"Begin": {"Type": "Pass", "Assign": {"factor": 10}, "Next": "Each"}, "Each": items, "Both": both}
    )
    # When it runs; Then no item sees another's
    assert workflow.run().output == {"items": [10, 20, 30], "branches": ["a", "b"]}


def test_a_hundred_executions_at_once_all_end_right(behaving: Function, make_workflow: MakeWorkflow) -> None:
    # Given a workflow of two calls
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": behaving.arn, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
    }
    workflow = make_workflow({"One": {**call, "Next": "Two"}, "Two": {**call, "End": True}})
    # When a hundred are started at once
    started = {number: workflow.start({"number": number}) for number in range(100)}
    # Then each ends with what it was given
    assert {n: workflow.end(arn).output for n, arn in started.items()} == {n: {"number": n} for n in started}


def test_what_an_sdk_call_gives_is_named_as_in_the_service_s_api_and_begins_in_upper_case(
    aws: Aws, make_workflow: MakeWorkflow, role: str
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    # Given a workflow that lists another one's executions
    listed = make_workflow({"Done": {"Type": "Succeed"}})
    ended = listed.run()
    aws("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="list", PolicyDocument=policy("states:ListExecutions")
    )
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:listExecutions",
        "Arguments": {"StateMachineArn": listed.arn},
        "End": True,
    }
    # When it runs
    [shown] = make_workflow({"List": ask}).run().output["Executions"]
    # Then members of a list are named so, too, and moments are texts
    assert (shown["ExecutionArn"], shown["Status"]) == (ended.arn, "SUCCEEDED")
    assert datetime.fromisoformat(shown["StartDate"]) <= datetime.fromisoformat(shown["StopDate"])
