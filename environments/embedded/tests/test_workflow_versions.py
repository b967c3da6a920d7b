"""Step Functions: versions, aliases, names, redrive."""

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from embedded_workbench import Function, Workflow, definition, let_pass, unique, wait_until

pytestmark = pytest.mark.long

MakeWorkflow = Callable[..., Workflow]
SLOW = {"Wait": {"Type": "Wait", "Seconds": 50, "Next": "Say"}}  # a second, scaled


def saying(word: str) -> dict[str, Any]:
    return {"Say": {"Type": "Succeed", "Output": word}}


def publish(workflow: Workflow, states: dict[str, Any] | None = None) -> str:
    if states:
        workflow.client.update_state_machine(stateMachineArn=workflow.arn, definition=definition(states))
    answer = workflow.client.publish_state_machine_version(stateMachineArn=workflow.arn)
    return str(answer["stateMachineVersionArn"])


def alias(workflow: Workflow, version: str) -> str:
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    made = workflow.client.create_state_machine_alias(name="live", routingConfiguration=routing)
    return str(made["stateMachineAliasArn"])


def test_a_version_runs_what_it_was_published_with(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
    # Given a version, and a newer definition
    workflow = make_workflow(saying("first"))
    version = publish(workflow)
    workflow.client.update_state_machine(
        stateMachineArn=workflow.arn, definition=definition(saying("second"))
    )
    # When each is started; Then each runs its own
    assert workflow.run(arn=version).output == "first"
    assert workflow.run().output == "second"


def test_an_execution_in_flight_finishes_on_its_version(make_workflow: MakeWorkflow, role: str) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
    # Given an execution that waits, started through an alias
    workflow = make_workflow(SLOW | saying("first"))
    live = alias(workflow, publish(workflow))
    execution = workflow.start(arn=live)
    # When the alias moves to another version meanwhile
    second = publish(workflow, saying("second"))
    routing = [{"stateMachineVersionArn": second, "weight": 100}]
    workflow.client.update_state_machine_alias(stateMachineAliasArn=live, routingConfiguration=routing)
    # Then it ends as it began, and says what it ran; the next one runs the new version
    assert workflow.end(execution).output == "first"
    shown = workflow.client.describe_execution(executionArn=execution)
    assert shown["stateMachineAliasArn"] == live
    assert shown["stateMachineVersionArn"].endswith(":1")
    described = workflow.client.describe_state_machine_for_execution(executionArn=execution)
    assert "first" in described["definition"]
    assert described["roleArn"] == role
    assert workflow.run(arn=live).output == "second"


def test_an_alias_shares_by_weight(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html
    # Given an alias that halves between two versions
    workflow = make_workflow(saying("first"))
    one, two = publish(workflow), publish(workflow, saying("second"))
    routing = [{"stateMachineVersionArn": arn, "weight": 50} for arn in (one, two)]
    live = workflow.client.create_state_machine_alias(name="live", routingConfiguration=routing)
    # When many executions start; Then both serve
    arn = live["stateMachineAliasArn"]
    executions = [workflow.start(arn=arn) for _ in range(30)]
    assert {workflow.end(execution).output for execution in executions} == {"first", "second"}


def test_publishing_a_revision_twice_gives_one_version(make_workflow: MakeWorkflow) -> None:
    workflow = make_workflow(saying("once"))
    assert publish(workflow) == publish(workflow)
    stale = {"stateMachineArn": workflow.arn, "revisionId": "another"}
    with pytest.raises(botocore.exceptions.ClientError, match="ConflictException"):
        workflow.client.publish_state_machine_version(**stale)


def test_aliases_are_listed_described_and_deleted(make_workflow: MakeWorkflow) -> None:
    # Given an alias
    workflow = make_workflow(saying("hello"))
    version = publish(workflow)
    live = alias(workflow, version)
    # Then it can be seen, and its version cannot go before it
    listed = workflow.client.list_state_machine_aliases(stateMachineArn=workflow.arn)
    assert [a["stateMachineAliasArn"] for a in listed["stateMachineAliases"]] == [live]
    shown = workflow.client.describe_state_machine_alias(stateMachineAliasArn=live)
    assert shown["routingConfiguration"] == [{"stateMachineVersionArn": version, "weight": 100}]
    with pytest.raises(botocore.exceptions.ClientError, match="ConflictException"):
        workflow.client.delete_state_machine_version(stateMachineVersionArn=version)
    # When it is deleted; Then nothing starts through it
    workflow.client.delete_state_machine_alias(stateMachineAliasArn=live)
    with pytest.raises(botocore.exceptions.ClientError, match="StateMachineDoesNotExist"):
        workflow.start(arn=live)


def test_executions_are_listed_by_what_they_were_started_with(make_workflow: MakeWorkflow) -> None:
    # Given executions through an alias, by a version, and of the machine itself
    workflow = make_workflow(saying("hello"))
    version = publish(workflow)
    live = alias(workflow, version)
    through, by, itself = (workflow.run(arn=arn).arn for arn in (live, version, workflow.arn))

    def listed(arn: str) -> set[str]:
        found = workflow.client.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")
        return {execution["executionArn"] for execution in found["executions"]}

    # When they are listed; Then an alias has its own, a version all that run it, and the machine every one
    assert listed(live) == {through}
    assert listed(version) == {through, by}
    assert listed(workflow.arn) == {through, by, itself}


def test_a_page_of_an_alias_is_full_whatever_else_ran_since(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    # Given executions through an alias, and since then others of the machine itself
    workflow = make_workflow(saying("done"))
    live = alias(workflow, publish(workflow))
    through = [workflow.run(arn=live).arn for _ in range(3)]
    for _ in range(3):
        workflow.run(arn=workflow.arn)
    # When those of the alias are listed, two a page
    asked = {"stateMachineArn": live, "maxResults": 2}
    first = workflow.client.list_executions(**asked)
    second = workflow.client.list_executions(**asked, nextToken=first["nextToken"])
    # Then each page has as many as there are, the newest first, and the last one no successor
    listed = [[each["executionArn"] for each in page["executions"]] for page in (first, second)]
    assert listed == [[through[2], through[1]], [through[0]]]
    assert "nextToken" not in second
    # And a token that nobody gave is refused
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidToken"):
        workflow.client.list_executions(**asked, nextToken="nobody's")


def test_the_same_start_twice_is_one_execution(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    # Given an execution that runs
    workflow = make_workflow(SLOW | saying("done"))
    name = unique("order")
    execution = workflow.start({"order_id": 1}, name=name)
    # When it is started again with the same input; Then that is the same execution
    assert workflow.start({"order_id": 1}, name=name) == execution
    # When with another input, or after its end; Then the name is taken
    with pytest.raises(botocore.exceptions.ClientError, match="ExecutionAlreadyExists"):
        workflow.start({"order_id": 2}, name=name)
    workflow.end(execution)
    with pytest.raises(botocore.exceptions.ClientError, match="ExecutionAlreadyExists"):
        workflow.start({"order_id": 1}, name=name)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"input": '"' + "x" * 262_144 + '"'}, "ValidationException"),
        ({"input": "{not json"}, "InvalidExecutionInput"),
        ({"name": "no spaces"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
    ],
)
def test_a_bad_start_is_refused(make_workflow: MakeWorkflow, request_: dict[str, Any], error: str) -> None:
    workflow = make_workflow(saying("never"))
    with pytest.raises(botocore.exceptions.ClientError, match=error):
        workflow.client.start_execution(stateMachineArn=workflow.arn, **request_)


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ({"A": {"Type": "Pass", "Next": "B"}}, "MISSING_TRANSITION_TARGET"),
        ({"A": {"Type": "Choice", "Choices": [], "Default": "B"}}, "MISSING_TRANSITION_TARGET"),
        ({"A": {"Type": "Pass", "Output": "{% $( %}", "End": True}}, "INVALID_JSONATA_EXPRESSION"),
        ({"A": {"Type": "Task", "Resource": "x", "Credentials": {}, "End": True}}, "not emulated here"),
    ],
)
def test_a_bad_definition_is_refused(make_workflow: MakeWorkflow, states: Any, problem: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=problem):
        make_workflow(states)


def test_a_redrive_goes_on_where_it_failed(make_workflow: MakeWorkflow) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    # Given an execution that set a variable and then failed until redriven
    count = "$states.context.Execution.RedriveCount"
    redriven = {"Condition": f"{{% {count} > 0 %}}", "Next": "Finish"}
    workflow = make_workflow(
        {
            "Begin": {"Type": "Pass", "Assign": {"kept": "{% $states.input.word %}"}, "Next": "Judge"},
            "Judge": {"Type": "Choice", "Choices": [redriven], "Default": "Finish"},
            "Finish": {
                "Type": "Succeed",
                "Output": f"{{% {count} = 0 ? $error('parked') : $kept & $string({count}) %}}",
            },
        }
    )
    failed = workflow.run({"word": "hello"})
    assert failed.status == "FAILED"
    # When it is redriven
    workflow.client.redrive_execution(executionArn=failed.arn)
    # Then it ends well, under its own name, from the state that failed, with its variables
    assert workflow.end(failed.arn).output == "hello1"
    assert workflow.entered(failed.arn) == ["Begin", "Judge", "Finish", "Finish"]
    shown = workflow.client.describe_execution(executionArn=failed.arn)
    assert (shown["redriveCount"], shown["redriveStatus"]) == (1, "NOT_REDRIVABLE")
    # And what ended well is not redriven again
    with pytest.raises(botocore.exceptions.ClientError, match="ExecutionNotRedrivable"):
        workflow.client.redrive_execution(executionArn=failed.arn)


def test_a_stopped_execution_stays_stopped(make_workflow: MakeWorkflow) -> None:
    # Given an execution that would fail in a while
    workflow = make_workflow(
        {"Wait": {"Type": "Wait", "Seconds": 10, "Next": "Fail"}, "Fail": {"Type": "Fail"}}
    )
    execution = workflow.start()
    # When it is stopped
    workflow.client.stop_execution(executionArn=execution, error="Operator", cause="not today")
    let_pass(0.3)  # longer than its wait: nothing more may happen
    # Then that is its end
    shown = workflow.client.describe_execution(executionArn=execution)
    assert (shown["status"], shown["error"]) == ("ABORTED", "Operator")


def test_a_stopped_execution_makes_no_further_attempt(
    make_workflow: MakeWorkflow, behaving: Function
) -> None:
    # Given two executions that wait to call a failing function again
    again = [{"ErrorEquals": ["OutOfStock"], "IntervalSeconds": 50, "MaxAttempts": 1}]  # a second, scaled
    task = {
        "Type": "Task",
        "Resource": behaving.arn,
        "Arguments": {"do": "raise"},
        "Retry": again,
        "End": True,
    }
    workflow = make_workflow({"Call": task})
    stopped, other = workflow.start(), workflow.start()
    wait_until(lambda: "LambdaFunctionFailed" in workflow.events(stopped), "a failed call", every=0.01)
    # When one is stopped, and the other has ended
    workflow.client.stop_execution(executionArn=stopped)
    assert workflow.end(other).error == "OutOfStock"
    # Then the other called twice, and the stopped one only once
    calls = [workflow.events(execution).count("LambdaFunctionScheduled") for execution in (stopped, other)]
    assert calls == [1, 2]


def test_a_machine_s_time_out_ends_it(make_workflow: MakeWorkflow) -> None:
    wait = {"Wait": {"Type": "Wait", "Seconds": 1000, "Next": "Say"}}
    workflow = make_workflow(wait | saying("never"), TimeoutSeconds=1)
    ended = workflow.run()
    assert (ended.status, ended.error) == ("TIMED_OUT", "States.Timeout")


def child(workflow: Workflow, **arguments: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": workflow.arn, "Input": {"from": "parent"}} | arguments,
        "Output": "{% $states.result.Output %}",
        "End": True,
    }


def test_a_nested_execution_through_an_alias_gives_its_output(make_workflow: MakeWorkflow) -> None:
    # Given a workflow that starts another through its alias and waits
    inner = make_workflow({"Echo": {"Type": "Pass", "End": True}})
    live = alias(inner, publish(inner))
    outer = make_workflow({"Call": child(inner, StateMachineArn=live)})
    # When it runs; Then the inner one's output is its result
    assert outer.run().output == {"from": "parent"}


def test_a_failed_nested_execution_tells_its_error(make_workflow: MakeWorkflow) -> None:
    # Given an inner workflow that fails; When the outer one calls it
    inner = make_workflow({"Fail": {"Type": "Fail", "Error": "OutOfStock", "Cause": "none left"}})
    ended = make_workflow({"Call": child(inner)}).run()
    # Then the task fails as on AWS, with the inner one's description for a cause
    assert ended.error == "States.TaskFailed"
    described = json.loads(str(ended.cause))
    assert (described["Status"], described["Error"]) == ("FAILED", "OutOfStock")


def test_a_nested_start_under_a_taken_name_has_aws_s_name(make_workflow: MakeWorkflow) -> None:
    inner = make_workflow({"Echo": {"Type": "Pass", "End": True}})
    name = unique("taken")
    inner.end(inner.start({"other": "input"}, name=name))
    ended = make_workflow({"Call": child(inner, Name=name)}).run()
    assert ended.error == "StepFunctions.ExecutionAlreadyExistsException"
