"""Builds: their records, and the calls that start, stop and show them."""

import json
from typing import Any

from embedded_aws.codebuild import projects, records, runner
from embedded_aws.core import api, background, runtime
from embedded_aws.core.api import ApiError, Json, Scope

_OVERRIDES = {
    "artifactsOverride": ("artifacts",),
    "secondaryArtifactsOverride": ("secondaryArtifacts",),
    "secondarySourcesOverride": ("secondarySources",),
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"),
    "environmentTypeOverride": ("environment", "type"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "cacheOverride": ("cache",),
    "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",),
    "encryptionKeyOverride": ("encryptionKey",),
    "logsConfigOverride": ("logsConfig",),
    "sourceVersion": ("sourceVersion",),
}
_ACCEPTED = {*_OVERRIDES, "projectName", "idempotencyToken", "environmentVariablesOverride"}
_COPIED = (
    "source",
    "secondarySources",
    "artifacts",
    "secondaryArtifacts",
    "environment",
    "cache",
    "serviceRole",
    "timeoutInMinutes",
    "queuedTimeoutInMinutes",
    "encryptionKey",
    "logsConfig",
    "sourceVersion",
)


def start(scope: Scope, request: Json) -> Json:
    """StartBuild. The same idempotency token answers with the same build.

    Raises:
        ApiError: It names what is not emulated.
    """
    unknown = sorted(set(request) - _ACCEPTED)
    if unknown:
        raise ApiError("InvalidInputException", f"{', '.join(unknown)} of StartBuild is not emulated here.")
    store = runtime.current().store
    with store.transaction():
        token = request.get("idempotencyToken")
        earlier = store.get("codebuild-token", scope.account, scope.region, token) if token else None
        if earlier:
            return {"build": records.find(scope, earlier["id"])}
        build = _build(scope, projects.find(scope, request["projectName"]), request)
        records.keep(scope, build)
        if token:
            store.put("codebuild-token", scope.account, scope.region, token, body={"id": build["id"]})
        store.after_commit(
            lambda: background.start(f"build-{build['id']}", lambda: runner.run(scope, build["id"]))
        )
    return {"build": build}


def _build(scope: Scope, project: Json, request: Json) -> Json:
    build: Json = json.loads(json.dumps({name: project[name] for name in _COPIED if name in project}))
    if request.get("sourceTypeOverride"):
        build.pop("sourceVersion", None)  # it names a version of the project's own source
    for name, place in _OVERRIDES.items():
        if request.get(name) is not None:
            _set(build, place, request[name])
    variables = {
        variable["name"]: variable for variable in build["environment"].get("environmentVariables", [])
    }
    variables |= {variable["name"]: variable for variable in request.get("environmentVariablesOverride", [])}
    build["environment"]["environmentVariables"] = list(variables.values())
    number = len(of_project(scope, project["name"])) + 1
    name, unique = project["name"], api.new_id()
    token = request.get("idempotencyToken") or ""
    return build | {
        "id": f"{name}:{unique}",
        "arn": scope.arn("codebuild", f"build/{name}:{unique}"),
        "buildNumber": number,
        "startTime": api.now(),
        "currentPhase": "SUBMITTED",
        "buildStatus": "IN_PROGRESS",
        "buildComplete": False,
        "projectName": name,
        # CodePipeline says who it is in the token, since StartBuild has no place for it.
        "initiator": token.rpartition("/")[0]
        if token.startswith("codepipeline/")
        else f"{scope.account}/user",
        "phases": [],
        "exportedEnvironmentVariables": [],
        "reportArns": [],
        "logs": _logs(scope, project, name, unique),
    }


def _logs(scope: Scope, project: Json, name: str, unique: str) -> Json:
    watched = (project.get("logsConfig") or {}).get("cloudWatchLogs") or {}
    group = watched.get("groupName") or f"/aws/codebuild/{name}"
    stream = f"{watched['streamName']}/{unique}" if watched.get("streamName") else unique
    return {
        "groupName": group,
        "streamName": stream,
        "cloudWatchLogsArn": scope.arn("logs", f"log-group:{group}:log-stream:{stream}"),
        "deepLink": f"https://console.aws.amazon.com/cloudwatch/home?region={scope.region}"
        f"#logsV2:log-groups/log-group/{group.replace('/', '$252F')}/log-events/{stream}",
        "cloudWatchLogs": {"status": watched.get("status", "ENABLED")},
    }


def _set(build: Json, place: tuple[str, ...], value: Any) -> None:
    if len(place) == 1:
        build[place[0]] = value
    else:
        build.setdefault(place[0], {})[place[1]] = value


def stop(scope: Scope, request: Json) -> Json:
    """StopBuild.

    Raises:
        ApiError: There is no such build.
    """
    store = runtime.current().store
    with store.transaction():
        build = records.find(scope, request["id"])
        if build is None:
            raise ApiError("ResourceNotFoundException", f"Build cannot be found: {request['id']}")
        if not build["buildComplete"]:
            build["stopRequested"] = True
            records.keep(scope, build)
    return {"build": build}


def batch_get(scope: Scope, request: Json) -> Json:
    """BatchGetBuilds."""
    builds = {name: records.find(scope, name) for name in request["ids"]}
    return {
        "builds": [build for build in builds.values() if build],
        "buildsNotFound": [name for name, build in builds.items() if not build],
    }


def listing(scope: Scope, request: Json) -> Json:
    """ListBuilds."""
    return _page(records.every(scope), request)


def listing_of_project(scope: Scope, request: Json) -> Json:
    """ListBuildsForProject."""
    projects.find(scope, request["projectName"])
    return _page(of_project(scope, request["projectName"]), request)


def of_project(scope: Scope, name: str) -> list[Json]:
    """Read the builds of a project, as `BatchGetBuilds` shows them, oldest first."""
    return [build for build in records.every(scope) if build["projectName"] == name]


def _page(builds: list[Json], request: Json) -> Json:
    """Newest first, unless asked otherwise."""
    ids = [build["id"] for build in builds]
    ordered = ids if request.get("sortOrder") == "ASCENDING" else ids[::-1]
    return api.page("ids", ordered, request, refusal="InvalidInputException")


def delete(scope: Scope, request: Json) -> Json:
    """BatchDeleteBuilds."""
    for name in request["ids"]:
        records.forget(scope, name)
    return {"buildsDeleted": request["ids"], "buildsNotDeleted": []}
