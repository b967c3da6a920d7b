"""AWS::CodeArtifact::Domain and AWS::CodeArtifact::Repository."""

from embedded_aws.codeartifact.service import SERVICE
from embedded_aws.core import type_table
from embedded_aws.core.api import Json
from embedded_aws.core.type_table import Created


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
