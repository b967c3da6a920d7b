"""Checks one rule of a condition and keeps a record of it, as list-rule-executions shows."""

from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws.codebuild import sources
from embedded_aws.codepipeline import artifact_store, executions, variables
from embedded_aws.codepipeline.actions.action import Abandoned
from embedded_aws.codepipeline.records import Execution, RuleRun
from embedded_aws.codepipeline.rules import catalogue
from embedded_aws.codepipeline.rules.rule import Rule, RuleFailed
from embedded_aws.core import api, runtime
from embedded_aws.core.api import Json
from embedded_aws.iam import role_sessions

_FAULTS = (
    RuleFailed,
    ClientError,
    BotoCoreError,
    variables.VariableUnresolved,
    role_sessions.NotAuthorized,
    artifact_store.ArtifactUnavailable,
)


def begin(execution: Execution, stage: str, kind: str, declaration: Json) -> RuleRun:
    """Make and keep the record {id, ruleName, kind, status, summary, …} of a rule; listed as they begin."""
    record: RuleRun = {
        "id": api.new_id(),
        "pipelineExecutionId": execution["id"],
        "pipelineVersion": execution["pipelineVersion"],
        "stageName": stage,
        "ruleName": declaration["name"],
        "kind": kind,
        "declaration": declaration,
        "status": "InProgress",
        "start": api.now(),
        "updated": api.now(),
        "summary": "",
    }
    _keep(execution, record)
    return record


def check(execution: Execution, record: RuleRun) -> RuleRun:
    """Check a rule; return its record with `status` Succeeded, Failed or Abandoned."""
    try:
        _check(execution, record)
        record["status"] = "Succeeded"
    except Abandoned:
        record |= {
            "status": "Abandoned",
            "summary": "The execution was stopped, or the condition overridden.",
        }
    except _FAULTS as error:
        record |= {"status": "Failed", "summary": str(error)}
    except Exception as error:  # noqa: BLE001 - a fault of ours must fail the rule, not leave it in progress for ever
        record |= {"status": "Failed", "summary": f"{type(error).__name__}: {error}"}
    record["updated"] = api.now()
    _keep(execution, record)
    return record


def _keep(execution: Execution, record: RuleRun) -> None:
    runtime.current().store.put(executions.RULE_KIND, *executions.key(execution), record["id"], body=record)


def _check(execution: Execution, record: RuleRun) -> None:
    declaration = record["declaration"]
    record["configuration"] = variables.resolve(execution, declaration.get("configuration") or {})
    scope = executions.scope_of(execution)
    pipeline_role = execution["declaration"]["roleArn"]
    session = role_sessions.assume_for_service(
        scope, pipeline_role, "codepipeline.amazonaws.com", execution["id"]
    )
    region = declaration.get("region") or scope.region
    store = artifact_store.store_of(execution["declaration"], scope.region, session)
    folder = runtime.current().folder / "rules" / record["id"]

    def artifact(name: str) -> Path:
        target: Path = folder / "in" / name
        if not target.exists():
            archive = store.fetch(execution["artifacts"][name], folder / f"{name}.zip")
            target.mkdir(parents=True)
            sources.unpack(archive, target)
        return target

    rule = Rule(
        scope=scope,
        execution=execution,
        declaration=declaration,
        identifier=record["id"],
        configuration=record["configuration"],
        session=session.assume(declaration["roleArn"], record["id"], region)
        if declaration.get("roleArn")
        else session,
        folder=folder,
        artifacts=artifact,
    )
    try:
        catalogue.provider_of(declaration).check(rule)
    finally:
        rule.clean_up()
