"""The variables that a build's shell starts with; of the host, only the way to its package registries.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws.codesuite import host_environment, roles, runtime
from embedded_aws.codesuite.codebuild.buildspec import Buildspec
from embedded_aws.codesuite.scope import Json


class VariableUnavailable(Exception):  # noqa: N818 - it says what happened
    """A parameter or a secret cannot be read."""


def variables(
    build: Json, spec: Buildspec, hands: roles.Hands, places: dict[str, Path], mask: Callable[[str], None]
) -> dict[str, str]:
    """Put together a build's environment.

    The order of precedence is the documented one: start-build over project over buildspec.

    Args:
        build: the build's record.
        spec: its buildspec.
        hands: the build's role, which reads parameters and secrets.
        places: source folders by identifier; the primary one's is the empty string.
        mask: told every secret value.

    Raises:
        VariableUnavailable: a parameter or secret cannot be read with the build's role.
    """
    reader = Reader(hands, mask)
    asked: dict[str, str] = {}
    asked.update(spec.variables)
    asked.update({name: reader.parameter(value) for name, value in spec.parameter_store.items()})
    asked.update({name: reader.secret(value) for name, value in spec.secrets_manager.items()})
    for variable in build["environment"].get("environmentVariables", []):
        asked[variable["name"]] = reader.read(variable.get("type", "PLAINTEXT"), variable["value"])
    return host_environment.environment() | asked | _own(build, hands, places)


def _own(build: Json, hands: roles.Hands, places: dict[str, Path]) -> dict[str, str]:
    region = str(hands.session.region_name)
    own = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": runtime.current().endpoint,
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_IMAGE": build["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_LOG_PATH": build["logs"]["streamName"],
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.get("resolvedSourceVersion", ""),
        "CODEBUILD_SOURCE_VERSION": build.get("sourceVersion", ""),
        "CODEBUILD_SRC_DIR": str(places[""]),
        "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
        "HOME": str(places[""].parent / "home"),
    }
    own |= {f"CODEBUILD_SRC_DIR_{name}": str(place) for name, place in places.items() if name}
    return own | hands.environment()


class Reader:
    """Reads what a variable's value only names."""

    def __init__(self, hands: roles.Hands, mask: Callable[[str], None]) -> None:
        self._hands, self._mask = hands, mask

    def read(self, kind: str, value: str) -> str:
        """Read a variable of any type."""
        if kind == "PARAMETER_STORE":
            return self.parameter(value)
        return self.secret(value) if kind == "SECRETS_MANAGER" else value

    def parameter(self, name: str) -> str:
        """Read a parameter of Parameter Store."""
        found = self._call("ssm", "get_parameter", Name=name, WithDecryption=True)
        return self._masked(found["Parameter"]["Value"])

    def secret(self, reference: str) -> str:
        """Read `secret-id:json-key:version-stage:version-id`; an ARN's own colons belong to the id."""
        end = _end_of_id(reference)
        identifier, (key, stage, version) = reference[:end], _three(reference[end:])
        narrowed = {"VersionStage": stage} if stage else {"VersionId": version} if version else {}
        text = self._call("secretsmanager", "get_secret_value", SecretId=identifier, **narrowed)[
            "SecretString"
        ]
        if not key:
            return self._masked(text)
        document = json.loads(text)
        if key not in document:
            raise VariableUnavailable(f"Secrets Manager: {identifier} has no key {key}")
        return self._masked(str(document[key]))

    def _call(self, service: str, method: str, **arguments: Any) -> Json:
        try:
            found: Json = getattr(self._hands.client(service), method)(**arguments)
        except ClientError as error:
            raise VariableUnavailable(
                f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
            ) from None
        return found

    def _masked(self, value: str) -> str:
        self._mask(value)
        return value


def _end_of_id(reference: str) -> int:
    if not reference.startswith("arn:"):
        return reference.find(":") if ":" in reference else len(reference)
    parts = reference.split(":")
    return len(":".join(parts[:7]))


def _three(rest: str) -> tuple[str, str, str]:
    parts = [*rest.removeprefix(":").split(":"), "", "", ""]
    return parts[0], parts[1], parts[2]
