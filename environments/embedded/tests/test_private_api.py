"""A private REST API: who gets through its VPC's door, and who gets 403."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from embedded_workbench import Aws, Function, policy, unique

from embedded_aws.instance import Instance

# What a step function does, with the signer that the sandbox has at hand.
CALLER = """
import os, urllib.error, urllib.request
import botocore.auth, botocore.awsrequest, botocore.credentials

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

def handler(event, context):
    request = botocore.awsrequest.AWSRequest("GET", os.environ["DATA_API_URL"] + "/orders/o-1")
    if event.get("signed", True):
        credentials = botocore.credentials.Credentials(*map(os.environ.get, NAMES))
        botocore.auth.SigV4Auth(credentials, "execute-api", os.environ["AWS_REGION"]).add_auth(request)
    try:
        plain = urllib.request.Request(request.url, headers=dict(request.headers))
        with urllib.request.urlopen(plain) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]
"""
BACKEND = """
def handler(event, context):
    return {"statusCode": 200, "body": event["httpMethod"] + " " + event["path"]}
"""


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC's subnet, with or without a door to API Gateway."""

    subnet: str
    endpoint: str | None


@pytest.fixture(scope="module")
def network(aws: Aws) -> Network:
    return _network(aws, door=True)


def _network(aws: Aws, *, door: bool) -> Network:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
    if not door:
        return Network(subnet, None)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.eu-central-1.execute-api",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
    )
    return Network(subnet, endpoint["VpcEndpoint"]["VpcEndpointId"])


@pytest.fixture(scope="module")
def backend(make_function: Callable[..., Function]) -> Function:
    """The function behind the API."""
    return make_function(BACKEND)


def may_call(aws: Aws, backend: Function, principal: str, api: str) -> str:
    """Let a service call the function for an API; return the statement's id."""
    name = unique("invoke")
    aws("lambda").add_permission(
        FunctionName=backend.name,
        StatementId=name,
        Action="lambda:InvokeFunction",
        Principal=principal,
        SourceArn=f"arn:aws:execute-api:eu-central-1:000000000000:{api}/live/*",
    )
    return name


@pytest.fixture
def allowed(aws: Aws, backend: Function, api: str) -> Iterator[None]:
    """Let API Gateway call the function, during one test."""
    statement = may_call(aws, backend, "apigateway.amazonaws.com", api)
    yield
    aws("lambda").remove_permission(FunctionName=backend.name, StatementId=statement)


@pytest.fixture(scope="module")
def api(aws: Aws, network: Network, backend: Function) -> Iterator[str]:
    """A private API with IAM authorization that answers through one endpoint only."""
    client = aws("apigateway")
    # Naming the account leaves the decision to the callers' own policies; "*" would let every role in.
    account = {"AWS": "arn:aws:iam::000000000000:root"}
    calls = {"Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    elsewhere = {"StringNotEquals": {"aws:SourceVpce": network.endpoint}}
    rules = [
        {"Effect": "Allow", "Principal": account, **calls},
        {"Effect": "Deny", "Principal": "*", "Condition": elsewhere, **calls},
    ]
    api_id = client.create_rest_api(
        name=unique("data-api"),
        endpointConfiguration={"types": ["PRIVATE"]},
        policy=json.dumps({"Statement": rules}),
    )["id"]
    root = client.get_resources(restApiId=api_id)["items"][0]["id"]
    proxy = client.create_resource(restApiId=api_id, parentId=root, pathPart="{proxy+}")["id"]
    method = {"restApiId": api_id, "resourceId": proxy, "httpMethod": "ANY"}
    client.put_method(**method, authorizationType="AWS_IAM")
    client.put_integration(
        **method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{backend.arn}/invocations",
    )
    client.create_deployment(restApiId=api_id, stageName="live")
    yield api_id
    client.delete_rest_api(restApiId=api_id)


@pytest.fixture(scope="module")
def make_caller(
    aws: Aws, api: str, make_function: Callable[..., Function]
) -> Callable[[str, Network | None], Function]:
    """A function that calls the API: with a role that may do `actions`, in a network or in none."""

    def make(actions: str, where: Network | None) -> Function:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        name = unique("caller")
        role = aws("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )
        aws("iam").put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(actions))
        url = f"https://{api}.execute-api.eu-central-1.amazonaws.com/live"
        vpc = {"VpcConfig": {"SubnetIds": [where.subnet], "SecurityGroupIds": []}} if where else {}
        return make_function(
            CALLER,
            Role=role["Role"]["Arn"],
            Timeout=5,
            Environment={"Variables": {"DATA_API_URL": url}},
            **vpc,
        )

    return make


@pytest.mark.parametrize("principal", [None, "events.amazonaws.com", "111111111111"])
def test_without_the_functions_own_permission_api_gateway_cannot_call_it(
    *,
    aws: Aws,
    backend: Function,
    api: str,
    make_caller: Callable[..., Function],
    network: Network,
    principal: str | None,
) -> None:
    # Given a function that lets nobody call it for this API, or somebody else
    given = None if principal is None else may_call(aws, backend, principal, api)
    # When a caller in the VPC with the right asks, then the server cannot answer
    assert make_caller("execute-api:Invoke", network)({}) == (
        None,
        [500, '{"message": "Internal server error"}'],
    )
    if given is not None:
        aws("lambda").remove_permission(FunctionName=backend.name, StatementId=given)


@pytest.mark.usefixtures("allowed")
def test_another_method_than_post_does_not_call_a_function(
    aws: Aws, api: str, backend: Function, make_caller: Callable[..., Function], network: Network
) -> None:
    # Given an integration by GET, as the API's own method may be
    client = aws("apigateway")
    proxy = next(r["id"] for r in client.get_resources(restApiId=api)["items"] if r.get("pathPart"))
    integration = {
        "restApiId": api,
        "resourceId": proxy,
        "httpMethod": "ANY",
        "type": "AWS_PROXY",
        "uri": f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{backend.arn}/invocations",
    }
    answers = []
    for method in ("GET", "POST"):
        client.put_integration(**integration, integrationHttpMethod=method)
        client.create_deployment(restApiId=api, stageName="live")
        answers.append(make_caller("execute-api:Invoke", network)({})[1][0])
    # Then a caller gets a server's error, and with POST an answer
    assert answers == [500, 200]


@pytest.mark.usefixtures("allowed")
def test_a_function_in_the_vpc_whose_role_may_gets_through(
    make_caller: Callable[..., Function], network: Network
) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
    # Given a function in the VPC with the right; When it calls the AWS host name
    answer = make_caller("execute-api:Invoke", network)({})
    # Then private DNS leads it to the API
    assert answer == (None, [200, "GET /orders/o-1"])


def test_without_a_signature_it_is_403(make_caller: Callable[..., Function], network: Network) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
    _, [status, body] = make_caller("execute-api:Invoke", network)({"signed": False})
    assert (status, json.loads(body)["message"]) == (403, "Missing Authentication Token")


def test_a_role_that_may_not_gets_403(make_caller: Callable[..., Function], network: Network) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
    # Given a role without the right; When it calls with a good signature; Then it is told what it lacks
    _, [status, body] = make_caller("s3:GetObject", network)({})
    assert status == 403
    assert "not authorized to perform: execute-api:Invoke" in body


def test_from_outside_the_vpc_it_is_403(aws: Aws, make_caller: Callable[..., Function]) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
    # Given functions in no network, in one without a door, and in one with another door
    for where in (None, _network(aws, door=False), _network(aws, door=True)):
        # When they call, their roles having the right; Then the API is not for them
        _, [status, _body] = make_caller("execute-api:Invoke", where)({})
        assert status == 403


def test_not_even_root_reaches_it_from_here(embedded: Instance, api: str) -> None:
    # Given this machine, which is in no VPC
    url = f"{embedded.endpoint}/restapis/{api}/live/_user_request_/orders/o-1"
    request = botocore.awsrequest.AWSRequest("GET", url)
    root = botocore.credentials.Credentials("000000000000", "any")
    botocore.auth.SigV4Auth(root, "execute-api", "eu-central-1").add_auth(request)
    # When it calls, signed as the account's root; Then the answer is the one that AWS gives from outside
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, headers=dict(request.headers)))  # noqa: S310 - http, ours
    with refused.value as answer:
        assert answer.code == 403
