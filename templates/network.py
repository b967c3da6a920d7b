"""The network stack: long-lived, one for each environment, shared by all its payments stacks.

It holds what payments stacks must not delete with them: Lambda's network interfaces keep security groups
and subnets busy for up to an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import AWSHelperFn, Join, Template

from templates.capabilities.api_gateway import add_api_gateway_account
from templates.capabilities.data_api_role import EXPORT as DATA_API_ROLE
from templates.capabilities.data_api_role import add_data_api_role
from templates.capabilities.encryption_key import add_encryption_key
from templates.capabilities.peering import CONNECTED, add_database_peering
from templates.capabilities.security_groups import add_api_endpoint, add_secrets_endpoint, add_security_groups
from templates.capabilities.stack_interface import add_export
from templates.capabilities.vpc import add_flow_logs, add_internet_access, add_vpc

if TYPE_CHECKING:
    from environments.schema import Environment


def build(environment: Environment) -> Template:
    """Return the environment's network stack."""
    template = Template(Description=f"Network of the payment system's {environment.name} environment")
    key_arn = add_encryption_key(template, environment)
    vpc = add_vpc(template, environment)
    add_internet_access(template, environment, vpc)
    peering_id = add_database_peering(template, environment, vpc)
    groups = add_security_groups(template, environment, vpc)
    endpoint_id = add_api_endpoint(template, vpc, groups)
    add_secrets_endpoint(template, environment, vpc, groups)
    data_api_role = add_data_api_role(template, environment)
    add_flow_logs(template, environment, vpc, key_arn)
    add_api_gateway_account(template)
    exports: dict[str, tuple[str, AWSHelperFn]] = {
        "VpcId": ("The VPC", vpc.vpc_id),
        "PrivateSubnetIds": ("Private subnets, comma separated", Join(",", list(vpc.private_subnet_ids))),
        "FunctionsSecurityGroupId": ("For functions that call the data API", groups.functions),
        "DataApiSecurityGroupId": ("For the data API, which alone reaches MongoDB", groups.data_api),
        "ExecuteApiEndpointId": ("The endpoint through which alone data APIs answer", endpoint_id),
        DATA_API_ROLE: ("What every data API here runs as; the database knows it", data_api_role),
        "KeyArn": ("The key of logs and environment variables", key_arn),
    }
    if groups.payments is not None:
        exports["PaymentsSecurityGroupId"] = ("For functions that pay, to reach Stripe", groups.payments)
    for name, (description, value) in exports.items():
        add_export(template, name, description, value)
    connected = CONNECTED if environment.database.kind == "atlas" else None
    about = "The peering connection with the database's VPC"
    add_export(template, "DatabasePeeringId", about, peering_id, condition=connected)
    return template
