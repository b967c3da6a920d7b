"""What CloudFormation refuses of requests for stacks and change sets, where MiniStack is laxer.

* A stack in ROLLBACK_COMPLETE can only be deleted; one in REVIEW_IN_PROGRESS takes no update; a change set of
  type CREATE needs a stack that does not exist or is in review, and joins the one in review.
* Parameters that the template lacks, dangling references and circles are refused before anything changes.
* The name of an executed change set is free again; its id still shows it, and no list does.

Sources: CloudFormation API reference (CreateChangeSet, ExecuteChangeSet); recorded answers of AWS.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.cloudformation import stack_records, template_checks
from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import parameter

Json = dict[str, Any]
_Handler = Callable[[Json], Any]
_REVIEW = "REVIEW_IN_PROGRESS"


def install() -> None:
    """Stand before the operations, and before the resolution of parameters."""
    actions = private.cloudformation_handlers.ACTION_HANDLERS
    actions["CreateStack"] = _checked(actions["CreateStack"], _create_refusal, "AlreadyExistsException")
    actions["UpdateStack"] = _checked(actions["UpdateStack"], _update_refusal)
    actions["CreateChangeSet"] = _checked(_in_review(actions["CreateChangeSet"]), _change_set_refusal)
    actions["ListChangeSets"] = _without_executed(actions["ListChangeSets"])
    for name in ("DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "GetTemplate"):
        actions[name] = _by_id(actions[name])
    checked = _resolving(private.cloudformation_changesets.resolve_parameters)
    private.cloudformation_changesets.resolve_parameters = checked
    private.cloudformation_handlers.resolve_parameters = checked


def _checked(
    stock: _Handler, refusal: Callable[[Json], str | None], code: str = "ValidationError"
) -> _Handler:
    def handle(params: Json) -> Any:
        message = refusal(params)
        return stock(params) if message is None else stack_records.refusal(code, message)

    return handle


def _stack(params: Json) -> Json | None:
    stack = stack_records.find_stack(parameter(params, "StackName"))
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _create_refusal(params: Json) -> str | None:
    stack = _stack(params)
    if stack is None or stack["StackStatus"] != "ROLLBACK_COMPLETE":
        return None  # MiniStack refuses all others
    return f"Stack [{stack['StackName']}] already exists"


def _update_refusal(params: Json) -> str | None:
    stack = _stack(params)
    if stack is None or not _unchangeable(stack["StackStatus"]):
        return None
    return f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated."


def _change_set_refusal(params: Json) -> str | None:
    stack, kind = _stack(params), parameter(params, "ChangeSetType", "UPDATE")
    if stack is None:
        return None
    if kind == "CREATE" and stack["StackStatus"] != _REVIEW:
        change_set = parameter(params, "ChangeSetName")
        name = parameter(params, "StackName")
        return f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
    if kind == "UPDATE" and stack["StackStatus"] == _REVIEW:
        return f"Stack [{stack['StackName']}] does not exist"
    return _update_refusal(params) if kind == "UPDATE" else None


def _unchangeable(status: str) -> bool:
    return status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"} or status.endswith(
        "_IN_PROGRESS"
    )


def _in_review(stock: _Handler) -> _Handler:
    """Let a change set join the stack in review; MiniStack makes another stack, and drops it on a refusal."""

    def create(params: Json) -> Any:
        before = _stack(params)
        with _executed_hidden():
            status, headers, body = stock(params)
        if before is None or before["StackStatus"] != _REVIEW:
            return status, headers, body
        name = before["StackName"]
        other = private.cloudformation.stacks.get(name)
        private.cloudformation.stacks[name] = before
        if other is None or other["StackId"] == before["StackId"]:
            return status, headers, body
        private.cloudformation.stack_events.pop(other["StackId"], None)
        for change_set in private.cloudformation.change_sets.values():
            if change_set["StackId"] == other["StackId"]:
                change_set["StackId"] = before["StackId"]
        return status, headers, body.replace(other["StackId"].encode(), before["StackId"].encode())

    return create


def _without_executed(stock: _Handler) -> _Handler:
    def handle(params: Json) -> Any:
        with _executed_hidden():
            return stock(params)

    return handle


@contextlib.contextmanager
def _executed_hidden() -> Iterator[None]:
    """Take executed change sets out of sight for one operation, which is synchronous."""
    change_sets = private.cloudformation.change_sets
    hidden = {key: c for key, c in change_sets.items() if c["ExecutionStatus"] == stack_records.EXECUTED}
    for key in hidden:
        change_sets.pop(key)
    try:
        yield
    finally:
        for key, change_set in hidden.items():
            change_sets[key] = change_set


def _by_id(stock: _Handler) -> _Handler:
    """Name the change set that is meant by its id."""

    def handle(params: Json) -> Any:
        change_set = stack_records.find_change_set(params) if "ChangeSetName" in params else None
        named = {"ChangeSetName": [change_set["ChangeSetId"]]} if change_set else {}
        return stock({**params, **named})

    return handle


def _resolving(stock: Callable[..., Json]) -> Callable[..., Json]:
    def resolve(template: Json, parameters: list[Json], previous: Json | None = None) -> Json:
        for problem in (
            *template_checks.unknown_parameters(template, parameters),
            *template_checks.missing_parameters(template, parameters),
        ):
            raise ValueError(problem)
        values = stock(template, parameters, previous)
        conditions = template_checks.conditions(template, values)
        for problem in template_checks.problems(template, parameters, conditions):
            raise ValueError(problem)
        return values

    return resolve
