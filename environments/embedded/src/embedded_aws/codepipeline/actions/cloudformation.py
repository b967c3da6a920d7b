"""CloudFormation: change sets and stacks.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html

What a CloudFormation action gives to a stack: template, parameters, tags, capabilities, role.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from embedded_aws.codepipeline.actions import stack_operation
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.core import runtime
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions

_BODY_LIMIT = 51_200


def arguments(action: Action) -> dict[str, Any]:
    """Return the arguments of `create_stack`, `update_stack` and `create_change_set`."""
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


_OUTPUT_FILE = "output.json"
# "ROLLBACK_COMPLETE, ROLLBACK_FAILED, CREATE_FAILED, DELETE_FAILED, or UPDATE_ROLLBACK_FAILED" are replaced.
_REPLACED = {
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "CREATE_FAILED",
    "DELETE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
}


def perform(action: Action) -> Outcome:
    """Do what the action mode says.

    Raises:
        ActionFailed: The mode is unknown, or CloudFormation refused.
    """
    mode = action.configuration["ActionMode"]
    if mode not in _MODES:
        raise ActionFailed(f"ActionMode {mode} is not known", "InvalidConfiguration")
    role = action.configuration.get("RoleArn")
    if role:  # the embedded CloudFormation does not check who hands it a role
        role_sessions.require_permission(
            action.session, "iam:PassRole", role, {"iam:passedtoservice": "cloudformation.amazonaws.com"}
        )
    _MODES[mode](action)
    outputs = stack_operation.outputs(action) if mode not in {"DELETE_ONLY", "CHANGE_SET_REPLACE"} else {}
    if action.declaration["outputArtifacts"]:
        action.folder.mkdir(parents=True, exist_ok=True)
        file = action.folder / _OUTPUT_FILE
        file.write_text(json.dumps(outputs))
        action.put_output({action.configuration.get("OutputFileName", "CreateStackOutput.json"): file})
    return Outcome(
        variables=outputs, summary=f"{mode} of stack {action.configuration['StackName']} succeeded"
    )


def _change_set_name(action: Action) -> str:
    try:
        return action.configuration["ChangeSetName"]
    except KeyError:
        raise ActionFailed("Action configuration is missing ChangeSetName", "InvalidConfiguration") from None


def _replace_change_set(action: Action) -> None:
    name, stack = _change_set_name(action), action.configuration["StackName"]
    status = stack_operation.status(action)
    if status is not None:
        action.call("cloudformation", "delete_change_set", StackName=stack, ChangeSetName=name)
        action.until(lambda: True if stack_operation.change_set(action, name) is None else None)
    new = status in (None, "REVIEW_IN_PROGRESS")
    made = action.call(
        "cloudformation",
        "create_change_set",
        ChangeSetName=name,
        ChangeSetType="CREATE" if new else "UPDATE",
        **arguments(action),
    )
    action.report(externalExecutionId=made["Id"])
    change_set = action.until(lambda: stack_operation.made_change_set(action, name))
    if change_set["Status"] == "FAILED" and not stack_operation.without_changes(change_set):
        raise ActionFailed(f"Change set {name} failed: {change_set.get('StatusReason', '')}")


def _execute_change_set(action: Action) -> None:
    """A change set without changes is executed by doing nothing."""
    name, stack = _change_set_name(action), action.configuration["StackName"]
    change_set = stack_operation.change_set(action, name)
    if change_set is None:
        if action.again and stack_operation.settled(action):
            return  # it was executed before the embedded AWS was stopped
        raise ActionFailed(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound")
    if action.again and change_set["ExecutionStatus"] == "EXECUTE_FAILED":
        raise ActionFailed(f"The embedded AWS was stopped while stack {stack} changed. Release again.")
    if stack_operation.without_changes(change_set):
        return
    before = stack_operation.newest_event(action)
    action.call("cloudformation", "execute_change_set", ChangeSetName=name, StackName=stack)
    stack_operation.follow(action, before)


def _create_or_update(action: Action) -> None:
    status = stack_operation.status(action)
    if status in (None, "REVIEW_IN_PROGRESS"):
        _change(action, "create_stack", None)
    else:
        _change(action, "update_stack", stack_operation.newest_event(action))


def _replace_on_failure(action: Action) -> None:
    if stack_operation.status(action) in _REPLACED:
        _delete(action)
    _create_or_update(action)


def _change(action: Action, method: str, before: str | None) -> None:
    try:
        action.call("cloudformation", method, **arguments(action))
    except ActionFailed as error:
        if "No updates are to be performed" in str(error):
            return
        raise
    stack_operation.follow(action, before)


def _delete(action: Action) -> None:
    """Deleting a stack that is not there succeeds."""
    if stack_operation.status(action) is None:
        return
    before = stack_operation.newest_event(action)
    role = {"RoleARN": action.configuration["RoleArn"]} if action.configuration.get("RoleArn") else {}
    action.call("cloudformation", "delete_stack", StackName=action.configuration["StackName"], **role)
    stack_operation.follow(action, before, deleting=True)


_MODES: dict[str, Callable[[Action], None]] = {
    "CHANGE_SET_REPLACE": _replace_change_set,
    "CHANGE_SET_EXECUTE": _execute_change_set,
    "CREATE_UPDATE": _create_or_update,
    "REPLACE_ON_FAILURE": _replace_on_failure,
    "DELETE_ONLY": _delete,
}
