"""The rule providers that are emulated.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from embedded_aws.codepipeline.rules import providers
from embedded_aws.codepipeline.rules.rule import Rule
from embedded_aws.core.api import Json

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
