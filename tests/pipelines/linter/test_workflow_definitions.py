"""Every wrong definition is found by its rule, and what is right is left alone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.lint import jsonata
from pipelines.lint.templates import lint_definition
from pipelines.lint.workflow_definitions import RULES
from templates.definitions import payment_workflow, smoke_workflow, sweeper
from tests.pipelines.linter.test_malformed import ANYTHING, places

if TYPE_CHECKING:
    from pipelines.lint.findings import Level

Json = dict[str, Any]
LAMBDA: Final = "arn:aws:states:::lambda:invoke"
SDK: Final = "arn:aws:states:::aws-sdk"
FUNCTION: Final = "arn:aws:lambda:eu-central-1:111122223333:function:f"


def task(**more: Any) -> Json:
    return {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": "f"}, "End": True, **more}


def machine(**states: Json) -> Json:
    first = next(iter(states))
    return {"QueryLanguage": "JSONata", "StartAt": first, "States": states}


def passing(**more: Any) -> Json:
    return {"Type": "Pass", "End": True, **more}


def choice(condition: Any, **more: Any) -> Json:
    rule = {"Condition": condition, "Next": "End", **more}
    return machine(Choose={"Type": "Choice", "Choices": [rule], "Default": "End"}, End={"Type": "Succeed"})


def retrier(**more: Any) -> Json:
    return machine(Call=task(Retry=[{"ErrorEquals": ["States.ALL"], **more}]))


def catcher(**more: Any) -> Json:
    catch = {"ErrorEquals": ["States.ALL"], "Next": "End", **more}
    return machine(Call=task(Catch=[catch]), End={"Type": "Succeed"})


def each(**configured: str) -> Json:
    processor = {**machine(Pass=passing()), "ProcessorConfig": configured}
    return machine(Each={"Type": "Map", "Items": [1], "ItemProcessor": processor, "End": True})


WRONG: Final[list[tuple[str, str, Json]]] = [
    ("S101", "text", choice("{% 'yes' %}")),
    ("S101", "a number", choice("{% $count($states.input.lines) %}")),
    ("S101", "a sum", choice("{% 1 + 1 %}")),
    ("S101", "joined text", choice("{% $states.input.a & 'b' %}")),
    ("S101", "an object", choice("{% {'a': 1} %}")),
    ("S101", "the same in both branches", choice("{% $states.input.a ? 'yes' : 'no' %}")),
    ("S101", "no expression", choice("$states.input.a = 1")),
    ("S102", "the root", choice("{% $$.a = 1 %}")),
    ("S102", "the root in a payload", machine(Call=task(Arguments={"Payload": "{% $$ %}"}))),
    ("S103", "a result before there is one", machine(Call=task(Arguments={"A": "{% $states.result.a %}"}))),
    ("S103", "an error without a catcher", machine(Call=task(Output="{% $states.errorOutput.Error %}"))),
    ("S103", "a result in a catcher", catcher(Output="{% $states.result %}")),
    ("S103", "a result of a choice", choice("{% $states.result.a = 1 %}")),
    (
        "S103",
        "a result of a Pass",
        machine(Go={"Type": "Pass", "Output": "{% $states.result %}", "End": True}),
    ),
    ("S103", "what there never is", choice("{% $states.inputs.a = 1 %}")),
    ("S104", "a misspelt function", choice("{% $contain($states.input.a, 'b') %}")),
    ("S104", "eval", machine(Call=task(Output="{% $eval('1') %}"))),
    ("S105", "a variable that nobody assigns", choice("{% $paid = 1 %}")),
    ("S106", "the reserved name", machine(Call=task(Assign={"states": 1}))),
    ("S106", "a hyphen", machine(Call=task(Assign={"order-id": 1}))),
    ("S106", "a digit first", machine(Call=task(Assign={"1st": 1}))),
    ("S106", "an underscore first", machine(Call=task(Assign={"_id": 1}))),
    ("S106", "81 letters", machine(Call=task(Assign={"a" * 81: 1}))),
    ("S106", "in a catcher", catcher(Assign={"states": 1})),
    ("S107", "no attempts below none", retrier(MaxAttempts=-1)),
    ("S107", "no wait below a second", retrier(IntervalSeconds=0)),
    ("S107", "a shrinking wait", retrier(BackoffRate=0.5)),
    ("S107", "a limit below the first wait", retrier(IntervalSeconds=10, MaxDelaySeconds=10)),
    ("S107", "an unknown jitter", retrier(JitterStrategy="HALF")),
    ("S107", "no errors", retrier(ErrorEquals=[])),
    ("S107", "what is never retried", retrier(ErrorEquals=["States.DataLimitExceeded"])),
    ("S107", "ALL beside another", retrier(ErrorEquals=["States.ALL", "OutOfStock"])),
    (
        "S107",
        "handled by an earlier one",
        machine(Call=task(Retry=[{"ErrorEquals": ["Busy"]}, {"ErrorEquals": ["Busy"], "MaxAttempts": 9}])),
    ),
    (
        "S107",
        "ALL before another",
        machine(Call=task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Busy"]}])),
    ),
    (
        "S107",
        "a retrier of a Pass",
        machine(Go=passing(Retry=[{"ErrorEquals": ["States.ALL"]}])),
    ),
    ("S108", "text for seconds", machine(Call=task(TimeoutSeconds="{% '5' %}"))),
    (
        "S108",
        "a number for items",
        machine(Each={"Type": "Map", "Items": "{% 3 %}", "ItemProcessor": machine(Call=task()), "End": True}),
    ),
    ("S109", "half an expression", machine(Call=task(Output="{% 1"))),
    ("S109", "a blank before it", machine(Call=task(Output=" {% 1 %}"))),
    ("S109", "a JSONPath", machine(Call=task(Arguments={"A": "$.order_id"}))),
    ("S109", "a JSONPath key", machine(Call=task(Arguments={"A.$": "x"}))),
    ("S109", "an intrinsic function", machine(Call=task(Output="States.Format('{}', 1)"))),
    ("S110", "an unknown integration", machine(Call=task(Resource="arn:aws:states:::lamda:invoke"))),
    ("S110", "an unknown action", machine(Call=task(Resource="arn:aws:states:::lambda:call"))),
    ("S110", "an unknown pattern", machine(Call=task(Resource=f"{LAMBDA}.async"))),
    (
        "S110",
        "an unknown action of an SDK",
        machine(Call=task(Resource=f"{SDK}:s3:getObjet")),
    ),
    ("S111", "a late heartbeat", machine(Call=task(TimeoutSeconds=5, HeartbeatSeconds=5))),
    (
        "S112",
        "no default",
        machine(
            Choose={"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "End"}]},
            End={"Type": "Succeed"},
        ),
    ),
    (
        "S104",
        "inside a branch",
        machine(
            Both={"Type": "Parallel", "Branches": [machine(Call=task(Output="{% $nope() %}"))], "End": True}
        ),
    ),
    (
        "S103",
        "inside a loop",
        machine(
            Each={
                "Type": "Map",
                "Items": "{% [1] %}",
                "ItemProcessor": machine(Call=task(Arguments={"A": "{% $states.result %}"})),
                "End": True,
            }
        ),
    ),
    ("S107", "an error that Step Functions does not have", retrier(ErrorEquals=["States.Timout"])),
    ("S110", "a function is no job", machine(Call=task(Resource=f"{LAMBDA}.sync"))),
    ("S110", "nor is an SDK's call", machine(Call=task(Resource=f"{SDK}:ecs:runTask.sync"))),
    ("S113", "a long name", machine(**{"a" * 81: passing()})),
    ("S113", "JSONPath inside of JSONata", machine(Pass=passing(QueryLanguage="JSONPath"))),
    ("S113", "no branches", machine(Both={"Type": "Parallel", "Branches": [], "End": True})),
    ("S113", "a mode of its own", each(Mode="FAST")),
    ("S113", "a distributed map of no type", each(Mode="DISTRIBUTED")),
]
RIGHT: Final[dict[str, Json]] = {
    "a distributed map": each(Mode="DISTRIBUTED", ExecutionType="STANDARD"),
    "a comparison": choice("{% $states.input.a > 1 and $exists($states.context.Execution.Name) %}"),
    "what the data tells": choice("{% $states.input.paid %}"),
    "a literal": choice(True),
    "a result where there is one": machine(Call=task(Output="{% $states.result.Payload %}")),
    "an error where there is one": catcher(Assign={"error": "{% $states.errorOutput.Error %}"}),
    "a function of its own": machine(Call=task(Output="{% ($twice := function($n){$n * 2}; $twice(2)) %}")),
    "functions as values": machine(Call=task(Output="{% $map($states.input.lines, $string) %}")),
    "those of Step Functions": machine(Call=task(Output="{% $hash($uuid(), 'SHA-256') & $parse('1') %}")),
    "a number from a number": machine(Call=task(TimeoutSeconds="{% 5 * $states.input.n %}")),
    "a variable of an outer state": machine(
        Set={"Type": "Pass", "Assign": {"n": 1}, "Next": "Each"},
        Each={
            "Type": "Map",
            "Items": "{% [1, 2] %}",
            "ItemProcessor": machine(Call=task(Output="{% $n %}")),
            "End": True,
        },
    ),
    "retries": retrier(
        MaxAttempts=0, IntervalSeconds=1, MaxDelaySeconds=2, BackoffRate=1, JitterStrategy="FULL"
    ),
    "an SDK's action": machine(Call=task(Resource=f"{SDK}:dynamodb:describeTable")),
    "a job that is waited for": machine(Call=task(Resource="arn:aws:states:::ecs:runTask.sync")),
    "a function's own ARN": machine(
        Call=task(Resource="arn:aws:lambda:eu-central-1:111122223333:function:f")
    ),
    "a JSONPath state": {
        "StartAt": "Call",
        "States": {"Call": {"Type": "Task", "Resource": LAMBDA, "Parameters": {"A.$": "$.a"}, "End": True}},
    },
}


def ours(definition: Any) -> list[tuple[str, Level]]:
    return [(one.rule, one.level) for one in lint_definition("it", definition) if one.rule in RULES]


@pytest.mark.parametrize(("rule", "definition"), [pytest.param(r, d, id=f"{r} {n}") for r, n, d in WRONG])
def test_what_is_wrong_is_found_by_its_rule_and_no_other(rule: str, definition: Json) -> None:
    assert set(ours(definition)) == {(rule, RULES[rule].level)}


@pytest.mark.parametrize("definition", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_left_alone(definition: Json) -> None:
    assert ours(definition) == []


def test_every_rule_has_a_wrong_definition() -> None:
    assert {rule for rule, _, _ in WRONG} == set(RULES)


def test_the_sweeper_is_clean() -> None:
    assert lint_definition("sweeper", sweeper.definition()) == []


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("1", "number"),
        ("-$x", "number"),
        ("'a'", "string"),
        ("null", "null"),
        ("[1]", "array"),
        ("[1][0]", ""),
        ("{'a': 1}", "object"),
        ("a in b", "boolean"),
        ("(1; true)", "boolean"),
        ("$x := 'a'", "string"),
        ("$x ? 1 : 'a'", ""),
        ("$x ? 1", ""),
        ("$not(a)", "boolean"),
        ("a.b", ""),
        ("function($n){$n}", "function"),
        ("[1..3]", "array"),
    ],
)
def test_the_type_of_an_expression_is_told_where_its_text_tells(expression: str, kind: str) -> None:
    assert jsonata.usage(expression).kind == kind


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), build=st.sampled_from([payment_workflow, smoke_workflow, sweeper]))
def test_anything_may_stand_anywhere_in_a_definition(data: st.DataObject, build: Any) -> None:
    definition = copy.deepcopy(build.definition())
    holder, key = data.draw(st.sampled_from(places(definition)))
    holder[key] = data.draw(ANYTHING)
    assert isinstance(lint_definition("malformed", definition), list)


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_anything_may_be_a_definition(definition: Any) -> None:
    assert isinstance(lint_definition("anything", definition), list)
