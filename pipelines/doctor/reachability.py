"""Whether MongoDB answers where the data API would ask it from."""

from __future__ import annotations

import json
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from environments import rules
from pipelines.aws import stacks
from pipelines.build import dependencies, package_manifest, packaging
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.core.waiting import wait_until
from pipelines.definitions import roles
from pipelines.definitions.bootstrap_stack import RUNTIME_BOUNDARY
from pipelines.deploy import embedded_overrides
from pipelines.doctor import reach_database
from pipelines.doctor.findings import Diagnosis, failed, unknown, well
from templates.capabilities.permissions import POLICY_VERSION, join_vpc

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

MILLISECONDS: Final = 5000
"""How long MongoDB is given; the data API gives it two seconds, once it is connected."""


def database(aws: Aws, bootstrap_stack: str, *, milliseconds: int = MILLISECONDS) -> Diagnosis:
    """Check that MongoDB answers a function in the data API's place in the network."""
    network = aws.environment.network_stack
    if stacks.status(aws, network) is None:
        return unknown("There is no network yet to ask from", "Fix its stack first.")
    where = embedded_overrides.with_database(aws).database
    options = [f"tls={str(where.tls).lower()}"]
    if where.tls and where.secret_arn is not None:
        # The secret may hold a private authority, which this function may not read; it asks
        # whether a server is there, and tells it nothing.
        options.append("tlsAllowInvalidCertificates=true")
    uri = rules.with_options(where.uri, options)
    boundary = boundary_of(aws, bootstrap_stack)
    event = {"uri": uri, "milliseconds": milliseconds}
    answer = call(aws, stacks.outputs(aws, network), boundary, event)
    if answer["reached"]:
        return server(where.uri, answer["wire_version"])
    return failed(
        f"{where.uri} does not answer from inside the network: {answer['says']}",
        "Is MongoDB up, does its name resolve there, and do its access list and firewall let "
        f"{aws.environment.network.vpc_cidr} in?",
    )


def server(uri: str, wire_version: int) -> Diagnosis:
    """Return what is known of a server of this wire version, which it tells before anybody logs in."""
    known = [name for least, name in sorted(_RELEASES.items()) if least <= wire_version]
    newest = max(_RELEASES)
    if not known:
        return failed(
            f"{uri} answers, and is older than MongoDB {_RELEASES[min(_RELEASES)]}",
            "Upgrade it: nothing here was ever run on so old a server.",
        )
    name = f"newer than MongoDB {known[-1]}" if wire_version > newest else f"MongoDB {known[-1]}"
    return well(f"{uri}, which is {name}, answers, asked from inside the network")


_RELEASES: Final = {17: "6.0", 21: "7.0", 25: "8.0"}
"""The release that begins with a wire version (mongodb/specifications, "Server Wire version and Features").

Tests run on 6.0, the oldest that serves; what newer ones change is in the register of assumptions.
"""
_SECONDS: Final = 20
_MEMORY_MB: Final = 256
_LONGEST_SECONDS: Final = 300
"""Lambda takes up to minutes to give a function its first network interface."""
_TRUST: Final = {
    "Version": POLICY_VERSION,
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def call(aws: Aws, network: dict[str, str], boundary: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """Make the function in the data API's place in the network, call it, and delete it and its role.

    Its role may not even write a log, so it leaves none behind. On AWS its network interfaces stay for up to
    an hour, in the long-lived network, and hold nothing up.

    Args:
        aws: The environment's account.
        network: The outputs of its network stack.
        boundary: The permissions boundary that roles of the account must have, if there is one.
        event: What it is called with.

    Returns:
        Its answer: {reached, says, wire_version}.

    Raises:
        Refused: It did not get ready, or failed.
    """
    name = f"payments-doctor-{uuid.uuid4().hex[:12]}"
    with ExitStack() as undo:
        role = _make_role(aws, name, boundary, undo)
        _make_function(aws, name, role, network, undo)
        _await_ready(aws, name)
        answer = aws.functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        result: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Refused(f"The function failed: {result.get('errorMessage', result)}")
    return result


def boundary_of(aws: Aws, bootstrap_stack: str) -> str | None:
    """Return the permissions boundary that the account's bootstrap stack exports, if it is deployed."""
    if stacks.status(aws, bootstrap_stack) is None:
        return None
    return stacks.outputs(aws, bootstrap_stack).get(RUNTIME_BOUNDARY)


def _make_role(aws: Aws, name: str, boundary: str | None, undo: ExitStack) -> str:
    iam, bounded = aws.client("iam"), {"PermissionsBoundary": boundary} if boundary else {}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST), **bounded)
    undo.callback(iam.delete_role, RoleName=name)
    policy = roles.document([join_vpc()]).to_json()
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=policy)
    undo.callback(iam.delete_role_policy, RoleName=name, PolicyName="permissions")
    return str(role["Role"]["Arn"])


def _make_function(aws: Aws, name: str, role: str, network: dict[str, str], undo: ExitStack) -> None:
    function: dict[str, Any] = {
        "FunctionName": name,
        "Runtime": aws.environment.functions.runtime,
        "Architectures": ["arm64"],  # what its package is for (docs/decisions/one-package-target.md)
        "Handler": f"{Path(reach_database.__file__).stem}.handler",
        "Role": role,
        "Timeout": _SECONDS,
        "MemorySize": _MEMORY_MB,
        "VpcConfig": {
            "SubnetIds": network["PrivateSubnetIds"].split(","),
            "SecurityGroupIds": [network["DataApiSecurityGroupId"]],
        },
        "Code": {"ZipFile": _package()},
    }

    def create() -> bool:
        try:
            aws.functions.create_function(**function)
        except ClientError as error:
            # A new role takes some seconds to be known everywhere (IAM user guide, "Troubleshoot IAM").
            if "cannot be assumed" in str(error) or "does not have permissions" in str(error):
                return False
            raise
        return True

    wait_until(create, seconds=_LONGEST_SECONDS, every=aws.poll_seconds, what=f"role {name} to be known")
    undo.callback(aws.functions.delete_function, FunctionName=name)


def _await_ready(aws: Aws, name: str) -> None:
    def ready() -> bool:
        function = aws.functions.get_function_configuration(FunctionName=name)
        state = function.get("State", "Active")
        if state == "Failed":
            raise Refused(f"The function could not be made: {function.get('StateReason', 'no reason given')}")
        return state == "Active"

    wait_until(ready, seconds=_LONGEST_SECONDS, every=aws.poll_seconds, what=f"function {name} to be ready")


def _package() -> bytes:
    """Return a zip of the data API's own dependencies and the one module that pings with them."""
    files = dependencies.shipped("data-api", ROOT, packaging.WHEELS)
    module = Path(reach_database.__file__)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "function.zip"
        package_manifest.write_zip(archive, files | {module.name: module.read_bytes()})
        return archive.read_bytes()
