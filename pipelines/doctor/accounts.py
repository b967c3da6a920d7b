"""Who the caller is in each account, and whether it is the account that the files name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, NoCredentialsError

from pipelines.doctor.findings import Diagnosis, failed, well

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

_SIGN_IN: Final = "aws sso login, or set AWS_PROFILE, or pass --profile {}=PROFILE"
_REFUSED: Final = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}


def credentials(aws: Aws) -> Diagnosis:
    """Check that there are credentials and AWS accepts them.

    Raises:
        ClientError: AWS refused for another reason than the credentials.
    """
    sign_in = _SIGN_IN.format(aws.environment.name)
    if aws.session.get_credentials() is None:
        return failed("There are no AWS credentials here", sign_in)
    try:
        identity = aws.client("sts").get_caller_identity()
    except NoCredentialsError:
        return failed("There are no AWS credentials here", sign_in)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSED:
            raise
        return failed(f"AWS does not take the credentials: {error.response['Error']['Message']}", sign_in)
    return well(str(identity["Arn"]))


def account(aws: Aws) -> Diagnosis:
    """Check that the credentials belong to the account that the file names."""
    name, stated = aws.environment.name, aws.environment.account
    actual = str(aws.client("sts").get_caller_identity()["Account"])
    if actual == stated:
        return well(f"account {actual}, {aws.environment.region}")
    file = "environments/tools.yml" if name == "tools" else f"environments/{name}.yml"
    return failed(
        f"The credentials are of account {actual}, and {file} says {stated}",
        f"Choose its profile with --profile {name}=PROFILE, or write the right account into {file}.",
    )
