"""What the roles of our stacks need on AWS alone: functions, workflows and flow logs."""

from __future__ import annotations

from typing import Final

from tests.least_privilege.audit.aws_only_permissions import AwsOnlyPermission

_NO_TRACES: Final = "Traces; the embedded AWS writes none."
_NO_DELIVERY: Final = "Step Functions sets up the delivery of its logs; the embedded AWS delivers none."
_NO_NETWORK: Final = "The embedded AWS has no network whose flows it could log."
_WAITS_INSIDE: Final = "the embedded AWS waits for it inside."

OF_STACKS: Final = (
    AwsOnlyPermission(
        "lambda",
        "WriteLogs",
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        "The embedded AWS writes a function's log itself; on AWS its execution environment does, as the "
        "role.",
        "Lambda developer guide, 'Sending Lambda function logs to CloudWatch Logs'",
    ),
    AwsOnlyPermission(
        "lambda",
        "JoinVpc",
        (
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ),
        "Network interfaces in the VPC; the embedded AWS has no network.",
        "Lambda developer guide, 'Giving Lambda functions access to resources in an Amazon VPC'",
    ),
    AwsOnlyPermission(
        "lambda",
        "SendTraces",
        ("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
        _NO_TRACES,
        "Lambda developer guide, 'Visualize Lambda function invocations using AWS X-Ray', execution role",
    ),
    AwsOnlyPermission(
        "states",
        "DeliverLogs",
        (
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ),
        _NO_DELIVERY,
        "Step Functions developer guide, 'Using CloudWatch Logs to log execution history'",
    ),
    AwsOnlyPermission(
        "states",
        "SendTraces",
        (
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ),
        _NO_TRACES,
        "Step Functions developer guide, 'Trace Step Functions request data in AWS X-Ray'",
    ),
    AwsOnlyPermission(
        "states",
        "StopProbes",
        ("states:StopExecution",),
        "A release whose synthetic orders hang for a minute and a half; no rehearsal waits for one.",
        "templates/definitions/release_probe.py",
    ),
    *(
        AwsOnlyPermission(
            "states",
            sid,
            actions,
            f"{when}; {_WAITS_INSIDE}",
            "Step Functions developer guide, 'IAM policies for nested workflows', synchronous",
        )
        for sid, actions, when in (
            (
                "HearOfTheEnd",
                ("events:DescribeRule", "events:PutRule", "events:PutTargets"),
                "How a .sync task hears of the end of the execution that it started",
            ),
            (
                "FollowOrders",
                ("states:DescribeExecution", "states:StopExecution"),
                "A .sync task looks at the execution that it started, and stops it when it is stopped itself",
            ),
        )
    ),
    *(
        AwsOnlyPermission(
            "vpc-flow-logs",
            sid,
            actions,
            _NO_NETWORK,
            "Amazon VPC user guide, 'IAM role for publishing flow logs to CloudWatch Logs'",
        )
        for sid, actions in (
            ("FindLogGroup", ("logs:DescribeLogGroups",)),
            ("Deliver", ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")),
        )
    ),
)
"""`tests/rehearsal/test_permissions.py` holds it to a smoke run, an order that is undone, and a sweep."""
