"""Step Functions: how a failing function reaches Retry and Catch."""

from collections.abc import Callable
from typing import Any

import pytest
from embedded_workbench import Function, Workflow

pytestmark = pytest.mark.long

MakeWorkflow = Callable[..., Workflow]


def task(function: Function, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function.arn, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        "End": True,
    } | fields


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"do": "raise"}, "OutOfStock"),
        ({"do": "hang"}, "Sandbox.Timedout"),
        ({"do": "crash"}, "Runtime.ExitError"),
    ],
)
def test_the_error_s_name_reaches_catch(
    hurried: Function, make_workflow: MakeWorkflow, event: Any, error: str
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    # Given a state that catches exactly this name
    caught = {
        "ErrorEquals": [error],
        "Assign": {"failure": {"error": "{% $states.errorOutput.Error %}"}},
        "Next": "Caught",
    }
    workflow = make_workflow(
        {
            "Try": task(hurried, Catch=[caught]),
            "Caught": {"Type": "Succeed", "Output": "{% $failure.error %}"},
        }
    )
    # When the function fails that way; Then the workflow goes on there and knows the name
    assert workflow.run(event).output == error


@pytest.mark.parametrize(
    ("event", "error"), [({"do": "raise"}, "OutOfStock"), ({"do": "crash"}, "Runtime.ExitError")]
)
def test_the_error_s_name_reaches_retry(
    behaving: Function, make_workflow: MakeWorkflow, event: Any, error: str
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    # Given a state that retries exactly this name, twice
    retry = {"ErrorEquals": [error], "IntervalSeconds": 1, "MaxAttempts": 2}
    workflow = make_workflow({"Try": task(behaving, Retry=[retry])})
    # When the function keeps failing
    ended = workflow.run(event)
    # Then it was called three times and its name ends the execution
    events = workflow.client.get_execution_history(executionArn=ended.arn)["events"]
    assert [event["type"] for event in events].count("TaskFailed") == 3
    assert (ended.status, ended.error) == ("FAILED", error)


def test_a_task_s_own_time_out_is_states_timeout(hurried: Function, make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    # Given a task with less time than its function, in JSONata
    workflow = make_workflow({"Try": task(hurried, TimeoutSeconds="{% 0.5 %}")})
    # When the function hangs; Then the task ends first, with Step Functions' name
    assert workflow.run({"do": "hang"}).error == "States.Timeout"


def test_a_missing_function_has_lambda_s_name(behaving: Function, make_workflow: MakeWorkflow) -> None:
    absent = {"FunctionName": f"{behaving.arn}-absent"}
    workflow = make_workflow({"Try": task(behaving, Arguments=absent)})
    assert workflow.run().error == "Lambda.ResourceNotFoundException"


def test_states_all_does_not_catch_a_runtime_error(
    make_function: Callable[..., Function], make_workflow: MakeWorkflow
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    # Given a state that catches States.ALL, and a function that raises what nothing may catch
    code = "def handler(event, context): raise type('States.Runtime', (Exception,), {})('x')"
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Caught"}
    workflow = make_workflow({"Try": task(make_function(code), Catch=[catch]), "Caught": {"Type": "Succeed"}})
    # When it runs; Then the execution fails with that name all the same
    ended = workflow.run()
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")


def test_states_all_catches_a_result_that_is_too_large(
    make_function: Callable[..., Function], make_workflow: MakeWorkflow
) -> None:
    # The developer guide says that it does not; what AWS answered (localstack/localstack,
    # tests/aws/services/stepfunctions, test_states_errors.snapshot.json) says that it does.
    # Given
    code = "def handler(event, context): return 'x' * 300_000"
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Caught"}
    workflow = make_workflow({"Try": task(make_function(code), Catch=[catch]), "Caught": {"Type": "Succeed"}})
    # When
    ended = workflow.run()
    # Then
    assert ended.status == "SUCCEEDED"
    assert ended.output["Error"] == "States.DataLimitExceeded"
