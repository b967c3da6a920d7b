"""What builds are configured by: build projects, and the report groups that their reports go to."""

from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.iam import role_sessions

_KIND = "codebuild-project"


def create(scope: Scope, request: Json) -> Json:
    """CreateProject.

    Raises:
        ApiError: There is one of this name.
    """
    store = runtime.current().store
    request = request | {"serviceRole": role_sessions.role_arn(scope, request["serviceRole"])}
    role_sessions.check_trust(scope, request["serviceRole"], "CodeBuild", "InvalidInputException")
    with store.transaction():
        if store.get(_KIND, scope.account, scope.region, request["name"]):
            arn = scope.arn("codebuild", f"project/{request['name']}")
            raise ApiError("ResourceAlreadyExistsException", f"Project already exists: {arn}")
        project = _completed(scope, {"created": api.now()}, request)
        _put(scope, project)
    return {"project": project}


def update(scope: Scope, request: Json) -> Json:
    """UpdateProject: what is not named stays as it is."""
    if request.get("serviceRole"):
        request = request | {"serviceRole": role_sessions.role_arn(scope, request["serviceRole"])}
    with runtime.current().store.transaction():
        project = _completed(scope, find(scope, request["name"]), request)
        _put(scope, project)
    return {"project": project}


def delete(scope: Scope, request: Json) -> Json:
    """DeleteProject: builds stay, as on AWS; deleting what is not there is no error."""
    runtime.current().store.delete(_KIND, scope.account, scope.region, _name(request["name"]))
    return {}


def batch_get(scope: Scope, request: Json) -> Json:
    """BatchGetProjects."""
    store = runtime.current().store
    projects = {name: store.get(_KIND, scope.account, scope.region, _name(name)) for name in request["names"]}
    return {
        "projects": [project for project in projects.values() if project],
        "projectsNotFound": [name for name, project in projects.items() if not project],
    }


def listing(scope: Scope, request: Json) -> Json:
    """ListProjects."""
    records = runtime.current().store.all(_KIND, scope.account, scope.region)
    names = sorted(project["name"] for project in records)
    return api.page("projects", names, request, refusal="InvalidInputException")


def find(scope: Scope, name: str) -> Json:
    """Read a project by name or ARN.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    project = runtime.current().store.get(_KIND, scope.account, scope.region, _name(name))
    if project is None:
        arn = scope.arn("codebuild", f"project/{_name(name)}")
        raise ApiError("ResourceNotFoundException", f"Project cannot be found: {arn}")
    return project


def _name(name_or_arn: str) -> str:
    return name_or_arn.rpartition("project/")[2]


def _put(scope: Scope, project: Json) -> None:
    runtime.current().store.put(_KIND, scope.account, scope.region, project["name"], body=project)


def _completed(scope: Scope, before: Json, request: Json) -> Json:
    project = {**_DEFAULTS, **before, **{key: value for key, value in request.items() if value is not None}}
    project["arn"] = scope.arn("codebuild", f"project/{project['name']}")
    project["lastModified"] = api.now()
    project.setdefault("encryptionKey", f"arn:aws:kms:{scope.region}:{scope.account}:alias/aws/s3")
    return project


_DEFAULTS: Json = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
    "secondarySources": [],
    "secondaryArtifacts": [],
    "tags": [],
    "badge": {"badgeEnabled": False},
}


_GROUP = "codebuild-report-group"


def create_group(scope: Scope, request: Json) -> Json:
    """CreateReportGroup.

    Raises:
        ApiError: There is one of this name.
    """
    arn = scope.arn("codebuild", f"report-group/{request['name']}")
    with runtime.current().store.transaction():
        if find_group(arn):
            raise ApiError("ResourceAlreadyExistsException", f"Report group already exists: {arn}")
        group = {
            **request,
            "arn": arn,
            "created": api.now(),
            "lastModified": api.now(),
            "status": "ACTIVE",
        }
        runtime.current().store.put(_GROUP, scope.account, scope.region, arn, body=group)
    return {"reportGroup": group}


def update_group(scope: Scope, request: Json) -> Json:
    """UpdateReportGroup.

    Raises:
        ApiError: There is no such report group.
    """
    group = find_group(request["arn"])
    if group is None:
        raise ApiError("ResourceNotFoundException", f"Report group not found: {request['arn']}")
    group |= {name: request[name] for name in ("exportConfig", "tags") if name in request}
    group["lastModified"] = api.now()
    runtime.current().store.put(_GROUP, scope.account, scope.region, group["arn"], body=group)
    return {"reportGroup": group}


def delete_group(scope: Scope, request: Json) -> Json:
    """DeleteReportGroup; the reports go with it only when asked, as on AWS.

    Raises:
        ApiError: It holds reports, and they are not to go with it.
    """
    store = runtime.current().store
    with store.transaction():
        reports = store.all("codebuild-report", scope.account, scope.region, request["arn"])
        if reports and not request.get("deleteReports"):
            raise ApiError(
                "InvalidInputException", "The report group contains reports; delete them or set deleteReports"
            )
        store.delete("codebuild-report", scope.account, scope.region, request["arn"])
        store.delete(_GROUP, scope.account, scope.region, request["arn"])
    return {}


def batch_get_groups(_scope: Scope, request: Json) -> Json:
    """BatchGetReportGroups."""
    groups = {arn: find_group(arn) for arn in request["reportGroupArns"]}
    return {
        "reportGroups": [group for group in groups.values() if group],
        "reportGroupsNotFound": [arn for arn, group in groups.items() if not group],
    }


def list_groups(scope: Scope, request: Json) -> Json:
    """ListReportGroups."""
    arns = [group["arn"] for group in runtime.current().store.all(_GROUP, scope.account, scope.region)]
    return api.page("reportGroups", arns, request, refusal="InvalidInputException")


def find_group(arn: str) -> Json | None:
    """Read a report group, as `BatchGetReportGroups` shows it."""
    _, _, _, region, account, _ = arn.split(":", 5)
    return runtime.current().store.get(_GROUP, account, region, arn)
