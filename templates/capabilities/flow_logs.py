"""Flow logs: which connections the VPC carried, and which it refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import logs
from troposphere.ec2 import FlowLog

from templates.capabilities.log_groups import add_log_group
from templates.capabilities.permissions import Permission, add_role

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment
    from templates.capabilities.log_groups import Logs
    from templates.capabilities.vpc import Vpc


def add_flow_logs(template: Template, environment: Environment, vpc: Vpc, key_arn: AWSHelperFn) -> None:
    """Add a flow log of all traffic to an encrypted log group."""
    group = add_log_group(template, environment, "Flow", key_arn)
    flow_log = FlowLog(
        "FlowLog",
        ResourceId=vpc.vpc_id,
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=group.name,
        DeliverLogsPermissionArn=add_role(
            template, "FlowLog", "vpc-flow-logs.amazonaws.com", _permissions(group)
        ),
    )
    template.add_resource(flow_log)


def _permissions(group: Logs) -> list[Permission]:
    # Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
    return [
        Permission(
            "Deliver",
            "Writes flow records to its one log group.",
            [logs.CreateLogStream, logs.PutLogEvents, logs.DescribeLogStreams],
            [group.streams_arn],
        ),
        Permission(
            "FindLogGroup",
            "Looks its log group up by name: DescribeLogGroups lists an account's groups, so its resource "
            "is *, as the VPC user guide writes it.",
            [logs.DescribeLogGroups],
            ["*"],
        ),
    ]
