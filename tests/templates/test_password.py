"""A database with a password: the secret's endpoint exists then alone, and only its readers get there."""

from __future__ import annotations

from typing import Any

import pytest

from environments.schema import load
from pipelines.deploy.synth import build
from tests.templates.paying import KEY_ARN, LOGIN_ARN, paying_by, with_a_password
from tests.templates.reading import properties, ref, statements, the

Json = dict[str, Any]
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def stacks(environment: Any) -> dict[str, Json]:
    return {name: template.to_dict() for name, template in build(environment).items()}


@pytest.fixture(scope="module")
def protected() -> dict[str, Json]:
    return stacks(with_a_password(load("prod")))


def ingress(network: Json, group: str) -> dict[str, Json]:
    rules = properties(network, "AWS::EC2::SecurityGroupIngress")
    return {name: rule for name, rule in rules.items() if rule["GroupId"] == ref(group)}


def test_the_secrets_endpoint_answers_privately_and_for_this_one_secret(protected: dict[str, Json]) -> None:
    endpoint = properties(protected["network"], "AWS::EC2::VPCEndpoint")["SecretsEndpoint"]
    assert endpoint["ServiceName"] == {"Fn::Sub": "com.amazonaws.${AWS::Region}.secretsmanager"}
    assert (endpoint["VpcEndpointType"], endpoint["PrivateDnsEnabled"]) == ("Interface", True)
    assert endpoint["SecurityGroupIds"] == [ref("SecretsSecurityGroup")]
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["secretsmanager:GetSecretValue"]
    assert statement["Resource"] == [LOGIN_ARN]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ref("AWS::AccountId")}}


def test_only_the_data_api_reaches_it_and_it_reaches_nothing(protected: dict[str, Json]) -> None:
    network = protected["network"]
    groups = properties(network, "AWS::EC2::SecurityGroup")
    assert [rule["IpProtocol"] for rule in groups["SecretsSecurityGroup"]["SecurityGroupEgress"]] == ["icmp"]
    (rule,) = ingress(network, "SecretsSecurityGroup").values()
    assert {key: rule[key] for key in HTTPS} == HTTPS
    assert rule["SourceSecurityGroupId"] == ref("DataApiSecurityGroup")
    _, to_secrets = groups["DataApiSecurityGroup"]["SecurityGroupEgress"]
    assert to_secrets["DestinationSecurityGroupId"] == ref("SecretsSecurityGroup")
    assert {key: to_secrets[key] for key in HTTPS} == HTTPS


def test_the_data_apis_role_reads_that_secret_and_the_function_knows_its_name_alone(
    protected: dict[str, Json],
) -> None:
    (reads,) = (
        part
        for part in statements(protected["network"]["Resources"]["DataApiRole"])
        if part.get("Sid") == "ReadLogin"
    )
    assert (reads["Action"], reads["Resource"]) == (["secretsmanager:GetSecretValue"], [LOGIN_ARN])
    # And why it names the secret's account literally is said where it does
    excepted = protected["network"]["Resources"]["DataApiRole"]["Metadata"]["cfn-lint"]["reasons"]
    assert "its owner made it" in excepted["E9009"]
    function = protected["payments"]["Resources"]["DataApiFunction"]["Properties"]
    variables = function["Environment"]["Variables"]
    assert variables["MONGODB_SECRET_ARN"] == LOGIN_ARN
    assert variables["MONGODB_URI"].endswith("/?tls=true")


def test_the_owner_of_another_account_accepts_by_its_role(protected: dict[str, Json]) -> None:
    peering = the(protected["network"], "AWS::EC2::VPCPeeringConnection")
    assert peering["PeerOwnerId"] == "555555555555"
    assert peering["PeerRoleArn"] == "arn:aws:iam::555555555555:role/accept-payments-peering"


def test_with_stripe_its_key_is_read_through_the_same_endpoint() -> None:
    # Given orders that are paid by card, and a database with a password
    network = stacks(with_a_password(paying_by("card")))["network"]
    # Then the endpoint's private name stands before AWS for both, so it serves both
    endpoint = properties(network, "AWS::EC2::VPCEndpoint")["SecretsEndpoint"]
    assert endpoint["PolicyDocument"]["Statement"][0]["Resource"] == [LOGIN_ARN, KEY_ARN]
    sources = [rule["SourceSecurityGroupId"] for rule in ingress(network, "SecretsSecurityGroup").values()]
    assert sources == [ref("DataApiSecurityGroup"), ref("PaymentsSecurityGroup")]


@pytest.mark.parametrize("name", ["branch", "local", "prod", "staging"])
def test_without_a_password_there_is_no_such_endpoint(name: str) -> None:
    built = stacks(load(name))
    assert "SecretsEndpoint" not in built["network"]["Resources"]
    assert "MONGODB_SECRET_ARN" not in str(built["payments"])
