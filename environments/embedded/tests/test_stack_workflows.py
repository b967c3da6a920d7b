"""CloudFormation: workflow versions and aliases, function versions, canaries."""

import json
from typing import Any

import botocore.exceptions
import pytest
from embedded_workbench import Aws, Stack, Workflow, definition, unique, vpc, zipped

pytestmark = pytest.mark.long


def machine(states: dict[str, Any], role: str) -> dict[str, Any]:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": role,
            "DefinitionString": definition(states),
            "LoggingConfiguration": {"Level": "ALL", "IncludeExecutionData": False, "Destinations": []},
        },
    }


def promoted(word: str, role: str, **preference: Any) -> dict[str, Any]:
    """A machine with a version that is kept and an alias on it."""
    return {
        "Machine": machine({"Say": {"Type": "Succeed", "Output": word}}, role),
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        },
        "Live": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {"StateMachineVersionArn": {"Ref": "Version"}, "Type": "ALL_AT_ONCE"}
                | preference,
            },
        },
    }


OUTPUTS = {"Machine": {"Ref": "Machine"}, "Version": {"Ref": "Version"}, "Live": {"Ref": "Live"}}


def test_a_workflow_s_alias_moves_with_its_stack(aws: Aws, stack: Stack, role: str) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachinealias.html
    # Given a deployed workflow
    client = aws("stepfunctions")
    first = stack.deploy(promoted("first", role), OUTPUTS)
    workflow = Workflow(client, first["Live"])
    assert workflow.run().output == "first"
    assert first["Machine"].rpartition(":")[2].startswith("Machine-")  # as on AWS, and policies rest on it
    # When its definition changes
    second = stack.deploy(promoted("second", role), OUTPUTS)
    # Then the alias serves the new version, and the old one still runs
    assert (second["Live"], second["Machine"]) == (first["Live"], first["Machine"])
    assert workflow.run().output == "second"
    assert workflow.run(arn=first["Version"]).output == "first"
    logging = client.describe_state_machine(stateMachineArn=first["Machine"])["loggingConfiguration"]
    assert logging["level"] == "ALL"
    # When the stack goes; Then machine, versions and alias are gone, though the versions are retained
    stack.delete()
    with pytest.raises(botocore.exceptions.ClientError, match="StateMachineDoesNotExist"):
        workflow.start(arn=first["Version"])


def test_a_canary_comes_back_when_its_alarm_rings(aws: Aws, stack: Stack, role: str) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachinealias.html
    # Given a workflow whose deployments watch an alarm
    name = unique("bake")
    cloudwatch = aws("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Bake",
        MetricName="Errors",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=60,
        Statistic="Sum",
        Threshold=0,
    )
    canary = {"Type": "CANARY", "Percentage": 10, "Interval": 1, "Alarms": [name]}
    live = stack.deploy(promoted("first", role, **canary), OUTPUTS)["Live"]
    workflow = Workflow(aws("stepfunctions"), live)
    # When the alarm rings during the canary
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    with pytest.raises(AssertionError, match="went into ALARM"):
        stack.deploy(promoted("second", role, **canary), OUTPUTS)
    # Then the version before serves everyone
    shown = workflow.client.describe_state_machine_alias(stateMachineAliasArn=live)
    assert [route["weight"] for route in shown["routingConfiguration"]] == [100]
    assert workflow.run().output == "first"
    # When it is quiet; Then the canary passes
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
    stack.deploy(promoted("second", role, **canary), OUTPUTS)
    assert workflow.run().output == "second"


def test_a_function_s_version_is_published_when_its_description_changes(
    aws: Aws, stack: Stack, role: str
) -> None:
    # Given a function from S3 with a retained version, in a VPC
    bucket, client = unique("artifacts"), aws("lambda")
    s3 = aws("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for word in ("first", "second"):
        s3.put_object(Bucket=bucket, Key=word, Body=zipped(f"def handler(event, context): return {word!r}"))

    def resources(key: str) -> dict[str, Any]:
        return {
            "Vpc": vpc("10.1.0.0/16"),
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.1.0.0/24"},
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "app.handler",
                    "Role": role,
                    "Code": {"S3Bucket": bucket, "S3Key": key},
                    "VpcConfig": {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": []},
                },
            },
            "Version": {
                "Type": "AWS::Lambda::Version",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"FunctionName": {"Ref": "Function"}, "Description": key},
            },
        }

    outputs = {"Version": {"Ref": "Version"}, "Function": {"Ref": "Function"}, "Vpc": {"Ref": "Vpc"}}
    first = stack.deploy(resources("first"), outputs)
    # When code and description change
    second = stack.deploy(resources("second"), outputs)
    # Then there is a second version, and the first still runs its code
    for deployed, word in ((first, "first"), (second, "second")):
        assert json.loads(client.invoke(FunctionName=deployed["Version"])["Payload"].read()) == word
    configuration = client.get_function_configuration(FunctionName=first["Function"])
    assert configuration["VpcConfig"]["VpcId"] == first["Vpc"]
    # When the code is not there; Then the update fails as Lambda says and the second version serves on
    with pytest.raises(AssertionError, match="NoSuchKey"):
        stack.deploy(resources("absent"), outputs)
    assert json.loads(client.invoke(FunctionName=second["Function"])["Payload"].read()) == "second"


def test_a_bad_definition_fails_its_stack(stack: Stack, role: str) -> None:
    with pytest.raises(AssertionError, match="MISSING_TRANSITION_TARGET"):
        stack.deploy({"Machine": machine({"A": {"Type": "Pass", "Next": "Absent"}}, role)})


def test_a_stack_that_rolls_back_takes_its_alias_with_it(aws: Aws, stack: Stack, role: str) -> None:
    # Given a deployed workflow
    live = stack.deploy(promoted("first", role), OUTPUTS)["Live"]
    # When an update moves the alias and then fails in another resource
    broken = machine({"A": {"Type": "Pass", "Next": "Absent"}}, role) | {"DependsOn": "Live"}
    with pytest.raises(AssertionError, match="MISSING_TRANSITION_TARGET"):
        stack.deploy(promoted("second", role) | {"Broken": broken}, OUTPUTS)
    # Then the version before serves again, at once
    shown = aws("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=live)
    assert [route["stateMachineVersionArn"][-2:] for route in shown["routingConfiguration"]] == [":1"]
