"""CodeBuild: https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CodeBuild.html."""

from embedded_aws.codesuite.codepipeline.actions import build
from embedded_aws.codesuite.codepipeline.rules.rule import Rule, RuleFailed
from embedded_aws.codesuite.scope import Json

_MINUTES = 60


def check(rule: Rule) -> None:
    """Run a build over the input artifacts; the rule holds when it succeeds."""
    names = [artifact["name"] for artifact in rule.declaration.get("inputArtifacts") or []]
    inputs = {name: rule.location(name) for name in names}
    token = f"codepipeline/{rule.execution['pipelineName']}/{rule.identifier}"
    try:
        asked = build.request(rule.configuration, inputs, token)
    except ValueError as error:
        raise RuleFailed(str(error)) from None
    codebuild = rule.hands.client("codebuild")
    kept = {"artifactsOverride": {"type": "NO_ARTIFACTS"}, "secondaryArtifactsOverride": []}
    started = codebuild.start_build(**asked, **kept)["build"]["id"]

    def ended() -> Json | None:
        found: Json = codebuild.batch_get_builds(ids=[started])["builds"][0]
        return found if found["buildComplete"] else None

    minutes = rule.declaration.get("timeoutInMinutes") or _MINUTES
    finished = rule.wait(minutes, ended)
    if finished is None:
        raise RuleFailed(f"Build {started} did not end within {minutes} minutes")
    if finished["buildStatus"] != "SUCCEEDED":
        raise RuleFailed(build.reason(finished))
