"""CloudWatch: what services publish by themselves, and alarms on one metric or on a formula of several."""

from collections.abc import Callable
from typing import Any

import pytest
from embedded_workbench import Aws, Function, Stack, Workflow

FAILING = {"Fail": {"Type": "Fail", "Error": "OutOfStock"}}


def alarm(**properties: Any) -> dict[str, Any]:
    shared = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 2,  # the minute may turn during the test
        "DatapointsToAlarm": 1,
        "TreatMissingData": "notBreaching",
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": shared | properties}


def on(workflow: Workflow, metric: str) -> dict[str, Any]:
    dimensions = [{"Name": "StateMachineArn", "Value": workflow.arn}]
    return {"Namespace": "AWS/States", "MetricName": metric, "Dimensions": dimensions}


def test_an_alarm_watches_its_own_machine_only(
    aws: Aws, stack: Stack, make_workflow: Callable[..., Workflow]
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    # Given alarms on two machines' failures, and one over both
    quiet, failing = make_workflow(FAILING), make_workflow(FAILING)
    single = {"Period": 60, "Statistic": "Sum", "Threshold": 0}
    resources = {
        "Quiet": alarm(**on(quiet, "ExecutionsFailed"), **single),
        "Failing": alarm(**on(failing, "ExecutionsFailed"), **single),
        "Health": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": {"Fn::Sub": 'ALARM("${Quiet}") OR ALARM("${Failing}")'}},
        },
    }
    names = stack.deploy(resources, {name: {"Ref": name} for name in resources})
    # When one of them fails
    failing.run()
    # Then its alarm rings, the other's does not, and the composite one does
    shown = aws("cloudwatch").describe_alarms(
        AlarmNames=list(names.values()), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    states = {a["AlarmName"]: a["StateValue"] for a in shown["MetricAlarms"] + shown["CompositeAlarms"]}
    assert [states[names[name]] for name in resources] == ["OK", "ALARM", "ALARM"]


def test_an_alarm_on_a_share_of_executions(
    aws: Aws, stack: Stack, make_workflow: Callable[..., Workflow]
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    # Given an alarm that rings when more than half of at least two executions fail
    workflow = make_workflow(FAILING)
    formula = {"Id": "share", "Expression": "IF(started >= 2, 100 * FILL(failed, 0) / started, 0)"}
    parts = [
        {"Id": name, "MetricStat": {"Metric": on(workflow, metric), "Period": 60, "Stat": "Sum"}}
        for name, metric in (("failed", "ExecutionsFailed"), ("started", "ExecutionsStarted"))
    ]
    name = stack.deploy({"Share": alarm(Metrics=[formula, *parts], Threshold=50)}, {"Name": {"Ref": "Share"}})

    def state() -> str:
        return str(
            aws("cloudwatch").describe_alarms(AlarmNames=[name["Name"]])["MetricAlarms"][0]["StateValue"]
        )

    assert state() == "OK"
    # When two fail; Then it rings
    workflow.run()
    workflow.run()
    assert state() == "ALARM"


def test_log_lines_are_counted_by_a_metric_filter(
    aws: Aws, stack: Stack, make_function: Callable[..., Function]
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    # Given a function that logs JSON, a filter that counts some of its lines, and an alarm on the count
    code = """
import json
def handler(event, context):
    for kind in event:
        print(json.dumps({"kind": kind}))
"""
    function = make_function(code)
    function([])  # Lambda makes the log group at the first call
    counted = {
        "MetricNamespace": function.name,
        "MetricName": "Parked",
        "MetricValue": "1",
        "DefaultValue": 0,
    }
    lines = {
        "LogGroupName": f"/aws/lambda/{function.name}",
        "FilterPattern": '{ $.kind = "parked" }',
        "MetricTransformations": [counted],
    }
    parked = {"Namespace": function.name, "MetricName": "Parked", "Period": 60, "Statistic": "Sum"}
    resources = {
        "Lines": {"Type": "AWS::Logs::MetricFilter", "Properties": lines},
        "Alarm": alarm(**parked, Threshold=1),
    }
    name = stack.deploy(resources, {"Name": {"Ref": "Alarm"}})["Name"]

    def state() -> str:
        return str(aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    # When it logs one such line; Then that is not more than one; When two more; Then it is
    function(["parked", "business", "transient"])
    assert state() == "OK"
    function(["parked", "parked"])
    assert state() == "ALARM"


def test_lines_in_the_embedded_metric_format_are_metrics(
    aws: Aws, stack: Stack, make_function: Callable[..., Function]
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    # Given a function that writes such a line, beside others, and an alarm on one of its dimensions
    code = """
import json
def handler(event, context):
    print("{not json: \\"_aws\\"}")
    for reason in event["reasons"]:
        metrics = [{"Name": "Failed", "Unit": "Count"}]
        about = {"Namespace": event["namespace"], "Dimensions": [["reason"]], "Metrics": metrics}
        print(json.dumps({"_aws": {"CloudWatchMetrics": [about]}, "reason": reason, "Failed": [1.0, 2.0]}))
"""
    function = make_function(code)
    dimensions = [{"Name": "reason", "Value": "OutOfStock"}]
    failed = {"Namespace": function.name, "MetricName": "Failed", "Dimensions": dimensions}
    watched = alarm(**failed, Period=60, Statistic="Sum", Threshold=2)
    name = stack.deploy({"Alarm": watched}, {"Name": {"Ref": "Alarm"}})["Name"]

    def state() -> str:
        return str(aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    # When it writes of another reason; Then nothing rings; When of this one; Then it does
    function({"namespace": function.name, "reasons": ["PaymentDeclined"]})
    assert state() == "OK"
    function({"namespace": function.name, "reasons": ["OutOfStock"]})
    assert state() == "ALARM"


def test_a_formula_that_is_not_emulated_is_refused(stack: Stack) -> None:
    queries = [{"Id": "x", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"}]
    with pytest.raises(AssertionError, match="not emulated here"):
        stack.deploy({"Odd": alarm(Metrics=queries, Threshold=1)})


def test_a_function_s_calls_and_errors_are_counted_once(
    aws: Aws, make_function: Callable[..., Function]
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    # Given a function; When it is called three times, once in vain
    function = make_function()
    for event in ({}, {}, {"do": "raise"}):
        function(event)
    # Then its metrics say so
    seen = aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        StartTime=0,
        EndTime=4_000_000_000,
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert (sum(point["Sum"] for point in seen), sum(point["SampleCount"] for point in seen)) == (1, 3)
