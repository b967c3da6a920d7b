"""What is not emulated says so, so that nobody searches for a mistake of their own."""

import botocore.exceptions
import pytest
from embedded_workbench import Aws

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("synthetics", "describe_canaries"),  # REST and JSON
        ("connect", "list_instances"),
        ("redshift", "describe_clusters"),  # the query protocol, XML
        ("shield", "list_protections"),  # JSON
    ],
)
def test_an_unknown_service_is_refused_readably(aws: Aws, service: str, operation: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="is not emulated here"):
        getattr(aws(service), operation)()


def test_an_unknown_action_is_refused_by_name(aws: Aws) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="DescribeVpnConcentrators"):
        aws("ec2").describe_vpn_concentrators()
