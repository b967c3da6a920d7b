"""What other checks need: Python and git on this machine, and credentials of the accounts in the files."""

from __future__ import annotations

import shutil
import subprocess
import sys
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


_OLDEST: Final = (3, 11)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Diagnosis:
    """Check that Python is new enough."""
    has = ".".join(map(str, version))
    if version[:2] < _OLDEST:
        return failed(f"Python {has}, and 3.11 or newer is needed", "make PYTHON=python3.12 install")
    return well(f"Python {has}")


def git() -> Diagnosis:
    """Check that git runs: pushes start pipelines, and builds read when the source was committed."""
    program = shutil.which("git")
    if program is None:
        return failed("There is no git on the PATH", "Install it with your system's packages.")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if version.returncode:
        return failed(f"{program} does not run: {version.stderr.strip()}", "Install it again.")
    return well(version.stdout.strip())
