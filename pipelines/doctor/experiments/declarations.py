"""Resources that experiments declare, as CloudFormation takes them."""

from __future__ import annotations

import json
from typing import Any, Final

Json = dict[str, Any]
GROUP: Final = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 1}}


def alarm(**more: Any) -> Json:
    """Return a metric alarm {Type, Properties} on a metric that nobody writes."""
    metric = {"Namespace": "PaymentsProve", "MetricName": "Nothing", "Statistic": "Sum", "Period": 60}
    judged = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**metric, **judged, **more}}


def composite_alarm(logical_id: str) -> Json:
    """Return a composite alarm {Type, Properties} on a metric alarm of the same stack."""
    rule = {"Fn::Sub": f"ALARM(${{{logical_id}}})"}
    return {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}}


def role(service: str, *actions: str, says_the_account: bool = False) -> Json:
    """Return a role {Type, Properties} of a service, which may call these actions on anything.

    Args:
        service: As `lambda.amazonaws.com`.
        actions: What the role may call.
        says_the_account: Whether the service must say for which account it acts.
    """
    trust: Json = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if says_the_account:
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    properties: Json = {"AssumeRolePolicyDocument": _document(trust)}
    if actions:
        granted = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        properties["Policies"] = [{"PolicyName": "experiment", "PolicyDocument": _document(granted)}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def state_machine(role_id: str, states: Json) -> Json:
    """Return a state machine {Type, Properties} of states in JSONata; it begins with the first."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    role_arn = {"Fn::GetAtt": [role_id, "Arn"]}
    properties = {"DefinitionString": {"Fn::Sub": json.dumps(definition)}, "RoleArn": role_arn}
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}


def function(role_id: str) -> Json:
    """Return a function {Type, Properties} that does nothing."""
    code = {"ZipFile": "def handler(event, context):\n    return 'done'\n"}
    properties = {"Runtime": "python3.13", "Handler": "index.handler", "Code": code}
    role_arn = {"Fn::GetAtt": [role_id, "Arn"]}
    return {"Type": "AWS::Lambda::Function", "Properties": {**properties, "Role": role_arn}}


def _document(statement: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [statement]}
