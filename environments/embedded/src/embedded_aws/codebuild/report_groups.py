"""Report groups."""

from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope

_KIND = "codebuild-report-group"


def create(scope: Scope, request: Json) -> Json:
    """CreateReportGroup.

    Raises:
        ApiError: There is one of this name.
    """
    arn = scope.arn("codebuild", f"report-group/{request['name']}")
    with runtime.current().store.transaction():
        if find(arn):
            raise ApiError("ResourceAlreadyExistsException", f"Report group already exists: {arn}")
        group = {
            **request,
            "arn": arn,
            "created": api.now(),
            "lastModified": api.now(),
            "status": "ACTIVE",
        }
        runtime.current().store.put(_KIND, scope.account, scope.region, arn, body=group)
    return {"reportGroup": group}


def update(scope: Scope, request: Json) -> Json:
    """UpdateReportGroup.

    Raises:
        ApiError: There is no such report group.
    """
    group = find(request["arn"])
    if group is None:
        raise ApiError("ResourceNotFoundException", f"Report group not found: {request['arn']}")
    group |= {name: request[name] for name in ("exportConfig", "tags") if name in request}
    group["lastModified"] = api.now()
    runtime.current().store.put(_KIND, scope.account, scope.region, group["arn"], body=group)
    return {"reportGroup": group}


def delete(scope: Scope, request: Json) -> Json:
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
        store.delete(_KIND, scope.account, scope.region, request["arn"])
    return {}


def batch_get(_scope: Scope, request: Json) -> Json:
    """BatchGetReportGroups."""
    groups = {arn: find(arn) for arn in request["reportGroupArns"]}
    return {
        "reportGroups": [group for group in groups.values() if group],
        "reportGroupsNotFound": [arn for arn, group in groups.items() if not group],
    }


def listing(scope: Scope, request: Json) -> Json:
    """ListReportGroups."""
    arns = [group["arn"] for group in runtime.current().store.all(_KIND, scope.account, scope.region)]
    return api.page("reportGroups", arns, request, refusal="InvalidInputException")


def find(arn: str) -> Json | None:
    """Read a report group, as `BatchGetReportGroups` shows it."""
    _, _, _, region, account, _ = arn.split(":", 5)
    return runtime.current().store.get(_KIND, account, region, arn)
