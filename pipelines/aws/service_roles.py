"""The service-linked roles that our stacks need, made once in each account by its administrator.

The first service level objective of an account makes the role of Application Signals. Whoever makes it needs
`iam:CreateServiceLinkedRole`: a right that no pipeline has, since a branch's code could take it.
CloudWatch user guide, "Using service-linked roles for CloudWatch".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

APPLICATION_SIGNALS: Final = "application-signals.cloudwatch.amazonaws.com"
_TAKEN: Final = {"EntityAlreadyExists", "InvalidInput"}
"""What IAM answers where there is one (API reference, CreateServiceLinkedRole); its words tell them apart."""


def ensure(aws: Aws) -> None:
    """Make the account's service-linked roles that are missing.

    Raises:
        ClientError: IAM refused for another reason than that there is one.
    """
    try:
        aws.client("iam").create_service_linked_role(AWSServiceName=APPLICATION_SIGNALS)
    except ClientError as error:
        answer = error.response["Error"]
        taken = answer["Code"] in _TAKEN and ("taken" in answer["Message"] or "exists" in answer["Message"])
        if not taken:
            raise


def exists(aws: Aws) -> bool:
    """Return whether the account has them."""
    path = f"/aws-service-role/{APPLICATION_SIGNALS}/"
    return bool(aws.client("iam").list_roles(PathPrefix=path)["Roles"])
