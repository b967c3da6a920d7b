"""The data API's role: one for each environment, so that the database learns one user, once.

It is in the network stack, which outlives payments stacks. So all branches share it, and with it the one
database user: each branch's data API may read and write the databases of the others, of this environment
alone. Keep nothing of worth there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import logs
from awacs.secretsmanager import GetSecretValue
from troposphere import Sub

from templates.capabilities.lint_exceptions import STATED_SECRET, describe, excepted
from templates.capabilities.permissions import Permission, add_role, join_vpc, trace_permission

if TYPE_CHECKING:
    from troposphere import GetAtt, Template

    from environments.schema import Environment

EXPORT = "DataApiRoleArn"


def add_data_api_role(template: Template, environment: Environment) -> GetAtt:
    """Add the role and return its ARN."""
    secret = environment.database.secret_arn
    permissions = [_write_logs(environment), join_vpc(), trace_permission()]
    if secret is not None:
        permissions.append(_read_login(secret))
    arn = add_role(template, "DataApi", "lambda.amazonaws.com", permissions, for_this_account=False)
    if secret is not None:
        describe(template.resources["DataApiRole"], excepted(STATED_SECRET))
    return arn


def _read_login(secret: str) -> Permission:
    # Encrypted with aws/secretsmanager, a secret needs no right to a key (Secrets Manager user guide,
    # "Secret encryption and decryption").
    return Permission(
        "ReadLogin",
        "Reads the one secret that holds the database's user name and password.",
        [GetSecretValue],
        [secret],
    )


def _write_logs(environment: Environment) -> Permission:
    group = f"{environment.stack_pattern}-DataApiLogs-*"
    return Permission(
        "WriteLogs",
        "Writes to the log groups of this environment's data APIs, whose names CloudFormation makes of the "
        "stack's; it cannot create another, unencrypted one.",
        [logs.CreateLogStream, logs.PutLogEvents],
        [Sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{group}:*")],
    )
