"""Workflows as AWS answered them: each case holds the recorded answer and says where it was recorded.

The recordings are those of LocalStack's tests that were validated against AWS (localstack/localstack,
tests/aws/services/stepfunctions/v2, the snapshot file that a case names); the cases are ours.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
import pytest
from embedded_workbench import Aws, Workflow, policy

MakeWorkflow = Callable[..., Workflow]
_AT = "An error occurred while executing the state 'A' (entered at the event id #2). "
_END = {"End": True}


@dataclass(frozen=True)
class Case:
    """One state, and what AWS answers: an output, or an error and its cause."""

    name: str
    source: str
    state: dict[str, Any]
    language: str = "JSONata"
    given: Any = field(default_factory=dict)
    output: Any = None
    error: str | None = None
    cause: str | None = None
    status: str = "SUCCEEDED"


def _fails(
    name: str, source: str, state: dict[str, Any], error: str | None, cause: str | None, **more: Any
) -> Case:
    return Case(name, source, state, status="FAILED", error=error, cause=cause, **more)


def _query(name: str, source: str, state: dict[str, Any], text: str, **more: Any) -> Case:
    return _fails(name, source, state, "States.QueryEvaluationError", _AT + text, **more)


def _runtime(name: str, source: str, state: dict[str, Any], text: str, given: Any) -> Case:
    cause = _AT + text
    return _fails(name, source, state, "States.Runtime", cause, language="JSONPath", given=given)


def _pass(output: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Output": output, **_END, **more}


def _echo(**more: Any) -> dict[str, Any]:
    return {"Type": "Pass", **_END, **more}


def _mapping(**more: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": _echo()}}, **_END, **more}


_EVALUATE, _BASE = "evaluate_jsonata/test_base_evaluate_expressions", "scenarios/test_base_scenarios"
_ASSIGN, _WAIT = "assign/test_assign_reference_variables", "base/test_wait"
_TIMESTAMP = "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time "
CASES = [
    Case("a range of one value is that value", _EVALUATE, _pass("{% $range(1, 9, 9) %}"), output=1),
    Case("a range", _EVALUATE, _pass("{% $range(1, 9, 4) %}"), output=[1, 5, 9]),
    _query(
        "there is no $eval",
        _EVALUATE,
        _pass("{% $eval('1') %}"),
        "The JSONata expression '$eval('1')' specified for the field 'Output' threw an error during "
        "evaluation. T1006: Attempted to invoke a non-function",
    ),
    _query(
        "a variable that nobody assigned",
        _ASSIGN,
        _pass({"result": "{% $doesNotExist %}"}),
        "The JSONata expression '$doesNotExist' specified for the field 'Output/result' returned nothing "
        "(undefined).",
    ),
    _query(
        "a map over an object",
        _BASE,
        _mapping(),
        'Map state input must be an array but was: {"foo":"bar"}',
        given={"foo": "bar"},
    ),
    _query(
        "items of the wrong type",
        _BASE,
        _mapping(Items="{% 1 %}"),
        "The JSONata expression '1' specified for the field 'Items' returned an unexpected result type. "
        "Expected 'array', but was 'number' for value: 1",
    ),
    _query(
        "a condition that is no boolean",
        "API reference: Choice (Condition)",
        {
            "Type": "Choice",
            "Choices": [{"Condition": "{% 'yes' %}", "Next": "B"}],
            "Default": "B",
        },
        "The JSONata expression ''yes'' specified for the field 'Choices[0]/Condition' returned an "
        "unexpected result type. Expected 'boolean', but was 'string' for value: \"yes\"",
    ),
    _fails("a failure without a name", "base/test_base", {"Type": "Fail"}, None, None),
    _fails(
        "a failure with a cause alone",
        _BASE,
        {"Type": "Fail", "Cause": "This failed to due an Exception."},
        None,
        "This failed to due an Exception.",
    ),
    Case(
        "a variable in JSONPath",
        _ASSIGN,
        _echo(Assign={"answer": 42}),
        language="JSONPath",
        output={},
    ),
    Case(
        "a slice of nothing",
        "base/test_base",
        _echo(Parameters={"item.$": "$.items[1:]"}),
        language="JSONPath",
        output={"item": []},
    ),
    Case(
        "text that is no JSON",
        "intrinsic_functions/test_json_manipulation",
        _echo(Parameters={"value.$": "States.StringToJson($.text)"}),
        language="JSONPath",
        given={"text": " "},
        output={"value": None},
    ),
    Case(
        "an object in a text",
        "intrinsic_functions/test_generic",
        _echo(Parameters={"text.$": "States.Format('{} and {}', $.a, $.b)"}),
        language="JSONPath",
        given={"a": {"Arg1": 1, "Arg2": []}, "b": None},
        output={"text": "{Arg1=1, Arg2=[]} and null"},
    ),
    _runtime(
        "an input path that leads nowhere",
        _BASE,
        _echo(InputPath="$.NoSuchInputPath"),
        "Invalid path '$.NoSuchInputPath' : No results for path: $['NoSuchInputPath']",
        {"a": 0},
    ),
    _runtime(
        "a path whose beginning is missing",
        _BASE,
        _echo(InputPath="$.no.such.result.path"),
        "Invalid path '$.no.such.result.path' : Missing property in path $['no']",
        {"a": 0},
    ),
    _runtime(
        "a parameter that leads nowhere",
        _BASE,
        _echo(Parameters={"value.$": "$.no_such_jsonpath"}),
        "The JSONPath '$.no_such_jsonpath' specified for the field 'value.$' could not be found in the input "
        """'{"a":0}'""",
        {"a": 0},
    ),
    _runtime(
        "a wait of nothing",
        _WAIT,
        {"Type": "Wait", "SecondsPath": "$.seconds", **_END},
        "The SecondsPath parameter does not reference an input value: $.seconds",
        {},
    ),
    _runtime(
        "a wait of half a second",
        _WAIT,
        {"Type": "Wait", "SecondsPath": "$.seconds", **_END},
        "The SecondsPath parameter cannot be parsed as a long value: $.seconds == 1.5",
        {"seconds": 1.5},
    ),
    _runtime(
        "a wait of less than nothing",
        _WAIT,
        {"Type": "Wait", "SecondsPath": "$.seconds", **_END},
        "The SecondsPath parameter references a negative value: $.seconds == -1",
        {"seconds": -1},
    ),
    _runtime(
        "a moment without a zone",
        _WAIT,
        {"Type": "Wait", "TimestampPath": "$.at", **_END},
        _TIMESTAMP + "format string: $.at == 2016-12-05T21:29:29",
        {"at": "2016-12-05T21:29:29"},
    ),
    _runtime(
        "a percentage of more than all",
        _BASE,
        _mapping(ItemsPath="$.items", ToleratedFailurePercentagePath="$.percent"),
        "ToleratedFailurePercentage must be between 0 and 100.",
        {"items": [0], "percent": 100.1},
    ),
    _runtime(
        "a concurrency that is no number",
        _BASE,
        _mapping(ItemsPath="$.items", MaxConcurrencyPath="$.most"),
        'The MaxConcurrencyPath field refers to value "NoNumber" which is not a valid integer: $.most',
        {"items": [0], "most": "NoNumber"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_state_ends_as_aws_recorded_it(make_workflow: MakeWorkflow, case: Case) -> None:
    state = {key: value for key, value in case.state.items() if value is not None}
    workflow = make_workflow({"A": state, "B": {"Type": "Succeed"}}, QueryLanguage=case.language)
    ended = workflow.run(case.given)
    assert (ended.status, ended.error, ended.cause) == (case.status, case.error, case.cause)
    if case.status == "SUCCEEDED":
        assert ended.output == case.output


def test_a_map_tells_its_iterations(make_workflow: MakeWorkflow) -> None:
    # Recorded in assign/test_assign_base, BASE_SCOPE_MAP
    workflow = make_workflow({"A": _mapping(MaxConcurrency=1)})
    execution = workflow.start([1, 2])
    workflow.end(execution)
    iteration = ["MapIterationStarted", "PassStateEntered", "PassStateExited", "MapIterationSucceeded"]
    around = ["ExecutionStarted", "MapStateEntered", "MapStateStarted"]
    after = ["MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"]
    assert workflow.events(execution) == [*around, *iteration, *iteration, *after]


def test_the_first_failure_ends_what_is_done_beside_it(make_workflow: MakeWorkflow) -> None:
    # Recorded in test_base_scenarios (map_state_break_condition): what did not begin never does
    fails = {"Type": "Choice", "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "F"}]}
    states = {"C": fails | {"Default": "P"}, "F": {"Type": "Fail", "Error": "Two"}, "P": _echo()}
    one_by_one = _mapping(Items=[1, 2, 3], MaxConcurrency=1, ItemProcessor={"StartAt": "C", "States": states})
    workflow = make_workflow({"A": one_by_one})
    ended = workflow.run()
    assert (ended.status, ended.error) == ("FAILED", "Two")
    assert workflow.events(ended.arn).count("MapIterationStarted") == 2
    # Recorded in test_timeouts (service_lambda_map_timeout) and test_callback: what goes on is left off
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 90_000, **_END}}}
    branch = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Beside"}}}
    workflow = make_workflow({"A": {"Type": "Parallel", "Branches": [waits, branch], **_END}})
    ended = workflow.run()
    assert (ended.status, ended.error) == ("FAILED", "Beside")
    assert workflow.events(ended.arn)[-3:] == ["WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        # Recorded in test_base_scenarios: moments that are none
        ({"Type": "Wait", "Timestamp": "2016-12-05 21:29:29Z"}, "does not match RFC3339"),
        ({"Type": "Wait", "Timestamp": "2016-13-05T21:29:29Z"}, "does not match RFC3339"),
        ({"Type": "Wait", "Timestamp": "{% '2016-03-14T01:59:00Z' %}"}, "does not match RFC3339"),
        # Documented: Step Functions developer guide, "Map state in Distributed mode", Label
        (_mapping(Label="a b"), "A Label has"),
        (_mapping(Label="a" * 41), "A Label has"),
        # Not emulated, so it is refused where it is declared
        ({"Type": "Pass", "Parameters": {"a.$": "$.all[?(@.b == 0)]"}}, "is not emulated here at"),
    ],
)
def test_a_definition_in_jsonpath_is_refused(
    make_workflow: MakeWorkflow, state: dict[str, Any], message: str
) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=message):
        make_workflow({"A": {**state, **_END}}, QueryLanguage="JSONPath")


def test_what_an_sdk_gets(aws: Aws, make_workflow: MakeWorkflow, role: str) -> None:
    # Recorded in test_aws_sdk_task_service: null is left out, and what is no text is written as JSON
    bucket = f"sdk-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    aws("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="s3", PolicyDocument=policy("s3:PutObject")
    )
    put = "arn:aws:states:::aws-sdk:s3:putObject"
    for body, written in (({"a": 1}, b'{"a":1}'), (False, b"false"), (0, b"0"), ("text", b"text")):
        arguments = {"Bucket": bucket, "Key": "k", "Body": body, "ContentType": None}
        ended = make_workflow({"A": {"Type": "Task", "Resource": put, "Arguments": arguments, **_END}}).run()
        assert ended.status == "SUCCEEDED", ended.cause
        assert aws("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == written


def test_an_execution_ends_after_25000_events(make_workflow: MakeWorkflow) -> None:
    # Documented: Step Functions developer guide, "Service quotas", maximum size of an execution's history
    loop = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
    ended = make_workflow(loop).run()
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert "25000" in str(ended.cause)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("{}", "These fields are required: [States, StartAt]"),
        ('{"States": {"A": {"Type": "Succeed"}}}', "These fields are required: [StartAt]"),
    ],
)
def test_a_definition_is_validated(aws: Aws, definition: str, message: str) -> None:
    # Recorded in test_sfn_api_validation
    answer = aws("stepfunctions").validate_state_machine_definition(definition=definition)
    assert answer["result"] == "FAIL"
    wanted = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": message, "location": "/"}
    assert answer["diagnostics"] == [wanted]


@pytest.mark.parametrize("expression", ["$$.Execution.Id", "$states.errorOutput.Error"])
def test_an_expression_that_means_nothing_is_refused(make_workflow: MakeWorkflow, expression: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="INVALID_JSONATA_EXPRESSION"):
        make_workflow({"A": _pass(f"{{% {expression} %}}")})


def test_what_the_api_answers(make_workflow: MakeWorkflow, aws: Aws) -> None:
    # Recorded in test_sfn_api, test_sfn_api_aliasing and test_sfn_api_versioning
    workflow = make_workflow({"A": _echo()})
    client = workflow.client

    def refused(call: Any, **arguments: Any) -> str:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        return str(caught.value.response["Error"]["Code"])

    # What breaks the API's model, and what is no ARN
    assert (
        refused(client.list_executions, stateMachineArn=workflow.arn, maxResults=1001)
        == "ValidationException"
    )
    assert refused(client.describe_state_machine, stateMachineArn="machine") == "InvalidArn"
    assert refused(client.update_state_machine, stateMachineArn=workflow.arn) == "MissingRequiredParameter"
    unrouted = [{"stateMachineVersionArn": workflow.arn, "weight": 100}]
    assert (
        refused(client.create_state_machine_alias, name="a", routingConfiguration=unrouted)
        == "ValidationException"
    )
    client.delete_state_machine(stateMachineArn=f"{workflow.arn}-never")
    # A standard machine has no synchronous executions, and no execution has no input
    assert refused(client.start_execution, stateMachineArn=workflow.arn, input="") == "InvalidExecutionInput"
    nobody = workflow.arn + "-nobody"
    assert refused(client.list_executions, stateMachineArn=nobody) == "StateMachineDoesNotExist"
    # Publishing without a change publishes nothing new
    role = client.describe_state_machine(stateMachineArn=workflow.arn)["roleArn"]
    update = {"stateMachineArn": workflow.arn, "publish": True, "roleArn": role}
    first, again = client.update_state_machine(**update), client.update_state_machine(**update)
    assert first["stateMachineVersionArn"] == again["stateMachineVersionArn"]
    # The same alias may be created again, another by its name may not
    route = [{"stateMachineVersionArn": first["stateMachineVersionArn"], "weight": 100}]
    alias = client.create_state_machine_alias(name="live", routingConfiguration=route)
    assert (
        client.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
        == (alias["stateMachineAliasArn"])
    )
    other = {"name": "live", "routingConfiguration": route, "description": "another"}
    assert refused(client.create_state_machine_alias, **other) == "ConflictException"
    # And a list says what was started
    started = client.start_execution(stateMachineArn=alias["stateMachineAliasArn"], input=json.dumps({}))
    workflow.end(started["executionArn"])
    (shown,) = client.list_executions(stateMachineArn=workflow.arn)["executions"]
    assert shown["stateMachineAliasArn"] == alias["stateMachineAliasArn"]
    assert shown["stateMachineVersionArn"] == first["stateMachineVersionArn"]
