from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.deploy.synth import build
from pipelines.lint import repository_templates
from pipelines.lint.templates import lint, lint_definition
from templates.definitions import payment_workflow, smoke_workflow
from tests.templates.paying import paying_by

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
STEP = "Refund payment"


def test_the_house_is_clean_with_cards() -> None:
    # `make lint` asks this of every environment; in none of them is paid by card.
    environment = paying_by("card")
    templates = {stack: template.to_dict() for stack, template in build(environment).items()}
    assert repository_templates.judged(templates, environment.region) == []


def test_both_state_machines_are_clean() -> None:
    assert lint_definition("payment", payment_workflow.definition()) == []
    assert lint_definition("smoke", smoke_workflow.definition()) == []


def dangling_next(states: Json) -> None:
    states[STEP]["Next"] = "Nowhere"


def dangling_catch(states: Json) -> None:
    states[STEP]["Catch"][0]["Next"] = "Nowhere"


def unreachable(states: Json) -> None:
    states["Island"] = {"Type": "Succeed"}


def no_way_on(states: Json) -> None:
    del states[STEP]["Next"]


def unknown_field(states: Json) -> None:
    states[STEP]["ResultPath"] = "$.x"


def all_first(states: Json) -> None:
    states[STEP]["Catch"].reverse()


def broken_argument(states: Json) -> None:
    states[STEP]["Arguments"]["Payload"]["order_id"] = "{% $states.input. %}"


def broken_assign(states: Json) -> None:
    states[STEP]["Catch"][1]["Assign"]["compensated"] = "{% $not( %}"


def broken_condition(states: Json) -> None:
    states["Is everything undone?"]["Choices"][0]["Condition"] = "{% $compensated = %}"


@pytest.mark.parametrize(
    ("seed", "rule", "said"),
    [
        (dangling_next, "statelint", 'No state found named "Nowhere"'),
        (dangling_catch, "statelint", 'No state found named "Nowhere"'),
        (unreachable, "statelint", "No transition found to state State Machine.Island"),
        (no_way_on, "statelint", 'does not have required field "Next"'),
        (unknown_field, "statelint", 'Field "ResultPath" not allowed'),
        (all_first, "statelint", "States.ALL can only appear in the last element"),
        (broken_argument, "jsonata", "$states.input."),
        (broken_assign, "jsonata", "$not("),
        (broken_condition, "jsonata", "$compensated ="),
    ],
)
def test_a_seeded_mistake_in_a_definition_is_found(
    seed: Callable[[Json], None], rule: str, said: str
) -> None:
    # Given the payment workflow with one mistake
    definition = copy.deepcopy(payment_workflow.definition())
    seed(definition["States"])
    # When it is linted
    findings = lint_definition("seeded", definition)
    # Then that mistake is found
    assert [finding for finding in findings if finding.rule == rule and said in finding.problem]


def small(resource: Json) -> dict[str, Json]:
    return {"small": {"Description": "Small", "Resources": {"It": resource}}}


def log_group(**more: Any) -> Json:
    key = {"Fn::ImportValue": "key"}
    kept = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    properties = {"Retention": 7, "RetentionInDays": 7, "KmsKeyId": key}
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties, **kept, **more}


def test_a_seeded_mistake_in_a_template_is_found_with_place_and_rule() -> None:
    findings = lint(small(log_group()))
    assert [(finding.rule, finding.place) for finding in findings] == [
        ("E3002", "Resources/It/Properties/Retention")
    ]


def test_an_exception_from_a_rule_needs_its_reason() -> None:
    # Given a resource that asks for an exception
    ignored: Json = {"config": {"ignore_checks": ["E3002"]}}
    group = log_group(Metadata={"cfn-lint": ignored})
    # When it gives no reason, then that is the finding
    assert [str(finding) for finding in lint(small(group))] == [
        "small: It: E3002 is ignored without a reason in Metadata"
    ]
    # And when it gives one, all is well
    ignored["reasons"] = {"E3002": "the linter does not know this property yet"}
    assert lint(small(group)) == []


def test_jsonata_for_a_number_is_right() -> None:
    # Given a time-out that JSONata computes, as AWS allows and neither statelint nor cfn-lint's E3601 knows
    definition = copy.deepcopy(payment_workflow.definition())
    definition["States"][STEP]["TimeoutSeconds"] = "{% 5 + 5 %}"
    machine = {
        "Definition": definition,
        "DefinitionSubstitutions": {"Partition": {"Ref": "AWS::Partition"}},
        "RoleArn": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/workflow"},
    }
    # Then nothing is wrong with it
    assert lint(small({"Type": "AWS::StepFunctions::StateMachine", "Properties": machine})) == []


def test_a_resource_that_cfn_lint_refuses_in_a_definition_is_found() -> None:
    # Given a task whose resource is no ARN
    definition = copy.deepcopy(payment_workflow.definition())
    definition["States"][STEP]["Resource"] = "lambda:invoke"
    machine = {
        "Definition": definition,
        "RoleArn": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/workflow"},
    }
    # When it is linted
    findings = lint(small({"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}))
    # Then E3601 says where
    assert ("E3601", f"Resources/It/Properties/Definition/States/{STEP}/Resource") in {
        (finding.rule, finding.place) for finding in findings
    }
