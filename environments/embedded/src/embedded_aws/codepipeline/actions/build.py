"""CodeBuild: a build of a project over the input artifacts.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

import json
from collections.abc import Mapping
from typing import Any

from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.codepipeline.records import Location
from embedded_aws.core.api import Json


def perform(action: Action) -> Outcome:
    """Start a build and wait for it.

    Raises:
        ActionFailed: The build cannot be started, or did not succeed.
    """
    names = [artifact["name"] for artifact in action.declaration["inputArtifacts"]]
    token = f"codepipeline/{action.execution['pipelineName']}/{action.identifier}"
    try:
        asked = request(action.configuration, {name: action.input_location(name) for name in names}, token)
    except ValueError as error:
        raise ActionFailed(str(error), "InvalidConfiguration") from None
    build = action.call("codebuild", "start_build", **asked, **_outputs(action))["build"]
    action.report(externalExecutionId=build["id"], externalExecutionUrl=build["logs"]["deepLink"])
    finished: Json = action.until(lambda: _finished(action, build["id"]))
    if finished["buildStatus"] != "SUCCEEDED":
        raise ActionFailed(reason(finished))
    declared = [artifact["name"] for artifact in action.declaration["outputArtifacts"]]
    made = [finished["artifacts"], *finished.get("secondaryArtifacts", [])] if declared else []
    for name, artifact in zip(declared, made[-len(declared) :], strict=True):
        bucket, _, key = artifact["location"].removeprefix("arn:aws:s3:::").partition("/")
        action.add_output(name, {"bucket": bucket, "key": key})
    exported = finished.get("exportedEnvironmentVariables", [])
    return Outcome(variables={each["name"]: each["value"] for each in exported})


def _finished(action: Action, identifier: str) -> Json | None:
    current: Json = action.call("codebuild", "batch_get_builds", ids=[identifier])["builds"][0]
    return current if current["buildComplete"] else None


def request(settings: Json, inputs: Mapping[str, Location], token: str) -> Json:
    """Make StartBuild's request of an action's or a rule's configuration, but for what becomes of its output.

    Args:
        settings: the configuration, resolved.
        inputs: where the input artifacts are in S3, by name.
        token: so that asking twice starts one build.

    Raises:
        ValueError: the configuration asks for what is wrong or not emulated.
    """
    if settings.get("BatchEnabled", "false") == "true":
        raise ValueError("Batch builds are not emulated here.")
    spec = settings.get("BuildspecOverride")
    return {
        "projectName": settings["ProjectName"],
        "idempotencyToken": token,
        "environmentVariablesOverride": _variables(settings.get("EnvironmentVariables") or "[]"),
        **_sources(settings, inputs),
        **({"buildspecOverride": spec} if spec else {}),
    }


def _variables(text: str) -> list[Json]:
    try:
        variables: list[Json] = json.loads(text)
    except ValueError as error:
        raise ValueError(f"EnvironmentVariables is not JSON: {error}") from None
    if not isinstance(variables, list) or not all(isinstance(v, dict) and "name" in v for v in variables):
        raise ValueError("EnvironmentVariables is not a list of objects with a name and a value")
    return variables


def _sources(settings: Json, inputs: Mapping[str, Location]) -> Json:
    names = list(inputs)
    primary = settings.get("PrimarySource") or names[0]
    if primary not in names or (len(names) > 1 and "PrimarySource" not in settings):
        raise ValueError("PrimarySource must name one of the input artifacts")
    places = {name: f"{location['bucket']}/{location['key']}" for name, location in inputs.items()}
    return {
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": places.pop(primary),
        "secondarySourcesOverride": [
            {"type": "S3", "location": place, "sourceIdentifier": name} for name, place in places.items()
        ],
    }


def _outputs(action: Action) -> dict[str, Any]:
    """One output is the build's primary artifact, several are its secondary ones by name."""
    names = [artifact["name"] for artifact in action.declaration["outputArtifacts"]]
    targets = [_target(action, name) for name in names]
    if len(targets) == 1:
        return {"artifactsOverride": targets[0], "secondaryArtifactsOverride": []}
    named = [target | {"artifactIdentifier": name} for target, name in zip(targets, names, strict=True)]
    return {"artifactsOverride": {"type": "NO_ARTIFACTS"}, "secondaryArtifactsOverride": named}


def _target(action: Action, name: str) -> dict[str, Any]:
    location = action.store.location(action.execution["pipelineName"], name)
    path, _, last = location["key"].rpartition("/")
    return {"type": "S3", "location": location["bucket"], "path": path, "name": last, "packaging": "ZIP"}


def reason(build: Json) -> str:
    """Say why a build did not succeed."""
    failed = [phase for phase in build["phases"] if phase.get("phaseStatus") not in ("SUCCEEDED", None)]
    context = ((failed or [{}])[0].get("contexts") or [{}])[0]
    phase = (failed or [{"phaseType": build["currentPhase"]}])[0]["phaseType"]
    return (
        f"Build terminated with state: {build['buildStatus']}. Phase: {phase}, "
        f"Code: {context.get('statusCode', '')}, Message: {context.get('message', '')}"
    )
