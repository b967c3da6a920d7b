"""What a CloudFormation action gives to a stack: template, parameters, tags, capabilities, role.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
"""

import json
from dataclasses import replace
from typing import Any

from embedded_aws.codepipeline.actions.action import Action, ActionFailed
from embedded_aws.core import runtime
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions

_BODY_LIMIT = 51_200


def arguments(action: Action) -> dict[str, Any]:
    """Return the arguments of create_stack, update_stack and create_change_set."""
    settings, template_configuration = action.configuration, _configuration(action)
    parameters = {name: str(value) for name, value in template_configuration.get("Parameters", {}).items()}
    parameters |= {
        name: _value(action, value)
        for name, value in _json(settings.get("ParameterOverrides"), "ParameterOverrides").items()
    }
    stack_arguments: dict[str, Any] = {
        "StackName": settings["StackName"],
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Tags": [
            {"Key": key, "Value": value} for key, value in template_configuration.get("Tags", {}).items()
        ],
        "Capabilities": [
            each.strip() for each in settings.get("Capabilities", "").split(",") if each.strip()
        ],
        **_template(action),
    }
    return stack_arguments | ({"RoleARN": settings["RoleArn"]} if settings.get("RoleArn") else {})


def _template(action: Action) -> dict[str, str]:
    if not action.configuration.get("TemplatePath"):
        raise ActionFailed("Action configuration is missing TemplatePath", "InvalidConfiguration")
    file = action.input_file(action.configuration["TemplatePath"])
    if file.stat().st_size <= _BODY_LIMIT:
        return {"TemplateBody": file.read_text()}
    # CodePipeline session the file over by itself; the action's role only needs to read artifacts.
    account = action.execution["declaration"]["roleArn"].split(":")[4]
    service = role_sessions.root_session(Scope(account, action.session.region))
    location = replace(action.store, session=service).put(action.execution["pipelineName"], "template", file)
    return {"TemplateURL": f"{runtime.current().endpoint}/{location['bucket']}/{location['key']}"}


def _configuration(action: Action) -> Json:
    reference = action.configuration.get("TemplateConfiguration")
    return _json(action.input_file(reference).read_text(), "TemplateConfiguration") if reference else {}


def _json(text: str | None, what: str) -> Json:
    try:
        document = json.loads(text or "{}")
    except ValueError as error:
        raise ActionFailed(f"{what} is not JSON: {error}", "InvalidConfiguration") from None
    if not isinstance(document, dict):
        raise ActionFailed(f"{what} is not a JSON object", "InvalidConfiguration")
    return document


def _value(action: Action, value: Any) -> str:
    """Resolve the two functions that parameter overrides may use.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-parameter-override-functions.html
    """
    if not isinstance(value, dict):
        return str(value)
    if "Fn::GetArtifactAtt" in value:
        artifact, attribute = value["Fn::GetArtifactAtt"]
        location = action.input_location(artifact)
        attributes = {
            "BucketName": location["bucket"],
            "ObjectKey": location["key"],
            "URL": f"{runtime.current().endpoint}/{location['bucket']}/{location['key']}",
        }
        if attribute in attributes:
            return str(attributes[attribute])
    if "Fn::GetParam" in value:
        artifact, file, key = value["Fn::GetParam"]
        document = _json(action.input_file(f"{artifact}::{file}").read_text(), file)
        if key in document:
            return str(document[key])
    raise ActionFailed(f"ParameterOverrides: {json.dumps(value)} cannot be resolved", "InvalidConfiguration")
