"""CloudFormation: change sets and stacks.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

import json
from collections.abc import Callable

from embedded_aws.codepipeline.actions import stack_input, stack_operation
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.iam import role_sessions

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
    if role:  # the embedded CloudFormation does not check who session it a role
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
        **stack_input.arguments(action),
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
        action.call("cloudformation", method, **stack_input.arguments(action))
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
