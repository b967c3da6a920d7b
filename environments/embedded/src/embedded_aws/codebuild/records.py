"""Records of builds, as BatchGetBuilds returns them."""

from embedded_aws.core import api, runtime
from embedded_aws.core.api import Json, Scope

_KIND = "codebuild-build"


def find(scope: Scope, name: str) -> Json | None:
    """Read a build by id or ARN."""
    return runtime.current().store.get(_KIND, scope.account, scope.region, name.rpartition("build/")[2])


def keep(scope: Scope, build: Json) -> None:
    """Write a build's record."""
    runtime.current().store.put(_KIND, scope.account, scope.region, build["id"], body=build)


def keep_running(scope: Scope, build: Json) -> None:
    """Write the record of a build that runs; whether its stop was requested meanwhile is read first."""
    with runtime.current().store.transaction():
        build["stopRequested"] = stop_requested(scope, build["id"])
        keep(scope, build)


def stop_requested(scope: Scope, name: str) -> bool:
    """Tell whether somebody asked for a build's stop."""
    return bool((find(scope, name) or {}).get("stopRequested", False))


def every(scope: Scope) -> list[Json]:
    """Read all builds, as `BatchGetBuilds` shows them, oldest first."""
    return runtime.current().store.all(_KIND, scope.account, scope.region)


def forget(scope: Scope, name: str) -> None:
    """Remove a build's record."""
    runtime.current().store.delete(_KIND, scope.account, scope.region, name)


def fault_unfinished() -> None:
    """Tell of the builds that ran when the embedded AWS ended: nothing runs them any more."""
    store = runtime.current().store
    for build in store.all(_KIND):
        if not build["buildComplete"]:
            account, region = build["arn"].split(":")[4], build["arn"].split(":")[3]
            context = {"statusCode": "FAULT", "message": "The embedded AWS was stopped while this build ran."}
            for phase in build["phases"][-1:]:
                phase |= {"phaseStatus": "FAULT", "endTime": api.now(), "contexts": [context]}
            build |= {
                "buildStatus": "FAULT",
                "buildComplete": True,
                "endTime": api.now(),
                "currentPhase": "COMPLETED",
            }
            keep(Scope(account, region), build)
