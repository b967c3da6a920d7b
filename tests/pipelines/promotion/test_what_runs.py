"""What a payments stack runs, read from AWS in a form that is the same in every account."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

from pipelines.promotion import running_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
STACK = "payments-prod"
FUNCTION = "payments-prod-ReservePro-AbCdEf"
ROUTED = (
    "describe_state_machine_alias",
    {"stateMachineAliasArn": "arn:w:live"},
    {
        "routingConfiguration": [
            {"stateMachineVersionArn": "arn:w:2", "weight": 90},
            {"stateMachineVersionArn": "arn:w:1", "weight": 10},
        ]
    },
)
"""What Step Functions says of the workflow's alias while it shifts."""


def resources(stack: str, *those: tuple[str, str, str | None]) -> tuple[str, Json, Json]:
    listed = [
        {
            "LogicalResourceId": logical,
            "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-11-23T08:00:00Z",
            **({"PhysicalResourceId": physical} if physical else {}),
        }
        for logical, kind, physical in those
    ]
    return "list_stack_resources", {"StackName": stack}, {"StackResourceSummaries": listed}


def running(aws: Aws, answers: Callable[..., None], *those: tuple[str, str, str | None]) -> dict[str, str]:
    network = resources(aws.environment.network_stack, ("Vpc", "AWS::EC2::VPC", "vpc-0123456789abcdef0"))
    answers("cloudformation", resources(STACK, *those), network, client=aws.cloudformation)
    return running_stack.read(aws, STACK)


def test_a_function_s_version_is_its_code_and_how_it_begins(aws: Aws, answers: Callable[..., None]) -> None:
    # Given the versions of a zip and of an image, and a resource that says nothing of what runs
    digest = bytes(range(32))
    wrapper = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap", "OTHER": "x"}}
    layer = "arn:aws:lambda:eu-central-1:1:layer:l:1"
    answers(
        "lambda",
        (
            "get_function_configuration",
            {"FunctionName": f"arn:{FUNCTION}:7"},
            {
                "CodeSha256": base64.b64encode(digest).decode(),
                "PackageType": "Zip",
                "Runtime": "python3.13",
                "Handler": "reserve.handler",
                "Architectures": ["arm64"],
                "Layers": [{"Arn": layer}],
                "Environment": wrapper,
            },
        ),
        (
            "get_function_configuration",
            {"FunctionName": "arn:image:1"},
            {"CodeSha256": "ab" * 32, "PackageType": "Image"},
        ),
        client=aws.functions,
    )
    found = running(
        aws,
        answers,
        ("ReserveProductsVersion", "AWS::Lambda::Version", f"arn:{FUNCTION}:7"),
        ("ImageVersion", "AWS::Lambda::Version", "arn:image:1"),
        ("Pending", "AWS::Lambda::Version", None),
        ("Logs", "AWS::Logs::LogGroup", "payments-prod-logs"),
    )
    assert found == {
        "ReserveProducts code": digest.hex(),
        "ReserveProducts settings": f"Zip python3.13 reserve.handler arm64 {layer} /opt/wrap",
        "Image code": "ab" * 32,
        "Image settings": "Image",
    }


def test_an_alias_leads_to_all_the_versions_that_it_routes_to(aws: Aws, answers: Callable[..., None]) -> None:
    # Given a function's alias that is shifting, and the workflow's, whose routes come in any order
    alias = {
        "Name": "live",
        "FunctionVersion": "7",
        "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.1}},
    }
    other = {"Name": "other", "FunctionVersion": "1"}
    answers(
        "lambda",
        ("list_aliases", {"FunctionName": f"arn:lambda:{FUNCTION}"}, {"Aliases": [other, alias]}),
        client=aws.functions,
    )
    answers("stepfunctions", ROUTED, client=aws.stepfunctions)
    found = running(
        aws,
        answers,
        ("ReserveProducts", "AWS::Lambda::Function", FUNCTION),
        ("ReserveProductsLive", "AWS::Lambda::Alias", f"arn:lambda:{FUNCTION}:live"),
        ("WorkflowLive", "AWS::StepFunctions::StateMachineAlias", "arn:w:live"),
    )
    # Then physical names and the numbers of versions are gone, and what leads where stays
    assert found.keys() == {"ReserveProductsLive leads to", "WorkflowLive leads to"}
    assert FUNCTION not in found["ReserveProductsLive leads to"]
    assert found["ReserveProductsLive leads to"].count("<ReserveProducts>") == 2
    assert found["WorkflowLive leads to"].split()[1::2] == ["10", "90"]


def test_definitions_and_routes_are_the_same_whatever_the_names_of_an_account(
    aws: Aws, answers: Callable[..., None]
) -> None:
    # Given a workflow and an API that name this account's function, region and moment
    at = "2026-11-23T08:00:00Z"
    described = {
        "stateMachineArn": "arn:w",
        "name": "w",
        "roleArn": "arn:r",
        "type": "STANDARD",
        "creationDate": at,
    }

    def read(name: str, title: str, version: str, *, backwards: bool = False) -> dict[str, str]:
        definition = json.dumps(
            {"States": _ordered({"A": {"Resource": f"arn:aws:lambda:{name}"}, "B": {}}, backwards=backwards)}
        )
        answers(
            "stepfunctions",
            ("describe_state_machine", {"stateMachineArn": "arn:w"}, described | {"definition": definition}),
            client=aws.stepfunctions,
        )
        export = {
            "info": {"title": title, "version": at},
            "servers": [{"url": at}],
            "paths": {"/a": {"x": name}},
        }
        asked = {
            "restApiId": "api-0123456",
            "stageName": "live",
            "exportType": "oas30",
            "parameters": {"extensions": "apigateway"},
        }
        answers("apigateway", ("get_export", asked, {"body": io.BytesIO(json.dumps(export).encode())}))
        return running(
            aws,
            answers,
            ("Reserve", "AWS::Lambda::Function", name),
            ("Workflow", "AWS::StepFunctions::StateMachine", "arn:w"),
            ("Api", "AWS::ApiGateway::RestApi", "api-0123456"),
            ("Stage", "AWS::ApiGateway::Stage", "live"),
        )

    staging, production = read("payments-a-Reserve-1", "a", "1"), read("payments-b-Reserve-2", "b", "2")
    # Then both run the same, and nothing is left out
    assert staging == production
    assert read("payments-c-Reserve-3", "c", "3", backwards=True) == staging
    assert staging.keys() == {"Workflow definition", "Api routes"}


def _ordered(states: Json, *, backwards: bool) -> Json:
    return dict(reversed([*states.items()])) if backwards else states


def test_a_short_physical_id_may_be_a_word_and_stays(aws: Aws, answers: Callable[..., None]) -> None:
    # Given an alias of a function whose name has seven letters, and another of eight
    found: dict[str, str] = {}
    for name in ("seven77", "eight888"):
        alias = {"Name": "live", "FunctionVersion": "1"}
        answers(
            "lambda", ("list_aliases", {"FunctionName": name}, {"Aliases": [alias]}), client=aws.functions
        )
        found |= running(
            aws,
            answers,
            (name, "AWS::Lambda::Function", name),
            (f"{name}Live", "AWS::Lambda::Alias", f"{name}:live"),
        )
    assert found == {"seven77Live leads to": "seven77:1", "eight888Live leads to": "<eight888>:1"}


def test_a_difference_says_what_runs_and_what_should() -> None:
    assert running_stack.differences({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "x", "d": "4"}) == [
        "b: x, and not 2",
        "c: missing, and not 3",
        "d: 4, and not missing",
    ]


def test_digests_and_live_versions_are_read_from_the_stack(aws: Aws, answers: Callable[..., None]) -> None:
    parameters = [
        {"ParameterKey": "ReserveProductsCodeKey", "ParameterValue": "lambdas/reserve_products/abc.zip"},
        {"ParameterKey": "NetworkStack", "ParameterValue": "payments-network"},
    ]
    outputs = [{"OutputKey": "PaymentWorkflowAliasArn", "OutputValue": "arn:w:live"}]
    described = {
        "StackName": STACK,
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": "2026-11-23T08:00:00Z",
        "Parameters": parameters,
        "Outputs": outputs,
    }
    asked = ("describe_stacks", {"StackName": STACK}, {"Stacks": [described]})
    answers("cloudformation", asked, asked, asked, client=aws.cloudformation)
    answers("stepfunctions", ROUTED, client=aws.stepfunctions)
    assert running_stack.digests(aws, STACK) == {"ReserveProducts": "abc"}
    assert running_stack.live_versions(aws, STACK) == {"arn:w:2": 90, "arn:w:1": 10}
