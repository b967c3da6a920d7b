"""Connections: https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_CreateConnection.html."""

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import Workshop


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_is_available_until_it_is_deleted(workshop: Workshop, service: str) -> None:
    client = workshop.client(service)
    arn = client.create_connection(ConnectionName="git", ProviderType="GitHub")["ConnectionArn"]
    assert arn.startswith(f"arn:aws:{service}:")
    assert client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "AVAILABLE"
    assert arn in [each["ConnectionArn"] for each in client.list_connections()["Connections"]]
    client.delete_connection(ConnectionArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_connection(ConnectionArn=arn)


def test_a_wrong_request_is_refused(workshop: Workshop) -> None:
    client = workshop.client("codeconnections")
    with pytest.raises(ClientError, match=r"InvalidInputException.*enum value set"):
        client.create_connection(ConnectionName="git", ProviderType="Sourceforge")
    with pytest.raises(ClientError, match="NotEmulatedException"):
        client.list_hosts()


def test_connections_come_in_pages(workshop: Workshop) -> None:
    # Given a connection beside the workshop's
    connections = workshop.client("codeconnections")
    other = connections.create_connection(ConnectionName="other", ProviderType="Bitbucket")["ConnectionArn"]
    # When they are asked for a page of one, and for the rest
    page = connections.list_connections(MaxResults=1)
    rest = connections.list_connections(NextToken=page["NextToken"])["Connections"]
    # Then both come, each once
    arns = [one["ConnectionArn"] for one in (*page["Connections"], *rest)]
    assert len(page["Connections"]) == 1
    assert {workshop.connection, other} <= set(arns)
    assert len(arns) == len(set(arns))
