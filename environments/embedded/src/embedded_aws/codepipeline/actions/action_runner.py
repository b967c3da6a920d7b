"""Runs an action: resolves its configuration, assumes its role, calls its provider, reports the result."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws.codeconnections.repositories import RepositoryUnavailable
from embedded_aws.codepipeline import artifact_store, engine, executions, variables
from embedded_aws.codepipeline.actions import catalogue
from embedded_aws.codepipeline.actions.action import (
    Abandoned,
    Action,
    ActionFailed,
    Outcome,
    failed,
)
from embedded_aws.codepipeline.records import ActionResult, ActionRun, Execution, Location
from embedded_aws.core import runtime
from embedded_aws.iam import role_sessions

_PRINCIPAL = "codepipeline.amazonaws.com"
_FAULTS: dict[type[Exception], str] = {
    variables.VariableUnresolved: "InvalidConfiguration",
    role_sessions.NotAuthorized: "PermissionError",
    artifact_store.ArtifactUnavailable: "PermissionError",
    RepositoryUnavailable: "RevisionUnavailable",
    BotoCoreError: "JobFailed",  # such as parameter validation in the SDK
}


@dataclass(frozen=True, slots=True)
class _Failure:
    code: str
    message: str


_STOPPED = _Failure("JobFailed", "The embedded AWS was stopped while this action ran. Retry the stage.")


def perform(execution: Execution, identifier: str, *, again: bool = False) -> None:
    """Run one action to its result.

    Args:
        execution: whose action it is.
        identifier: of the action execution, whose record is there already.
        again: the process that ran it is gone; a provider that cannot repeat itself fails visibly.
    """
    run = executions.find_action(execution, identifier)
    provider = catalogue.provider_of(run["declaration"])
    if again and not provider.repeatable:
        _hand_in(
            execution,
            run,
            _STOPPED,
        )
        return
    action: Action | None = None
    try:
        current = executions.find(*executions.key(execution)) or execution
        action = prepared(current, run, again=again)
        outcome: Outcome | _Failure | None = provider.perform(action)
    except Abandoned:
        return  # stopping: the record says so already, or the next process will
    except ActionFailed as error:
        outcome = _Failure(error.code, str(error))
    except ClientError as error:
        outcome = _Failure(failed(error).code, str(failed(error)))
    except tuple(_FAULTS) as error:
        outcome = _Failure(
            next(code for kind, code in _FAULTS.items() if isinstance(error, kind)), str(error)
        )
    except Exception as error:  # noqa: BLE001 - a fault of ours must fail the action
        outcome = _Failure("InternalError", f"{type(error).__name__}: {error}")
    finally:
        if action is not None:
            action.clean_up()
    if outcome is not None:
        _hand_in(execution, run, outcome)


def prepared(execution: Execution, run: ActionRun, *, again: bool = False) -> Action:
    """Make ready what a provider works with, and note what it was given."""
    scope, declaration = executions.scope_of(execution), run["declaration"]
    run["configuration"] = variables.resolve(execution, declaration["configuration"])
    run["inputs"] = [
        {"name": artifact["name"], "s3location": _made(execution, artifact["name"])}
        for artifact in declaration["inputArtifacts"]
    ]
    run["outputs"] = []
    with runtime.current().store.transaction():
        current = executions.find_action(execution, run["id"])
        if current["status"] == "InProgress":
            current |= {"configuration": run["configuration"], "inputs": run["inputs"]}
            executions.keep_action(current)
    pipeline_role = execution["declaration"]["roleArn"]
    pipeline_session = role_sessions.assume_for_service(scope, pipeline_role, _PRINCIPAL, execution["id"])
    region = declaration.get("region") or scope.region
    role = declaration.get("roleArn")
    # "assumed through the roleArn for the pipeline":
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
    session = pipeline_session.assume(role, run["id"], region) if role else pipeline_session.in_region(region)
    return Action(
        scope=scope,
        execution=execution,
        run=run,
        configuration=run["configuration"],
        session=session,
        store=artifact_store.store_of(
            execution["declaration"], region, session if role else pipeline_session
        ),
        folder=runtime.current().folder / "actions" / run["id"],
        again=again,
    )


def _made(execution: Execution, name: str) -> Location:
    try:
        return execution["artifacts"][name]
    except KeyError:
        raise ActionFailed(
            f"Input artifact {name} was not made in this execution.", "InvalidConfiguration"
        ) from None


def _hand_in(execution: Execution, run: ActionRun, outcome: Outcome | _Failure) -> None:
    if isinstance(outcome, _Failure):
        result: ActionResult = {
            "status": "Failed",
            "error": {"code": outcome.code, "message": outcome.message},
            "summary": outcome.message,
        }
    else:
        result = {"status": "Succeeded", "outputs": run["outputs"], "variables": outcome.variables}
        if outcome.summary:
            result["summary"] = outcome.summary
        if outcome.revision:
            result["revision"] = outcome.revision
    engine.action_finished(execution, run["id"], result)
