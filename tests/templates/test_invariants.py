from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from templates import docs
from tests.templates.reading import as_list, policies, properties, statements, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

# Names that live inside a parent resource, which has none of its own: nothing clashes.
SCOPED_NAMES = {
    ("AWS::ApiGateway::Stage", "StageName"),
    ("AWS::Lambda::Alias", "Name"),
    ("AWS::StepFunctions::StateMachineAlias", "Name"),
    # AWS's own names, not ours.
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    ("AWS::CloudWatch::Alarm", "MetricName"),
}


def every_resource(stacks: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    for stack, template in stacks.items():
        for name, resource in template["Resources"].items():
            yield f"{stack}/{name}", resource


def test_every_log_group_is_encrypted_and_kept_as_long_as_the_environment_says(
    stacks: dict[str, Json], environment: Any
) -> None:
    groups = [
        group
        for template in stacks.values()
        for group in properties(template, "AWS::Logs::LogGroup").values()
    ]
    assert groups
    assert {group["RetentionInDays"] for group in groups} == {environment.logs.retention_days}
    assert all("KmsKeyId" in group for group in groups)


def test_nothing_is_named_literally(stacks: dict[str, Json]) -> None:
    literal = {
        (place, key)
        for place, resource in every_resource(stacks)
        for key, value in resource.get("Properties", {}).items()
        if (key == "Name" or key.endswith("Name"))
        and isinstance(value, str)
        and (resource["Type"], key) not in SCOPED_NAMES
    }
    assert literal == set()


def test_no_partition_region_or_account_is_written_down_but_what_the_environment_names(
    stacks: dict[str, Json], environment: Any
) -> None:
    # A subnet cannot move, and Fn::GetAZs may change its order, so zones are the environment's.
    named = {*environment.network.zones, environment.stripe and environment.stripe.secret_arn}
    found = {
        text
        for place, resource in every_resource(stacks)
        if place != "network/DatabasePeering"
        for text in strings(resource)
        if re.search(r"arn:aws|\b\d{12}\b|eu-central-1", text) and text not in named
    }
    assert found == set()


def test_only_what_names_an_account_literally_is_excepted_from_the_rule_against_it(
    stacks: dict[str, Json], environment: Any
) -> None:
    excepted, literal = (
        {
            place
            for place, resource in every_resource(stacks)
            if "E9009"
            in resource.get("Metadata", {}).get("cfn-lint", {}).get("config", {}).get("ignore_checks", [])
        },
        {
            place
            for place, resource in every_resource(stacks)
            for text in strings(resource.get("Properties", {}))
            if re.search(r"arn:aws|\b\d{12}\b|eu-central-1", text) and text not in environment.network.zones
        },
    )
    assert excepted == literal


def test_every_policy_is_written_in_the_language_of_2012(stacks: dict[str, Json]) -> None:
    # In that of 2008, which is the default, `${…}` is no variable (IAM user guide, "Version").
    documents = [document for _, resource in every_resource(stacks) for document in policies(resource)]
    documents += [
        document
        for resource in docs.build().to_dict()["Resources"].values()
        for document in policies(resource)
    ]
    assert documents
    assert {document.get("Version") for document in documents} == {"2012-10-17"}


def test_every_parameter_and_output_is_described(stacks: dict[str, Json]) -> None:
    parts = [
        (name, part)
        for template in stacks.values()
        for kind in ("Parameters", "Outputs")
        for name, part in template.get(kind, {}).items()
    ]
    assert [name for name, part in parts if not part.get("Description")] == []
    assert all(template["Description"] for template in stacks.values())


def test_no_statement_allows_a_wildcard_action(stacks: dict[str, Json]) -> None:
    wild = [
        (place, action)
        for place, resource in every_resource(stacks)
        for statement in statements(resource)
        for action in as_list(statement["Action"])
        if "*" in action
    ]
    assert wild == []


def test_a_statement_on_everything_says_why(stacks: dict[str, Json]) -> None:
    for place, resource in every_resource(stacks):
        reasons = resource.get("Metadata", {}).get("Permissions", {})
        for statement in statements(resource):
            if "*" in as_list(statement.get("Resource", [])):
                assert "*" in reasons.get(statement.get("Sid"), ""), f"{place} {statement.get('Sid')}"


def test_every_statement_of_a_role_has_a_reason(stacks: dict[str, Json]) -> None:
    for place, resource in every_resource(stacks):
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    assert resource["Metadata"]["Permissions"][statement["Sid"]], place


def test_a_service_acts_for_this_account_alone(stacks: dict[str, Json]) -> None:
    # Lambda and API Gateway send no aws:SourceAccount when they assume a role.
    exempt = {"lambda.amazonaws.com", "apigateway.amazonaws.com"}
    for place, resource in every_resource(stacks):
        if resource["Type"] == "AWS::IAM::Role":
            (trust,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if trust["Principal"]["Service"] not in exempt:
                assert trust["Condition"] == {
                    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
                }, place


def test_what_production_may_be_asked_for_outlives_its_stack(
    stacks: dict[str, Json], environment: Any
) -> None:
    expected = "Retain" if environment.production else "Delete"
    kept = [
        resource
        for _, resource in every_resource(stacks)
        if resource["Type"] in {"AWS::Logs::LogGroup", "AWS::KMS::Key"}
    ]
    assert {part["DeletionPolicy"] for part in kept} == {expected}
    assert {part["UpdateReplacePolicy"] for part in kept} == {expected}


def test_payments_stacks_export_nothing_so_that_they_live_side_by_side(payments: Json) -> None:
    assert [name for name, output in payments["Outputs"].items() if "Export" in output] == []
