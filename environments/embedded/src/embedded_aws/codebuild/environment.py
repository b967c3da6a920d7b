"""The variables that a build's shell starts with; of the host, only the way to its package registries.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws.codebuild.buildspec import Buildspec
from embedded_aws.core import runtime
from embedded_aws.core.api import Json
from embedded_aws.iam import role_sessions

_INHERITED = {"PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
_PROXIES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
_REGISTRY_PREFIXES = ("PIP_", "UV_")
_REGISTRY_FILES = {"PIP_CONFIG_FILE": ".config/pip/pip.conf", "UV_CONFIG_FILE": ".config/uv/uv.toml"}


class VariableUnavailable(Exception):  # noqa: N818 - it says what happened
    """A parameter or a secret cannot be read."""


def variables(
    build: Json,
    spec: Buildspec,
    session: role_sessions.RoleSession,
    places: dict[str, Path],
    mask: Callable[[str], None],
) -> dict[str, str]:
    """Put together a build's environment.

    The order of precedence is the documented one: start-build over project over buildspec.

    Args:
        build: the build's record.
        spec: its buildspec.
        session: the build's role, which reads parameters and secrets.
        places: source folders by identifier; the primary one's is the empty string.
        mask: told every secret value.

    Raises:
        VariableUnavailable: a parameter or secret cannot be read with the build's role.
    """
    reader = Reader(session, mask)
    asked: dict[str, str] = {}
    asked.update(spec.variables)
    asked.update({name: reader.parameter(value) for name, value in spec.parameter_store.items()})
    asked.update({name: reader.secret(value) for name, value in spec.secrets_manager.items()})
    for variable in build["environment"].get("environmentVariables", []):
        asked[variable["name"]] = reader.read(variable.get("type", "PLAINTEXT"), variable["value"])
    host = host_variables()
    python = own_python(places[""].parent / "python", host.get("PATH", os.defpath))
    return host | python | asked | _own(build, session, places)


def own_python(folder: Path, path: str) -> dict[str, str]:
    """Make a Python environment of the build's own, and return the variables that put it first.

    What the machine's Python has can be imported; what a build installs goes with it. On AWS each build
    has a whole machine of its own. Nothing is run for it: it is what `venv --system-site-packages` makes.
    """
    python = shutil.which("python3", path=path)
    if python is None:
        return {}
    interpreter, version = _base(python)
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    (folder / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    settings = {"home": Path(interpreter).parent, "include-system-site-packages": "true", "version": version}
    (folder / "pyvenv.cfg").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    for name in ("python", "python3", f"python{version}"):
        (binaries / name).symlink_to(interpreter)
    for name in ("pip", "pip3"):
        (binaries / name).write_text(f"#!/bin/sh\nexec '{binaries / 'python'}' -m pip \"$@\"\n")
        (binaries / name).chmod(0o755)
    return {"PATH": f"{binaries}{os.pathsep}{path}"}


@cache
def _base(python: str) -> tuple[str, str]:
    """Return the interpreter that a Python is, whatever environment it is in, and its version."""
    code = "import sys; print(sys._base_executable, '%d.%d' % sys.version_info[:2], sep='\\n')"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - the PATH's own
    interpreter, version = asked.stdout.split("\n")[:2]
    return os.path.realpath(interpreter), version


def _own(build: Json, session: role_sessions.RoleSession, places: dict[str, Path]) -> dict[str, str]:
    region = session.region
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
    return own | session.environment()


class Reader:
    """Reads what a variable's value only names."""

    def __init__(self, session: role_sessions.RoleSession, mask: Callable[[str], None]) -> None:
        self._session, self._mask = session, mask

    def read(self, kind: str, value: str) -> str:
        """Read a variable of any type."""
        if kind == "PARAMETER_STORE":
            return self.parameter(value)
        return self.secret(value) if kind == "SECRETS_MANAGER" else value

    def parameter(self, name: str) -> str:
        """Read a parameter of Parameter Store."""
        answer = self._call("ssm", "get_parameter", Name=name, WithDecryption=True)
        return self._masked(answer["Parameter"]["Value"])

    def secret(self, reference: str) -> str:
        """Read `secret-id:json-key:version-stage:version-id`; an ARN's own colons belong to the id.

        Raises:
            VariableUnavailable: The secret cannot be read, or lacks the key.
        """
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
            answer: Json = getattr(self._session.client(service), method)(**arguments)
        except ClientError as error:
            raise VariableUnavailable(
                f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
            ) from None
        return answer

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


def host_variables() -> dict[str, str]:
    """Return the variables that a build inherits of the machine that it runs on: the way to its registries.

    On AWS a build has the internet; here the host's proxies and registries lead to the same packages.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.lower() in _PROXIES or name.startswith(_REGISTRY_PREFIXES)
    }
    for name, place in _REGISTRY_FILES.items():
        file = Path.home() / place
        if name not in inherited and file.is_file():
            inherited[name] = str(file)
    return inherited
