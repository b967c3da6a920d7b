"""CodeArtifact over a real package index: https://docs.aws.amazon.com/codeartifact/latest/ug/python-configure.html."""

import base64
import http.client
import os
import re
import subprocess
import uuid
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import REGION, TOOLS, Json, Workshop

_UV = os.environ.get("UV", "uv")


@pytest.fixture
def place(workshop: Workshop) -> Json:
    """A domain and a repository, fresh."""
    name = f"d{uuid.uuid4().hex[:8]}"
    codeartifact = workshop.client("codeartifact")
    codeartifact.create_domain(domain=name)
    codeartifact.create_repository(domain=name, repository="python")
    return {"domain": name, "domainOwner": TOOLS}


def _wheel(folder: Path, content: str = "A = 1\n") -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / "shop_library-1.0-py3-none-any.whl"
    info = "shop_library-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as zipped:
        zipped.writestr("shop_library.py", content)
        zipped.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: shop-library\nVersion: 1.0\n")
        zipped.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        zipped.writestr(f"{info}/RECORD", "")
    return wheel


def _publish(endpoint: str, token: str, wheel: Path) -> subprocess.CompletedProcess[str]:
    command = [
        _UV,
        "publish",
        "--publish-url",
        endpoint,
        "--username",
        "aws",
        "--password",
        token,
        str(wheel),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_library_is_published_once_and_installed_with_the_token(
    workshop: Workshop, place: Json, tmp_path: Path
) -> None:
    # Given
    codeartifact = workshop.client("codeartifact")
    token = codeartifact.get_authorization_token(**place)["authorizationToken"]
    where = codeartifact.get_repository_endpoint(**place, repository="python", format="pypi")
    endpoint = where["repositoryEndpoint"]
    # When
    first = _publish(endpoint, token, _wheel(tmp_path))
    other = _publish(endpoint, token, _wheel(tmp_path / "other", "A = 2\n"))
    # Then
    assert first.returncode == 0, first.stderr
    assert other.returncode != 0  # the version is there, with other bytes
    index = endpoint.replace("//", f"//aws:{token}@") + "simple/"
    command = [
        _UV,
        "pip",
        "install",
        "--target",
        str(tmp_path / "site"),
        "--index-url",
        index,
        "--no-cache",
    ]
    subprocess.run([*command, "shop-library"], check=True, capture_output=True)
    assert (tmp_path / "site" / "shop_library.py").read_text() == "A = 1\n"


def test_without_a_token_of_the_domain_nothing_is_shown(workshop: Workshop, place: Json) -> None:
    # Given
    codeartifact = workshop.client("codeartifact")
    endpoint = codeartifact.get_repository_endpoint(**place, repository="python", format="pypi")[
        "repositoryEndpoint"
    ]
    codeartifact.create_domain(domain=f"{place['domain']}-other")
    stranger = codeartifact.get_authorization_token(domain=f"{place['domain']}-other")["authorizationToken"]

    def status(password: str) -> int:
        secret = base64.b64encode(f"aws:{password}".encode()).decode()
        connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
        connection.request("GET", "/simple/", headers={"Authorization": f"Basic {secret}"})
        with connection.getresponse() as answer:
            return answer.status

    # When / Then
    assert urlsplit(endpoint).hostname == "127.0.0.1"
    assert (status(""), status(stranger)) == (403, 403)
    assert status(codeartifact.get_authorization_token(**place)["authorizationToken"]) == 200


def test_what_is_not_there_is_refused(workshop: Workshop, place: Json) -> None:
    # https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetRepositoryEndpoint.html
    codeartifact = workshop.client("codeartifact")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        codeartifact.get_repository_endpoint(**place, repository="nothing", format="pypi")
    with pytest.raises(ClientError, match="ConflictException"):
        codeartifact.create_domain(domain=place["domain"])
    with pytest.raises(ClientError, match="NotEmulatedException"):
        codeartifact.get_repository_endpoint(**place, repository="python", format="npm")
    with pytest.raises(ClientError, match="ValidationException"):
        codeartifact.get_authorization_token(**place, durationSeconds=60)


def test_a_token_is_given_to_a_role_that_may_have_and_bear_it(workshop: Workshop, place: Json) -> None:
    # https://docs.aws.amazon.com/codeartifact/latest/ug/get-set-up-provision-user.html
    # Given roles that may do the one, the other, or both
    asking, bearing = "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"
    said = []
    for actions in ([asking], [bearing], [asking, bearing]):
        role = workshop.role("reader", {"AWS": "*"}, actions)
        held = workshop.client("sts").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
        client = boto3.client(
            "codeartifact",
            region_name=REGION,
            endpoint_url=workshop.client("codeartifact").meta.endpoint_url,
            aws_access_key_id=held["AccessKeyId"],
            aws_secret_access_key=held["SecretAccessKey"],
            aws_session_token=held["SessionToken"],
        )
        # When each asks
        try:
            client.get_authorization_token(**place)
        except ClientError as error:
            said.append(re.findall(r"not authorized to perform: (\S+)", str(error))[0])
        else:
            said.append("given")
    # Then only the last is given one
    assert said == [bearing, asking, "given"]
