"""Log groups: always encrypted, always with a retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troposphere import GetAtt, Ref, Sub
from troposphere.logs import LogGroup

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment


@dataclass(frozen=True, slots=True)
class Logs:
    """What others may use of a log group."""

    name: Ref
    streams_arn: GetAtt
    """ARN with `:*`: what IAM statements on its streams and Step Functions want."""
    arn: Sub
    """ARN without `:*`: what API Gateway and VPC flow logs want."""


def add_log_group(
    template: Template,
    environment: Environment,
    name: str,
    key_arn: AWSHelperFn,
    *,
    physical_name: Sub | None = None,
) -> Logs:
    """Add `<name>Logs`.

    In production it outlives its stack: logs of a deleted stack are what an inquiry asks for.

    Args:
        template: where it goes.
        environment: says the retention in days.
        name: whose logs they are; the logical id begins with it.
        key_arn: the KMS key that encrypts them; its policy must name CloudWatch Logs.
        physical_name: only where an AWS service asks for a prefix; it derives from the stack's id.
    """
    policy = "Retain" if environment.production else "Delete"
    naming: dict[str, Any] = {} if physical_name is None else {"LogGroupName": physical_name}
    group = LogGroup(
        f"{name}Logs",
        KmsKeyId=key_arn,
        RetentionInDays=environment.logs.retention_days,
        DeletionPolicy=policy,
        UpdateReplacePolicy=policy,
        **naming,
    )
    template.add_resource(group)
    arn = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{group.title}}}"
    return Logs(name=Ref(group), streams_arn=GetAtt(group, "Arn"), arn=Sub(arn))
