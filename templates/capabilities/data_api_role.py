"""The data API's role: one for each environment, so that the database learns one user, once.

It is in the network stack, which outlives payments stacks. So all branches share it, and with it the one
database user: each branch's data API may read and write the databases of the others, of this environment
alone. Keep nothing of worth there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import logs
from troposphere import Sub

from templates.capabilities.functions import join_vpc, trace_permission
from templates.capabilities.permissions import Permission, add_role

if TYPE_CHECKING:
    from troposphere import GetAtt, Template

    from environments.schema import Environment

EXPORT = "DataApiRoleArn"


def add_data_api_role(template: Template, environment: Environment) -> GetAtt:
    """Add the role and return its ARN."""
    permissions = [_write_logs(environment), join_vpc(), trace_permission()]
    return add_role(template, "DataApi", "lambda.amazonaws.com", permissions, for_this_account=False)


def _write_logs(environment: Environment) -> Permission:
    group = f"{environment.stack_pattern}-DataApiLogs-*"
    return Permission(
        "WriteLogs",
        "Writes to the log groups of this environment's data APIs, whose names CloudFormation makes of the "
        "stack's; it cannot create another, unencrypted one.",
        [logs.CreateLogStream, logs.PutLogEvents],
        [Sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{group}:*")],
    )
