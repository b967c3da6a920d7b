"""Stacks and change sets: what CloudFormation refuses before anything changes, in its own words."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_workbench import Aws, wait_until

Json = dict[str, Any]
_TOPIC: Json = {"A": {"Type": "AWS::SNS::Topic"}}
# Recorded of AWS: localstack/localstack, tests/aws/services/cloudformation, test_references.snapshot.json.
_UNRESOLVED = (
    "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template"
)


def _template(resources: Json = _TOPIC, **more: Json) -> str:
    return json.dumps({"Resources": resources, **more})


def _refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationError"
    return str(error["Message"])


def _topic(**properties: Any) -> Json:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            _template({"A": _topic(TopicName={"Ref": "Nope"})}),
            _UNRESOLVED,
        ),
        (
            _template({"A": _topic(TopicName={"Fn::Sub": "x-${Nope.Arn}-${!Kept}"})}),
            _UNRESOLVED,
        ),
        (
            _template({"A": _topic() | {"DependsOn": ["Nope"]}}),
            _UNRESOLVED,
        ),
        (
            _template(Outputs={"O": {"Value": {"Fn::GetAtt": ["Nope", "Arn"]}}}),
            "Unresolved resource dependencies [Nope] in the Outputs block of the template",
        ),
    ],
)
def test_a_reference_to_what_is_not_there_is_refused_at_once(aws: Aws, template: str, message: str) -> None:
    # Recorded: localstack/localstack, tests/aws/services/cloudformation, test_references.snapshot.json
    _never_made(aws, template, message)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            _template(
                {"A": _topic() | {"DependsOn": "B"}, "B": _topic(DisplayName={"Ref": "A"}), "C": _topic()}
            ),
            "Circular dependency between resources: [A, B]",
        ),
        (
            _template(Parameters={"Needed": {"Type": "String"}}),
            "Parameters: [Needed] must have values",
        ),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_once(aws: Aws, template: str, message: str) -> None:
    _never_made(aws, template, message)


def _never_made(aws: Aws, template: str, message: str) -> None:
    cloudformation = aws("cloudformation")
    create = {"ChangeSetName": "first", "ChangeSetType": "CREATE"}
    assert _refused(cloudformation.create_stack, StackName="refused", TemplateBody=template) == message
    asked = {"StackName": "refused", "TemplateBody": template, **create}
    assert _refused(cloudformation.create_change_set, **asked) == message


def test_a_parameter_that_the_template_lacks_is_refused(aws: Aws) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    unknown = [{"ParameterKey": "Colour", "ParameterValue": "red"}]
    cloudformation = aws("cloudformation")
    asked = {"StackName": "refused", "TemplateBody": _template(), "Parameters": unknown}
    words = "Parameters: [Colour] do not exist in the template"
    assert _refused(cloudformation.create_stack, **asked) == words
    create = {"ChangeSetName": "first", "ChangeSetType": "CREATE"}
    assert _refused(cloudformation.create_change_set, **asked, **create) == words


def test_a_branch_that_a_condition_does_not_take_makes_no_circle(aws: Aws) -> None:
    # Given B, which names A only where a condition holds that does not
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    name = {"Fn::If": ["Never", {"Ref": "A"}, "quiet"]}
    template = _template(
        {"A": _topic(DisplayName={"Ref": "B"}), "B": _topic(DisplayName=name)}, Conditions=conditions
    )
    # Then it is a chain
    cloudformation = aws("cloudformation")
    asked = {"StackName": "conditional", "ChangeSetName": "first", "ChangeSetType": "CREATE"}
    cloudformation.create_change_set(**asked, TemplateBody=template)
    cloudformation.delete_stack(StackName="conditional")


def test_a_stack_whose_creation_failed_can_only_be_deleted(aws: Aws) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    # Given
    cloudformation = aws("cloudformation")
    code = {"S3Bucket": "nobodys-bucket", "S3Key": "nothing"}
    function = {
        "Runtime": "python3.13",
        "Handler": "a.b",
        "Role": "arn:aws:iam::222222222222:role/r",
        "Code": code,
    }
    broken = _template({"F": {"Type": "AWS::Lambda::Function", "Properties": {**function, "Code": code}}})
    identifier = cloudformation.create_stack(StackName="rolled-back", TemplateBody=broken)["StackId"]
    _await(cloudformation, "rolled-back", "ROLLBACK_COMPLETE")
    asked = {"StackName": "rolled-back", "TemplateBody": _template()}
    # Then no update is taken, and no change set of either type
    words = f"Stack:{identifier} is in ROLLBACK_COMPLETE state and can not be updated."
    assert _refused(cloudformation.update_stack, **asked) == words
    assert (
        _refused(cloudformation.create_change_set, **asked, ChangeSetName="c", ChangeSetType="UPDATE")
        == words
    )
    again = _refused(cloudformation.create_change_set, **asked, ChangeSetName="c", ChangeSetType="CREATE")
    assert again == "Stack [rolled-back] already exists and cannot be created again with the changeSet [c]."
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        cloudformation.create_stack(**asked)
    # When it is deleted, then its name is free
    cloudformation.delete_stack(StackName="rolled-back")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=identifier, WaiterConfig={"Delay": 0.05}
    )
    cloudformation.create_stack(**asked)
    _await(cloudformation, "rolled-back", "CREATE_COMPLETE")


def test_change_sets_of_a_stack_in_review(aws: Aws) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    # Given a stack that has a change set and nothing else
    cloudformation = aws("cloudformation")
    asked = {"StackName": "reviewed", "TemplateBody": _template()}
    first = cloudformation.create_change_set(**asked, ChangeSetName="first", ChangeSetType="CREATE")
    # When another joins it, then the stack stays itself, and a refused one changes nothing
    second = cloudformation.create_change_set(**asked, ChangeSetName="second", ChangeSetType="CREATE")
    assert second["StackId"] == first["StackId"]
    bad = asked | {"Parameters": [{"ParameterKey": "No", "ParameterValue": "1"}]}
    _refused(cloudformation.create_change_set, **bad, ChangeSetName="third", ChangeSetType="CREATE")
    assert cloudformation.describe_stacks(StackName="reviewed")["Stacks"][0]["StackId"] == first["StackId"]
    # And no update is taken: the stack does not exist yet
    words = "Stack [reviewed] does not exist"
    assert (
        _refused(cloudformation.create_change_set, **asked, ChangeSetName="u", ChangeSetType="UPDATE")
        == words
    )


def test_an_executed_change_set_frees_its_name_and_takes_the_others_with_it(aws: Aws) -> None:
    # Given a stack with two change sets
    cloudformation = aws("cloudformation")
    asked = {"StackName": "executed", "TemplateBody": _template()}
    for name in ("release", "other"):
        made = cloudformation.create_change_set(**asked, ChangeSetName=name, ChangeSetType="CREATE")
    # When the first one is executed
    executed = cloudformation.describe_change_set(StackName="executed", ChangeSetName="release")[
        "ChangeSetId"
    ]
    cloudformation.execute_change_set(StackName="executed", ChangeSetName="release")
    _await(cloudformation, "executed", "CREATE_COMPLETE")
    # Then the other is gone, none is listed, and the executed one is there by its id alone
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        cloudformation.describe_change_set(ChangeSetName=made["Id"])
    wait_until(
        lambda: not cloudformation.list_change_sets(StackName="executed")["Summaries"], "no change set"
    )
    shown = wait_until(
        lambda: (
            cloudformation.describe_change_set(ChangeSetName=executed)["ExecutionStatus"]
            == "EXECUTE_COMPLETE"
        ),
        "the end of the execution",
    )
    assert shown
    # And its name may be given again
    two = _template({**_TOPIC, "B": _topic()})
    update = {"StackName": "executed", "TemplateBody": two, "ChangeSetType": "UPDATE"}
    again = cloudformation.create_change_set(**update, ChangeSetName="release")
    found = cloudformation.describe_change_set(StackName="executed", ChangeSetName="release")
    assert found["ChangeSetId"] == again["Id"] != executed


def _await(cloudformation: Any, stack: str, status: str) -> None:
    wait_until(
        lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == status,
        f"{stack} being {status}",
    )
