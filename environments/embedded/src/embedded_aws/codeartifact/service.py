"""CodeArtifact: domains, repositories, and the two calls that lead a client to its package index.

https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetAuthorizationToken.html
"""

from embedded_aws.codeartifact import package_index
from embedded_aws.core import api, runtime, type_table
from embedded_aws.core.api import ApiError, Json, NotEmulated, Scope
from embedded_aws.core.service import Service
from embedded_aws.core.type_table import Created
from embedded_aws.iam import role_sessions
from embedded_aws.iam.decisions import Question, allows

_DEFAULT_TOKEN_SECONDS = 43_200
_SHORTEST_TOKEN_SECONDS = 900


def create_domain(scope: Scope, request: Json) -> Json:
    """CreateDomain."""
    name = request["domain"]
    domain = {
        "name": name,
        "owner": scope.account,
        "arn": scope.arn("codeartifact", f"domain/{name}"),
        "status": "Active",
        "createdTime": api.now(),
        "encryptionKey": request.get("encryptionKey"),
        "repositoryCount": 0,
        "assetSizeBytes": 0,
    }
    return {
        "domain": _create(
            "codeartifact-domain", (scope.account, scope.region, name), domain, f"Domain {name}"
        )
    }


def create_repository(scope: Scope, request: Json) -> Json:
    """CreateRepository."""
    domain = _domain(scope, request)
    name = request["repository"]
    repository = {
        "name": name,
        "administratorAccount": scope.account,
        "domainName": domain["name"],
        "domainOwner": domain["owner"],
        "arn": scope.arn("codeartifact", f"repository/{domain['name']}/{name}"),
        "description": request.get("description"),
        "upstreams": request.get("upstreams", []),
        "externalConnections": [],
        "createdTime": api.now(),
    }
    key = (domain["owner"], scope.region, domain["name"], name)
    return {"repository": _create("codeartifact-repository", key, repository, f"Repository {name}")}


def describe_domain(scope: Scope, request: Json) -> Json:
    """DescribeDomain."""
    return {"domain": _domain(scope, request)}


def describe_repository(scope: Scope, request: Json) -> Json:
    """DescribeRepository."""
    return {"repository": _repository(scope, request)}


def delete_domain(scope: Scope, request: Json) -> Json:
    """DeleteDomain: one that holds repositories stays, as on AWS.

    Raises:
        ApiError: It holds repositories.
    """
    domain = _domain(scope, request)
    store = runtime.current().store
    if store.all("codeartifact-repository", domain["owner"], scope.region, domain["name"]):
        raise ApiError("ConflictException", f"Domain {domain['name']} contains repositories", 409)
    store.delete("codeartifact-domain", domain["owner"], scope.region, domain["name"])
    return {"domain": domain | {"status": "Deleted"}}


def delete_repository(scope: Scope, request: Json) -> Json:
    """DeleteRepository, with the packages in it."""
    repository = _repository(scope, request)
    key = (repository["domainOwner"], scope.region, repository["domainName"], repository["name"])
    runtime.current().store.delete("codeartifact-repository", *key)
    package_index.remove(*key)
    return {"repository": repository}


def authorization_token(scope: Scope, request: Json) -> Json:
    """GetAuthorizationToken: good for every repository of the domain, for 12 hours unless asked otherwise.

    Raises:
        ApiError: Its duration is none that AWS gives.
    """
    domain = _domain(scope, request)
    _check_bearer(scope)
    seconds = request.get("durationSeconds", _DEFAULT_TOKEN_SECONDS) or 3600
    if not _SHORTEST_TOKEN_SECONDS <= seconds <= _DEFAULT_TOKEN_SECONDS:
        raise ApiError("ValidationException", "durationSeconds must be 0 or between 900 and 43200")
    expiry = api.now() + seconds
    token = package_index.token(domain["owner"], scope.region, domain["name"], int(expiry))
    return {"authorizationToken": token, "expiration": expiry}


def _check_bearer(scope: Scope) -> None:
    """Who is given a token must be allowed to bear one.

    https://docs.aws.amazon.com/codeartifact/latest/ug/get-set-up-provision-user.html
    """
    caller = role_sessions.caller(scope)
    if ":assumed-role/" not in caller:
        return  # the account itself
    account, (_, role, session) = caller.split(":")[4], caller.split("/")
    bear = Question("sts:GetServiceBearerToken", "*", {"sts:awsservicename": "codeartifact.amazonaws.com"})
    if not allows(account, role, session, bear, scope.region):
        raise ApiError(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: {bear.action} on resource: *",
            403,
        )


def repository_endpoint(scope: Scope, request: Json) -> Json:
    """GetRepositoryEndpoint: pip adds `simple/`, twine and uv publish to it as it is.

    Raises:
        NotEmulated: It is not the format `pypi`.
    """
    if request["format"] != "pypi":
        raise NotEmulated(f"CodeArtifact format {request['format']}")
    repository = _repository(scope, request)
    key = (repository["domainOwner"], scope.region, repository["domainName"], repository["name"])
    return {"repositoryEndpoint": package_index.serve(*key)}


def _create(kind: str, key: tuple[str, ...], record: Json, what: str) -> Json:
    store = runtime.current().store
    with store.transaction():
        if store.get(kind, *key):
            raise ApiError("ConflictException", f"{what} already exists", 409)
        store.put(kind, *key, body=record)
    return record


def _domain(scope: Scope, request: Json) -> Json:
    owner = request.get("domainOwner") or scope.account
    domain = runtime.current().store.get("codeartifact-domain", owner, scope.region, request["domain"])
    if domain is None:
        raise ApiError(
            "ResourceNotFoundException",
            f"Domain not found. Domain '{request['domain']}' owned by account '{owner}' does not exist.",
            404,
        )
    count = len(
        runtime.current().store.all("codeartifact-repository", owner, scope.region, request["domain"])
    )
    return domain | {"repositoryCount": count}


def _repository(scope: Scope, request: Json) -> Json:
    domain = _domain(scope, request)
    key = (domain["owner"], scope.region, domain["name"], request["repository"])
    repository = runtime.current().store.get("codeartifact-repository", *key)
    if repository is None:
        raise ApiError(
            "ResourceNotFoundException",
            f"Repository not found. Repository '{key[-1]}' in domain '{domain['name']}' does not exist.",
            404,
        )
    return repository


SERVICE = Service(
    "codeartifact",
    {
        "CreateDomain": create_domain,
        "CreateRepository": create_repository,
        "DeleteDomain": delete_domain,
        "DeleteRepository": delete_repository,
        "DescribeDomain": describe_domain,
        "DescribeRepository": describe_repository,
        "GetAuthorizationToken": authorization_token,
        "GetRepositoryEndpoint": repository_endpoint,
    },
)


def _create_domain(_logical_id: str, properties: Json, _stack: str) -> Created:
    request = {**properties, "domain": properties["DomainName"]}
    domain = type_table.perform(SERVICE, "CreateDomain", request)["domain"]
    attributes = {"Arn": domain["arn"], "Name": domain["name"], "Owner": domain["owner"]}
    key = {"EncryptionKey": domain["encryptionKey"]} if domain["encryptionKey"] else {}
    return domain["arn"], attributes | key


def _delete_domain(_arn: str, properties: Json) -> None:
    type_table.perform(SERVICE, "DeleteDomain", {"domain": properties["DomainName"]})


def _create_repository(_logical_id: str, properties: Json, _stack: str) -> Created:
    request = {
        "domain": properties["DomainName"],
        "domainOwner": properties.get("DomainOwner"),
        "repository": properties["RepositoryName"],
        "description": properties.get("Description"),
    }
    request = {key: value for key, value in request.items() if value}
    repository = type_table.perform(SERVICE, "CreateRepository", request)["repository"]
    return repository["arn"], {
        "Arn": repository["arn"],
        "Name": repository["name"],
        "DomainName": repository["domainName"],
        "DomainOwner": repository["domainOwner"],
    }


def _delete_repository(_arn: str, properties: Json) -> None:
    request = {"domain": properties["DomainName"], "repository": properties["RepositoryName"]}
    type_table.perform(SERVICE, "DeleteRepository", request)


TYPES = {
    "AWS::CodeArtifact::Domain": type_table.handlers(_create_domain, None, _delete_domain),
    "AWS::CodeArtifact::Repository": type_table.handlers(_create_repository, None, _delete_repository),
}
