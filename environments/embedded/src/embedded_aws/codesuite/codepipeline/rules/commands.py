"""Commands: https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-Commands.html."""

from embedded_aws.codesuite.codepipeline import command_run
from embedded_aws.codesuite.codepipeline.rules.rule import Rule, RuleFailed


def check(rule: Rule) -> None:
    """Run the commands; the rule holds when all succeed."""
    names = [artifact["name"] for artifact in rule.declaration.get("inputArtifacts") or []]
    done = command_run.run(
        command_run.Task(
            name=f"{rule.execution['pipelineName']}/{rule.identifier}",
            scope=rule.scope,
            execution=rule.execution,
            hands=rule.hands,
            commands=rule.declaration["commands"],
            sources={name: rule.artifacts(name) for name in names},
            folder=rule.folder,
            minutes=rule.declaration.get("timeoutInMinutes") or 60,
        )
    )
    if done.failure:
        raise RuleFailed(done.failure)
