"""The rule providers that are emulated; and one rule of a condition, checked, with its record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws.codebuild import sources
from embedded_aws.codepipeline import artifact_store, executions, variables
from embedded_aws.codepipeline.actions.action import Abandoned
from embedded_aws.codepipeline.records import Execution, RuleRun
from embedded_aws.codepipeline.rules import providers
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
        provider_of(declaration).check(rule)
    finally:
        rule.clean_up()


SKIPPING = frozenset({"LambdaInvoke", "VariableCheck"})
"""The rules that an entry condition with the result SKIP may have; each rule's page says so in a note."""


@dataclass(frozen=True, slots=True)
class RuleProvider:
    """One rule provider.

    Attributes:
        inputs: how many input artifacts it needs at least.
    """

    check: Callable[[Rule], None]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    inputs: int = 0


_PROVIDERS = {
    "CloudWatchAlarm": RuleProvider(
        providers.watch_alarm, frozenset({"AlarmName"}), frozenset({"AlarmStates", "WaitTime"})
    ),
    "CodeBuild": RuleProvider(
        providers.run_build,
        frozenset({"ProjectName"}),
        frozenset({"BatchEnabled", "CombineArtifacts", "EnvironmentVariables", "PrimarySource"}),
        inputs=1,
    ),
    "Commands": RuleProvider(providers.run_commands),
    "DeploymentWindow": RuleProvider(providers.await_window, frozenset({"Cron"}), frozenset({"TimeZone"})),
    "LambdaInvoke": RuleProvider(
        providers.invoke_function, frozenset({"FunctionName"}), frozenset({"UserParameters"})
    ),
    "VariableCheck": RuleProvider(providers.compare_variable, frozenset({"Variable", "Value", "Operator"})),
}


def provider_of(rule: Json) -> RuleProvider:
    """Return the provider of a declared rule, which was checked when it was declared."""
    return _PROVIDERS[rule["ruleTypeId"]["provider"]]


def problems(rule: Json, stage: str) -> Iterator[str]:
    """Say what AWS would refuse in a rule's declaration."""
    name = rule["ruleTypeId"]["provider"]
    provider = _PROVIDERS.get(name)
    if provider is None:
        emulated = ", ".join(sorted(_PROVIDERS))
        yield f"Stage {stage}: rule provider {name} is not available (emulated here: {emulated})"
        return
    keys = set(rule.get("configuration") or {})
    for key in sorted(provider.required - keys):
        yield f"Stage {stage}: rule {rule['name']} is missing required configuration '{key}'"
    for key in sorted(keys - provider.required - provider.optional):
        yield f"Stage {stage}: rule {rule['name']} contains unknown configuration '{key}'"
    if len(rule.get("inputArtifacts") or []) < provider.inputs:
        yield f"Stage {stage}: rule {rule['name']} has no input artifact"
    if name == "Commands" and not rule.get("commands"):
        yield f"Stage {stage}: rule {rule['name']} has no commands"
