"""What the account has left of what one more payments stack needs, and the tools account of builds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from pipelines.aws import stacks
from pipelines.definitions.projects import ARM, COMPUTE_TYPES, X86
from pipelines.deploy import embedded_overrides
from pipelines.doctor.findings import Diagnosis, failed, unknown, well
from templates import payments

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

_RAISE: Final = (
    "Ask for more: the Service Quotas console, or aws service-quotas request-service-quota-increase"
)
_LOOK: Final = "Look in the Service Quotas console for what is left of"
_PRIVATE_APIS: Final = ("apigateway", "L-A966AB5C")
_INTERFACES: Final = ("lambda", "L-9FEE3D26")
_VPCS: Final = ("vpc", "L-F678F1CE")
_ADDRESSES: Final = ("ec2", "L-0263D0A3")
"""Quota codes (Service Quotas: Private APIs; Elastic network interfaces per VPC; VPCs per Region; EC2-VPC
Elastic IPs)."""
_BUILDS: Final = {
    (ARM.type, "BUILD_GENERAL1_SMALL"): ("ARM/Small", "L-5ED1D25B"),
    (ARM.type, "BUILD_GENERAL1_MEDIUM"): ("ARM/Medium", "L-DF544FF3"),
    (ARM.type, "BUILD_GENERAL1_LARGE"): ("ARM/Large", "L-596BEAB4"),
    (X86.type, "BUILD_GENERAL1_MEDIUM"): ("Linux/Medium", "L-2DC20C30"),
    (X86.type, "BUILD_GENERAL1_LARGE"): ("Linux/Large", "L-4DDC4A99"),
}
"""What CodeBuild calls a platform's compute type, and the quota of builds on it that run at once."""
_NEVER_RESERVED: Final = 100
"""Of an account's concurrent executions (Lambda developer guide, "Configuring reserved concurrency")."""
_GROUPS: Final = 3
"""Sets of security groups that functions have, at most: Lambda makes an interface for each in each subnet."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Something that an account has only so much of.

    Attributes:
        name: What it is.
        needed: How many one more payments stack needs.
        quota: Says how many there may be.
        used: Says how many there are.
        whose: What needs them.
    """

    name: str
    needed: Callable[[Aws], int]
    quota: Callable[[Aws], float]
    used: Callable[[Aws], int]
    whose: str = "a stack"


def enough(aws: Aws, quota: Quota) -> Diagnosis:
    """Check that there is enough left for one more stack."""
    needed = quota.needed(aws)
    try:
        most, used = quota.quota(aws), quota.used(aws)
    except ClientError as error:
        return unknown(f"AWS answered: {error}", f"{_LOOK} {quota.name}; {quota.whose} needs {needed}")
    usage = f"{used} of {most:.0f} used, {quota.whose} needs {needed}"
    if used + needed > most:
        return failed(usage, f"{_RAISE} ({quota.name})")
    return well(usage)


def _in_a_stack(*kinds: str) -> Callable[[Aws], int]:
    def count(aws: Aws) -> int:
        template = payments.build(embedded_overrides.with_database(aws))
        counts = Counter(resource.resource_type for resource in template.resources.values())
        return sum(counts[kind] for kind in kinds)

    return count


def _service_quota(service: str, code: str) -> Callable[[Aws], float]:
    def ask(aws: Aws) -> float:
        answer = aws.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
        return float(answer["Quota"]["Value"])

    return ask


def _stack_limit(aws: Aws) -> float:
    limits = aws.cloudformation.describe_account_limits()["AccountLimits"]
    return next(float(limit["Value"]) for limit in limits if limit["Name"] == "StackLimit")


def _stacks(aws: Aws) -> int:
    pages = aws.cloudformation.get_paginator("describe_stacks").paginate()
    return sum(len(page["Stacks"]) for page in pages)


def _summary(key: str) -> Callable[[Aws], int]:
    return lambda aws: int(aws.client("iam").get_account_summary()["SummaryMap"][key])


def _concurrency(aws: Aws) -> float:
    return float(aws.functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])


def _executions(aws: Aws) -> int:
    """One of each function at once; what is reserved must leave Lambda's least to all others, too."""
    at_once = _in_a_stack("AWS::Lambda::Function")(aws)
    reserved = aws.environment.database.data_api_concurrency
    return at_once if reserved is None else reserved + max(at_once, _NEVER_RESERVED)


def _private_apis(aws: Aws) -> int:
    pages = aws.client("apigateway").get_paginator("get_rest_apis").paginate()
    kinds = [api["endpointConfiguration"]["types"] for page in pages for api in page["items"]]
    return sum("PRIVATE" in kind for kind in kinds)


def _interfaces(aws: Aws) -> int:
    vpc = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    pages = aws.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "interface-type", "Values": ["lambda"]}]
    )
    return sum(len(page["NetworkInterfaces"]) for page in pages)


def _vpcs(aws: Aws) -> int:
    return sum(len(page["Vpcs"]) for page in aws.ec2.get_paginator("describe_vpcs").paginate())


def _without_network(count: Callable[[Aws], int]) -> Callable[[Aws], int]:
    """Return what an environment without its network stack still needs; one that has it has that already."""
    return lambda aws: 0 if stacks.status(aws, aws.environment.network_stack) else count(aws)


def _nat(aws: Aws) -> int:
    return 0 if aws.environment.network.public_subnet_cidr is None else 1


QUOTAS: Final = (
    Quota("concurrent executions of Lambda", _executions, _concurrency, lambda _: 0),
    Quota("roles of IAM", _in_a_stack("AWS::IAM::Role"), _summary("RolesQuota"), _summary("Roles")),
    Quota("stacks of CloudFormation", lambda _: 1, _stack_limit, _stacks),
    Quota(
        "private APIs", _in_a_stack("AWS::ApiGateway::RestApi"), _service_quota(*_PRIVATE_APIS), _private_apis
    ),
    Quota(
        "network interfaces of Lambda in the VPC",
        lambda aws: _GROUPS * len(aws.environment.network.private_subnet_cidrs),
        _service_quota(*_INTERFACES),
        _interfaces,
    ),
    Quota("VPCs in the region", _without_network(lambda _: 1), _service_quota(*_VPCS), _vpcs),
    Quota(
        "elastic IP addresses",
        _without_network(_nat),
        _service_quota(*_ADDRESSES),
        lambda aws: len(aws.ec2.describe_addresses()["Addresses"]),
    ),
)
"""Of concurrent executions nothing counts as used: others give them back within the second."""


def _builds() -> tuple[Quota, ...]:
    """Return the quotas of builds: one at once is enough, since others queue; a new account may have none."""
    computed = {(ARM.type, compute_type) for both in COMPUTE_TYPES.values() for compute_type in both}
    computed |= {(X86.type, large) for _, large in COMPUTE_TYPES.values()}  # the money path's alone
    return tuple(
        Quota(
            f"concurrent builds on {name}",
            lambda _: 1,
            _service_quota("codebuild", code),
            lambda _: 0,
            whose="a pipeline",
        )
        for name, code in (_BUILDS[machine] for machine in sorted(computed))
    )


BUILD_QUOTAS: Final = _builds()
