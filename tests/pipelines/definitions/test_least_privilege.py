"""What the roles can do, and what they never can."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from environments import schema
from pipelines.core import branch_names
from pipelines.definitions.bootstrap_stack import with_runtime_boundary
from templates import network, payments
from tests import embedded_functions
from tests.least_privilege.audit import schemas
from tests.pipelines.definitions.left_out import LEFT_OUT
from tests.templates.paying import paying_by

Json = dict[str, Any]
_MANAGED_POLICY_CHARACTERS = 6144
_INLINE_POLICY_CHARACTERS = 10240
_CALLER: Json = {
    "principal_type": "AssumedRole",
    "principal_account": "111111111111",
    "region": "eu-central-1",
    "source_ip": "127.0.0.1",
    "secure_transport": True,
}
_PSEUDO_PARAMETERS = {"Partition": "aws", "Region": "eu-central-1", "AccountId": "111111111111"}


def statements(resource: Json) -> list[Json]:
    properties = resource["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
    return [statement for document in documents for statement in document["Statement"]]


def every_statement(*templates: Json) -> Iterator[tuple[str, Json]]:
    for template in templates:
        for name, resource in template["Resources"].items():
            for statement in statements(resource):
                yield name, statement


def roles(template: Json) -> dict[str, Json]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Role"}


def allowed(role: Json) -> set[str]:
    return {action for one in statements(role) if one["Effect"] == "Allow" for action in one["Action"]}


def evaluated(documents: list[Json], action: str, resource: str, tag: str) -> bool:
    """Whether IAM, as the embedded AWS evaluates it, allows an action on a thing of an environment's tag."""
    # All that could help: as the execution role, within the boundary, handed to a service of ours.
    helpful = {
        "cloudformation:rolearn": _literal({"Ref": "X"}),
        "iam:permissionsboundary": _literal({"Ref": "X"}),
        "iam:passedtoservice": "lambda.amazonaws.com",
    }
    return embedded_functions.allows(
        [_literal(one) for one in documents],
        principal_arn="arn:aws:sts::111111111111:assumed-role/branch-x-AnyRole-1/session",
        action=action,
        resource_arn=resource,
        service_context={"aws:resourcetag/environment": tag, **helpful},
        **_CALLER,
    )


def may_delete(template: Json, role: str, stack: str, environment_tag: str | None) -> bool:
    """Whether IAM, as the embedded AWS evaluates it, lets a role delete a stack of this name and tag."""
    resources = template["Resources"]
    tags = {} if environment_tag is None else {"aws:resourcetag/environment": environment_tag}
    return embedded_functions.allows(
        [_literal(document(resources[role]))],
        boundary=_literal(document(resources["PipelineBoundary"])),
        principal_arn=f"arn:aws:sts::111111111111:assumed-role/{role}/session",
        action="cloudformation:DeleteStack",
        resource_arn=f"arn:aws:cloudformation:eu-central-1:111111111111:stack/{stack}/id",
        service_context=tags,
        **_CALLER,
    )


def document(resource: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": statements(resource)}


def _literal(value: Any) -> Any:
    """A policy as CloudFormation fills it in; ARNs of other resources become some ARN."""
    if isinstance(value, list):
        return [_literal(one) for one in value]
    if isinstance(value, dict) and "Fn::Sub" in value:
        text = str(value["Fn::Sub"])
        for name, filled_in in _PSEUDO_PARAMETERS.items():
            text = text.replace(f"${{AWS::{name}}}", filled_in)
        return text
    if isinstance(value, dict) and set(value) & {"Ref", "Fn::GetAtt"}:
        return "arn:aws:iam::111111111111:role/other"
    return {key: _literal(one) for key, one in value.items()} if isinstance(value, dict) else value


def test_no_statement_allows_a_wildcard_action(pipelines_template: Json, bootstraps: dict[str, Json]) -> None:
    for name, statement in every_statement(pipelines_template, *bootstraps.values()):
        if statement["Effect"] == "Deny":
            continue  # of everything over plain HTTP
        assert "NotAction" not in statement, name
        assert not [action for action in statement["Action"] if "*" in action], name


def test_pass_role_names_its_roles_and_who_they_are_passed_to(bootstraps: dict[str, Json]) -> None:
    for name, statement in every_statement(*bootstraps.values()):
        if name.endswith("Role") and "iam:PassRole" in statement["Action"]:
            assert statement["Action"] == ["iam:PassRole"]
            assert "*" not in statement["Resource"]
            assert "role/*" not in json.dumps(statement["Resource"])
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"]


def test_no_role_of_the_tools_account_can_change_a_pipeline_or_an_identity(pipelines_template: Json) -> None:
    for name, role in roles(pipelines_template).items():
        changing = {"codepipeline:UpdatePipeline", "codepipeline:DeletePipeline", "iam:PassRole"}
        assert not allowed(role) & changing, name
        assert not [action for action in allowed(role) if action.startswith("iam:")], name


def test_every_wide_resource_says_why(pipelines_template: Json, bootstraps: dict[str, Json]) -> None:
    for template in (pipelines_template, *bootstraps.values()):
        for name, resource in template["Resources"].items():
            for statement in statements(resource):
                if "*" in statement.get("Resource", []) and statement["Effect"] == "Allow":
                    reasons = resource["Metadata"]["Permissions"]
                    assert reasons[statement["Sid"]], name


@pytest.mark.parametrize("environment", ["branch", "staging", "prod"])
def test_only_branch_stacks_can_be_deleted(bootstraps: dict[str, Json], environment: str) -> None:
    # Given all roles of an account, and stacks of every environment with the right and with wrong tags
    kept = [schema.load(name).default_stack for name in ("staging", "prod")]
    kept.append(schema.load(environment).network_stack)
    branch = branch_names.stack_name("feature/login")

    template = bootstraps[environment]
    for name in roles(template):
        # Then no role deletes what releases made, whatever its tag says
        for stack in kept:
            for tag in ("branch", environment, None):
                assert not may_delete(template, name, stack, tag), (name, stack, tag)
        # And a name like a branch's does not help without the tag of one
        for tag in ("staging", "prod", None):
            assert not may_delete(template, name, branch, tag), name


def test_the_removal_role_deletes_branch_stacks_and_does_nothing_else(bootstraps: dict[str, Json]) -> None:
    template = bootstraps["branch"]
    role = template["Resources"]["RemovalRole"]

    assert may_delete(template, "RemovalRole", branch_names.stack_name("feature/login"), "branch")
    assert allowed(role) == {
        "cloudformation:DeleteStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "iam:PassRole",
    }
    assert "RemovalRole" not in bootstraps["prod"]["Resources"]


def test_a_build_writes_only_its_own_part_of_the_docs_site(pipelines_template: Json) -> None:
    # Given that a branch's build runs the branch's code, and a release's that of main
    bucket = "${Bucket}/"
    written: dict[str, set[str]] = {}
    for name, role in roles(pipelines_template).items():
        for one in statements(role):
            sites = [site for site in ("DocsBucket", "PreviewsBucket") if site in repr(one)]
            if {"s3:PutObject", "s3:DeleteObject"} & set(one["Action"]) and sites:
                keys = {f"{sites[0]}/{key['Fn::Sub'][0].partition(bucket)[2]}" for key in one["Resource"]}
                written.setdefault(name, set()).update(keys)

    # Then a branch can change no environment's docs, and only those who write and complete evidence that
    pages = {"prod/*", "staging/*", "index.html", "404.html", "versions.json"}
    assert written == {
        "DocsRole": {f"DocsBucket/{key}" for key in pages},
        "PreviewRole": {"PreviewsBucket/branches/*"},
        "UnpublishRole": {"PreviewsBucket/branches/*"},
        "EvidenceRole": {"DocsBucket/evidence/*"},
        "VerifyRole": {"DocsBucket/evidence/*"},
    }
    for name in ("EvidenceRole", "VerifyRole"):
        assert "s3:DeleteObject" not in allowed(roles(pipelines_template)[name])


def test_every_role_of_a_target_account_is_bounded(bootstraps: dict[str, Json]) -> None:
    for template in bootstraps.values():
        for name, role in roles(template).items():
            boundary = "ExecutionBoundary" if name == "ExecutionRole" else "PipelineBoundary"
            assert role["Properties"]["PermissionsBoundary"] == {"Ref": boundary}, name
            at_most = allowed(template["Resources"][boundary])
            assert allowed(role) <= at_most, name


def test_boundaries_leave_room_for_what_a_next_release_needs(bootstraps: dict[str, Json]) -> None:
    # Given each boundary as IAM gets it, in the partition and with the names that are longest
    for environment, template in bootstraps.items():
        name = f"payments-bootstrap-{environment}-RuntimeBoundary-ABCDEFGHIJKL"
        policy = f"arn:aws:iam::111111111111:policy/payments-pipelines/{name}"
        for title, resource in template["Resources"].items():
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                text = json.dumps(_literal(document(resource)), separators=(",", ":"))
                text = text.replace(_literal({"Ref": "X"}), policy).replace("arn:aws:", "arn:aws-us-gov:")
                # Then 300 of the 6,144 characters are left
                assert len(text) <= _MANAGED_POLICY_CHARACTERS - 300, (environment, title)


def test_policies_fit_into_iam(bootstraps: dict[str, Json]) -> None:
    for template in bootstraps.values():
        for name, resource in template["Resources"].items():
            length = len(json.dumps(statements(resource), separators=(",", ":")))
            most = _INLINE_POLICY_CHARACTERS if name.endswith("Role") else _MANAGED_POLICY_CHARACTERS
            assert length < most, name


@pytest.mark.parametrize("environment", ["branch", "staging", "prod"])
def test_cloudformation_may_do_what_the_types_that_pipelines_deploy_need_and_nothing_else(
    bootstraps: dict[str, Json], environment: str
) -> None:
    # Given the permissions that CloudFormation's own schemas name for the types of the stacks that pipelines
    # deploy there: a branch's deploys no network; a file may choose any payment method and kind of database
    builds = (payments.build,) if environment == "branch" else (network.build, payments.build)
    variants = (schema.load(environment), paying_by("card"), schema.load("branch"))
    used = {
        resource["Type"]
        for build in builds
        for loaded in variants
        for resource in build(loaded).to_dict()["Resources"].values()
    }
    needed = schemas.needed(used, variants[0].region)
    role = bootstraps[environment]["Resources"]["ExecutionRole"]

    # Then the execution role has each, or it is left out for a reason
    assert needed - allowed(role) - set(LEFT_OUT) == set()
    # And it has nothing else, and what is left out is named by a schema
    assert allowed(role) - needed == set()
    if environment != "branch":
        assert set(LEFT_OUT) - needed == set()


@pytest.mark.parametrize("environment", ["branch", "staging", "prod"])
def test_cloudformation_may_make_change_and_delete_everything_in_our_stacks(
    bootstraps: dict[str, Json], environment: str
) -> None:
    # Given the stacks that pipelines deploy there, within the boundary, and what CloudFormation asks about
    # each resource; whose role is handed on and where code is read from, a promotion asks
    loaded, resources = schema.load(environment), bootstraps[environment]["Resources"]
    stacks = {branch_names.stack_name("x") if environment == "branch" else loaded.default_stack: payments}
    if environment != "branch":
        stacks[loaded.network_stack] = network
    for stack, template in stacks.items():
        for name, made in template.build(loaded).to_dict()["Resources"].items():
            properties = _named(made.get("Properties", {}), stack) | {
                "PermissionsBoundary": _literal({"Ref": "X"})
            }
            asked = [
                one
                for verb in ("create", "update", "delete")
                for one in embedded_functions.stack_questions(verb, made["Type"], stack, name, properties)
            ]
            # Then its role may, and so may its boundary
            elsewhere = {"iam:PassRole", "s3:GetObject", "s3:GetObjectVersion", *LEFT_OUT}
            for question in asked:
                if question["action"] not in elsewhere:
                    assert _may(resources, question), (name, question)


def _named(value: Any, stack: str) -> Any:
    """Properties as a stack of this name has them, whose own things are called as it is."""
    if isinstance(value, list):
        return [_named(one, stack) for one in value]
    if isinstance(value, dict) and "Fn::Sub" in value:
        text = value["Fn::Sub"]
        return (text if isinstance(text, str) else text[0]).replace("${AWS::StackName}", stack)
    if isinstance(value, dict) and set(value) & {"Ref", "Fn::GetAtt"}:
        (made,) = value.values()
        return f"{stack}-{made if isinstance(made, str) else made[0]}"
    return {key: _named(one, stack) for key, one in value.items()} if isinstance(value, dict) else value


def _may(resources: Json, question: Json) -> bool:
    return embedded_functions.allows(
        [_literal(document(resources["ExecutionRole"]))],
        boundary=_literal(document(resources["ExecutionBoundary"])),
        principal_arn="arn:aws:sts::111111111111:assumed-role/ExecutionRole/session",
        action=question["action"],
        resource_arn=question["resource"],
        service_context=question["context"],
        **_CALLER,
    )


def test_a_bounded_template_has_the_boundary_on_every_role() -> None:
    template = with_runtime_boundary(payments.build(schema.load("prod")), "payments-bootstrap-prod").to_dict()

    assert roles(template)
    for role in roles(template).values():
        imported = {"Fn::ImportValue": "payments-bootstrap-prod-RuntimeBoundaryArn"}
        assert role["Properties"]["PermissionsBoundary"] == imported


def test_target_accounts_trust_the_roles_of_one_zone_in_the_tools_account_alone(
    bootstraps: dict[str, Json],
) -> None:
    release_roles = ("DeploymentRole", "InspectionRole")
    trusted = {
        (environment, name): [
            pattern["Fn::Sub"].partition(":iam::444444444444:role/payments-pipelines/")[2]
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            for pattern in statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
        ]
        for environment, template in bootstraps.items()
        for name, role in roles(template).items()
        if name != "ExecutionRole"
    }
    # Then nothing that runs a branch's code acts in staging or production, and releases deploy no branch
    assert trusted == {
        ("branch", "DeploymentRole"): ["branch/*"],
        ("branch", "InspectionRole"): ["release/*", "branch/*"],
        ("branch", "RemovalRole"): ["release/*"],
        **{(name, role): ["release/*"] for name in ("staging", "prod") for role in release_roles},
    }
