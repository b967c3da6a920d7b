"""The language of JSONPath workflows by itself: intrinsic functions, result paths and Choice rules.

The values of intrinsic functions are those of AWS's own page on them:
https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from typing import Any

import pytest

from embedded_aws.stepfunctions import (
    choices,
    definition_checks,
    intrinsics,
    path_evaluation,
    paths,
    records,
    tasks,
)

_CONTEXT: dict[str, Any] = {"Execution": {"Name": "e"}, "variables": {"limit": 3}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("States.ArrayPartition($.numbers, 4)", [[1, 2, 3, 4], [5, 6, 7, 8], [9]]),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayUnique(States.Array(1, 2, 3, 3, 4))", [1, 2, 3, 4]),
        ("States.ArrayContains($.numbers, 5)", True),
        ("States.ArrayGetItem($.numbers, 5)", 6),
        ("States.ArrayLength($.numbers)", 9),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGVjb2RlZCBkYXRh')", "Decoded data"),
        ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("States.JsonMerge($.first, $.second, false)", {"a": {"a3": 1}, "b": 2, "c": 3}),
        ("States.StringToJson('{\"number\": 20}')", {"number": 20}),
        ("States.MathAdd(111, -1)", 110),
        ("States.StringSplit('This.is+a,test=string', '.+,=')", ["This", "is", "a", "test", "string"]),
        ("States.Format('Hello, my name is {}.', $.name)", "Hello, my name is Arnav."),
        ("States.Format('\\'{}\\' of \\{\\}, {}', $.name, $['a, b'])", "'Arnav' of {}, {x=null}"),
    ],
)
def test_an_intrinsic_function_gives_what_its_page_says(expression: str, value: Any) -> None:
    data = {
        "numbers": [1, 2, 3, 4, 5, 6, 7, 8, 9],
        "first": {"a": {"a1": 1}, "b": 2},
        "second": {"a": {"a3": 1}, "c": 3},
        "name": "Arnav",
        "a, b": {"x": None},
    }
    assert intrinsics.evaluate(expression, lambda path: paths.select(path, data)) == value


@pytest.mark.parametrize(
    "expression", ["States.Nope()", "States.Format('{}')", "States.Array(1", "States.MathAdd('a', 1)"]
)
def test_a_call_that_cannot_be_made_is_refused(expression: str) -> None:
    with pytest.raises(intrinsics.Malformed):
        intrinsics.evaluate(expression, lambda path: path)


def test_a_result_goes_where_its_path_says_and_nowhere_else() -> None:
    given = {"a": {"b": 1}, "c": [0]}
    assert paths.placed("$.a.d.e", given, 2) == {"a": {"b": 1, "d": {"e": 2}}, "c": [0]}
    assert paths.placed("$.c[0]", given, 2)["c"] == [2]
    assert given == {"a": {"b": 1}, "c": [0]}
    with pytest.raises(records.Error) as failed:
        path_evaluation.placed({"ResultPath": "$.a.b.c"}, given, 2)
    assert failed.value.error == "States.ResultPathMatchFailure"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Variable": "$.none", "IsPresent": True}, True),  # null is there
        ({"Variable": "$.gone", "IsPresent": False}, True),
        ({"Variable": "$.none", "IsNull": True}, True),
        ({"Variable": "$.true", "IsNumeric": True}, False),
        ({"Variable": "$.true", "NumericEquals": 1}, False),
        ({"Variable": "$.text", "StringMatches": "log-*.tx?"}, False),
        ({"Variable": "$.text", "StringMatches": "log-*.txt"}, True),
        ({"Variable": "$.star", "StringMatches": "a\\*"}, True),
        ({"Variable": "$.number", "NumericLessThanPath": "$limit"}, True),
        ({"Variable": "$$.Execution.Name", "StringEquals": "e"}, True),
        ({"Variable": "$.moment", "TimestampLessThan": "2026-01-01T01:00:00+02:00"}, False),
        ({"Variable": "$.text", "TimestampEquals": "2025-12-31T23:00:00Z"}, False),
        ({"Variable": "$.moment", "TimestampEqualsPath": "$.moment"}, True),
        (
            {"Or": [{"Variable": "$.none", "IsNull": False}, {"Variable": "$.number", "NumericEquals": 2}]},
            True,
        ),
        ({"And": [{"Variable": "$.gone", "IsPresent": True}, {"Variable": "$.gone", "IsNull": True}]}, False),
        ({"Not": {"Variable": "$.text", "BooleanEquals": True}}, True),
    ],
)
def test_a_choice_rule_holds_or_does_not(rule: dict[str, Any], holds: bool) -> None:
    data = {
        "none": None,
        "true": True,
        "text": "log-1.txt",
        "star": "a*",
        "number": 2,
        "moment": "2025-12-31T23:00:00Z",
    }
    assert choices.holds(rule, data, _CONTEXT) is holds


def test_a_choice_by_what_is_not_there_fails() -> None:
    with pytest.raises(records.Error, match="condition path references an invalid value"):
        choices.holds({"Variable": "$.gone", "StringEquals": "x"}, {}, _CONTEXT)


@pytest.mark.parametrize(
    "resource",
    ["arn:aws:states:::ecs:runTask.sync", "arn:aws:states:::http:invoke", "arn:aws:states:x:1:activity:a"],
)
def test_a_task_that_is_not_emulated_is_refused_in_the_definition(resource: str) -> None:
    definition = (
        f'{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "Resource": "{resource}", "End": true}}}}}}'
    )
    assert "is not emulated here at /States/A/Resource" in (definition_checks.problem(definition) or "")


@pytest.mark.parametrize(
    ("retrier", "count", "least", "most"),
    [
        ({"IntervalSeconds": 2, "BackoffRate": 3}, 2, 18, 18),
        ({"IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 20}, 10, 20, 20),
        ({"IntervalSeconds": 100, "JitterStrategy": "FULL"}, 0, 0, 100),
        ({}, 1, 2, 2),
    ],
)
def test_retries_wait_as_documented(retrier: dict[str, Any], count: int, least: float, most: float) -> None:
    assert least <= tasks.backoff_seconds(retrier, count) <= most
