"""CloudWatch Logs: which lines a filter pattern finds, and the access log of a stack's REST API."""

import json
import time
import urllib.error
import urllib.request

import pytest
from embedded_workbench import Aws, Stack, unique

from embedded_aws.instance import Instance

_LINES = ['{"status": "503", "code": 1}', '{"status": "200"}', "ERROR of a kind", "Task timed out after 3 s"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", [0, 1, 2, 3]),
        ('{ $.status = "503" }', [0]),
        ("{ $.status = 5* }", [0]),
        ("{ $.status = * }", [0, 1]),
        ('{ $.status != "503" }', [1]),
        ('{ $.status = * && $.status != "200" }', [0]),
        ('{ $.status = "503" && $.code = 2 }', []),
        ("{ $.code = 1 }", [0]),
        ("ERROR", [2]),
        ("ERROR kind", [2]),
        ("ERROR -kind", []),
        ('?ERROR ?"timed out"', [2, 3]),
        ('"timed out after"', [3]),
        ('"out timed"', []),
    ],
)
def test_a_filter_pattern_finds_what_it_says(aws: Aws, pattern: str, found: list[int]) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    # Given a log group with lines of JSON and of words
    logs, group = aws("logs"), unique("lines")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": line} for number, line in enumerate(_LINES)]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    # When it is asked for lines; Then those are found
    told = logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    assert [_LINES.index(event["message"]) for event in told] == found


def test_a_pattern_that_is_not_emulated_is_refused(aws: Aws) -> None:
    logs, group = aws("logs"), unique("lines")
    logs.create_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="not emulated here"):
        logs.filter_log_events(logGroupName=group, filterPattern="{ $.a = 1 || $.b = 2 }")


def test_a_stage_logs_each_request_in_its_own_format(aws: Aws, stack: Stack, embedded: Instance) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    # Given a stack with an API whose stage has an access log
    form = {"path": "$context.path", "status": "$context.status", "who": "$context.identity.userArn"}
    integration = {"Type": "MOCK", "RequestTemplates": {"application/json": '{"statusCode": 200}'}}
    method = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": integration,
    }
    stage = {
        "RestApiId": {"Ref": "Api"},
        "DeploymentId": {"Ref": "Deployment"},
        "StageName": "live",
        "AccessLogSetting": {
            "DestinationArn": {"Fn::Sub": "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Lines}"},
            "Format": json.dumps(form),
        },
    }
    deployment = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}}
    resources = {
        "Lines": {"Type": "AWS::Logs::LogGroup"},
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "logged"}},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": method},
        "Deployment": {**deployment, "DependsOn": "Method"},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": stage},
    }
    made = stack.deploy(resources, {"Api": {"Ref": "Api"}, "Lines": {"Ref": "Lines"}})
    # When something is asked of it that there is not
    url = f"{embedded.endpoint}/restapis/{made['Api']}/live/_user_request_/nothing"
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(url)  # noqa: S310 - our own http endpoint
    # Then a line says what it was answered with
    with refusal.value as answer:
        status = answer.code
    [event] = aws("logs").filter_log_events(logGroupName=made["Lines"])["events"]
    assert json.loads(event["message"]) == {"path": "/nothing", "status": str(status), "who": "-"}
