"""What each role of a network's or a payments stack may do, its boundary lets it do: to the very same thing.

An action that the boundary has for other things than the role's is as good as missing, and only AWS, or
whatever runs that very function or workflow, would notice.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from environments import schema, tools
from environments.schema import Environment
from payment_data.payment_methods.names import BALANCE, STRIPE
from pipelines.core import branch_names
from pipelines.definitions import bootstrap_stack
from pipelines.deploy import synth
from templates import network, payments
from tests import embedded_functions
from tests.templates.paying import paying_by, with_a_password

Json = dict[str, Any]
_PLACE = "eu-central-1:111111111111"
_PSEUDO_PARAMETERS = {
    "Partition": "aws",
    "Region": "eu-central-1",
    "AccountId": "111111111111",
    "StackId": f"arn:aws:cloudformation:{_PLACE}:stack/x/5ca1ab1e",
}
_ARNS = {
    "AWS::Events::Rule": f"arn:aws:events:{_PLACE}:rule/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_PLACE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_PLACE}:log-group:{{}}:*",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_PLACE}:stateMachine:{{}}",
}
"""What CloudFormation returns as ARN of what a role's policy names."""
_PUSH_LOGS = {
    "Effect": "Allow",
    "Action": [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
    ],
    "Resource": ["*"],
}
"""AmazonAPIGatewayPushToCloudWatchLogs, as the AWS managed policy reference has it."""


class Stack:
    """A template whose names, ids and ARNs are filled in as CloudFormation does it."""

    def __init__(self, template: Json, name: str) -> None:
        self.resources: dict[str, Json] = template["Resources"]
        self.name = name

    def filled_in(self, value: Any) -> str:
        """Return a string, a reference or a substitution as it is deployed; a wildcard matches something."""
        match value:
            case {"Ref": name}:
                return self._referred(name, "")
            case {"Fn::GetAtt": [name, attribute]}:
                return self._referred(name, attribute)
            case {"Fn::Sub": [text, variables]}:
                return self._substituted(text, variables)
            case {"Fn::Sub": text}:
                return self._substituted(text, {})
            case str():
                return value.replace("*", "any").replace("?", "1")
        return "5ca1ab1e"  # a part of the stack's id

    def _substituted(self, text: str, variables: Json) -> str:
        values = {f"AWS::{name}": value for name, value in _PSEUDO_PARAMETERS.items()}
        values |= {name: self.filled_in(value) for name, value in variables.items()}
        values["AWS::StackName"] = self.name
        inserted = re.sub(
            r"\$\{([^}]*)\}",
            lambda found: values.get(found[1]) or self._referred(*f"{found[1]}.".split(".")[:2]),
            text,
        )
        return self.filled_in(inserted)

    def _referred(self, logical_id: str, attribute: str) -> str:
        resource = self.resources[logical_id]
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind == "AWS::StepFunctions::StateMachineAlias":
            version = self.resources[properties["DeploymentPreference"]["StateMachineVersionArn"]["Ref"]]
            return f"{self.filled_in(version['Properties']['StateMachineArn'])}:{properties['Name']}"
        stated = [properties[key] for key in ("LogGroupName", "StateMachineName") if key in properties]
        name = self.filled_in(stated[0]) if stated else f"{self.name}-{logical_id}-a1B2c3D4e5F6"
        an_arn = attribute == "Arn" or (kind == "AWS::StepFunctions::StateMachine" and not attribute)
        return _ARNS[kind].format(name) if an_arn else name


def variants() -> dict[str, Environment]:
    """Return every promoted environment, paid in each way, on each kind of database."""
    found = {}
    for name in ("branch", "staging", "prod"):
        for method in (*BALANCE, *STRIPE):
            paid = paying_by(method, name) if method in STRIPE else schema.load(name)
            refunding = paid.model_copy(update={"also_refunds": [*BALANCE]}) if method in STRIPE else paid
            on_atlas = refunding.database.model_copy(
                update={
                    "kind": "atlas",
                    "atlas_project": "6543210fedcba9876543210a",
                    "vpc_id": None,
                    "owner_account": None,
                    "authentication": "MONGODB-AWS",
                }
            )
            found[f"{name} {method} as its file says"] = refunding
            found[f"{name} {method} on Atlas"] = refunding.model_copy(update={"database": on_atlas})
            found[f"{name} {method} with a password"] = with_a_password(refunding)
    return found


VARIANTS = variants()


def stacks(environment: Environment) -> list[Stack]:
    """Return the environment's stacks, a branch's payments stack for a short and a long name."""
    short, long = (branch_names.stack_name(name) for name in ("x", "feature/" + "long-" * 20))
    deployed = [short, long] if environment.name == "branch" else [environment.default_stack]
    template = payments.build(environment).to_dict()
    return [
        Stack(network.build(environment).to_dict(), environment.network_stack),
        *(Stack(template, name) for name in deployed),
    ]


def granted(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield each role, action and thing that the role's own policies allow."""
    for name, resource in stack.resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            properties = resource["Properties"]
            statements = [
                one
                for policy in properties.get("Policies", [])
                for one in policy["PolicyDocument"]["Statement"]
            ]
            statements += [_PUSH_LOGS for _ in properties.get("ManagedPolicyArns", [])]
            for statement in statements:
                for action in statement["Action"]:
                    for thing in statement["Resource"]:
                        yield name, action, stack.filled_in(thing)


def boundary_of(environment: Environment) -> Any:
    """Return the environment's runtime boundary, as IAM reads it."""
    built = bootstrap_stack.build(tools.load(), environment)
    filled_in = Stack({"Resources": {}}, "payments-bootstrap")

    def literal(value: Any) -> Any:
        if isinstance(value, list):
            return [literal(one) for one in value]
        if isinstance(value, dict) and "Fn::Sub" in value:
            return filled_in.filled_in({"Fn::Sub": value["Fn::Sub"].replace("*", "<>")}).replace("<>", "*")
        return {key: literal(one) for key, one in value.items()} if isinstance(value, dict) else value

    boundary = built.resources["RuntimeBoundary"].to_dict()
    return literal(boundary["Properties"]["PolicyDocument"])


@pytest.mark.parametrize("environment", VARIANTS.values(), ids=VARIANTS)
def test_a_boundary_lets_every_role_do_what_its_policy_allows_to_the_same_thing(
    environment: Environment,
) -> None:
    # Given an environment's boundary and its stacks, named as they are on AWS
    boundary = boundary_of(environment)
    for stack in stacks(environment):
        for role, action, thing in granted(stack):
            # When a role does what its own policy allows
            allowed = embedded_functions.allows(
                [boundary],
                principal_arn=f"arn:aws:iam::111111111111:role/{stack.name}-{role}-a1B2c3D4e5F6",
                principal_type="AssumedRole",
                principal_account="111111111111",
                action=action,
                resource_arn=thing,
                region="eu-central-1",
                service_context={"aws:resourcetag/environment": environment.name},
            )
            # Then the boundary lets it
            assert allowed, (role, action, thing)


def test_what_a_deployed_role_is_bounded_by_is_what_its_bootstrap_exports(
    settings: tools.Tools, bootstraps: dict[str, Json]
) -> None:
    for name, bootstrap in bootstraps.items():
        # Given what an environment's bootstrap stack exports under its own name
        stack = settings.bootstrap_of(name)
        exports = {
            output["Export"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", stack)
            for output in bootstrap["Outputs"].values()
            if "Export" in output
        }
        # Then every role of its stacks imports it
        for template in synth.build(schema.load(name)).values():
            made = [
                each for each in template.to_dict()["Resources"].values() if each["Type"] == "AWS::IAM::Role"
            ]
            assert {role["Properties"]["PermissionsBoundary"]["Fn::ImportValue"] for role in made} == exports
