"""What AWS refuses in a pipeline's declaration, beyond what the API's model says.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from collections.abc import Iterator

from embedded_aws.codepipeline import variables
from embedded_aws.codepipeline.actions import catalogue
from embedded_aws.codepipeline.rules import checking
from embedded_aws.core.api import ApiError, Json, Scope

_RESULTS = {
    "beforeEntry": {"FAIL", "SKIP"},
    "onSuccess": {"FAIL", "ROLLBACK"},
    "onFailure": {"ROLLBACK", "RETRY", "FAIL"},
}
_MOST_STAGES = 50
_V2_FEATURES = ("triggers", "variables")


def check(pipeline: Json, scope: Scope) -> None:
    """Refuse a declaration that AWS would refuse.

    Raises: ApiError: InvalidStructureException, InvalidStageDeclarationException or
    InvalidActionDeclarationException.
    """
    for problem in _structure(pipeline, scope.region):
        raise ApiError("InvalidStructureException", problem)
    for stage in pipeline["stages"]:
        for problem in _stage(pipeline, stage):
            raise ApiError("InvalidStageDeclarationException", problem)
        for action in stage["actions"]:
            for problem in catalogue.problems(action, scope.region):
                raise ApiError("InvalidActionDeclarationException", problem)
    for problem in (*_artifacts(pipeline), *_triggers(pipeline), *variables.reference_problems(pipeline)):
        raise ApiError("InvalidStructureException", problem)


def _structure(pipeline: Json, region: str) -> Iterator[str]:
    stages = pipeline["stages"]
    if len(stages) < 2:  # noqa: PLR2004 - the documented minimum
        yield f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
    for number, stage in enumerate(stages):
        sources = [action["actionTypeId"]["category"] == "Source" for action in stage["actions"]]
        if number == 0 and not all(sources):
            yield "Pipeline should start with a stage that only contains source actions"
        if number and any(sources):
            yield f"Only the first stage may contain source actions; stage {stage['name']} does"
    yield from _twice([stage["name"] for stage in stages], "stage name")
    yield from _twice(list(variables.namespaces(pipeline)), "namespace")
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        yield "Either artifactStore or artifactStores is required, not both"
    if len(stages) > _MOST_STAGES:
        yield f"Pipeline has {len(stages)} stages. There should be a maximum of {_MOST_STAGES} in a pipeline"
    yield from _regions(pipeline, region)
    yield from _version_two(pipeline)


def _regions(pipeline: Json, home: str) -> Iterator[str]:
    """Actions in other regions need an artifact store in each of these."""
    used = {action.get("region") or home for stage in pipeline["stages"] for action in stage["actions"]}
    stores = set(pipeline.get("artifactStores") or {home: None})
    for region in sorted(used - stores):
        yield f"The pipeline has actions in {region} and no artifact store there (artifactStores)"


def _version_two(pipeline: Json) -> Iterator[str]:
    if pipeline["pipelineType"] == "V2":
        if pipeline["executionMode"] == "PARALLEL" and any(
            _rolls_back(stage) for stage in pipeline["stages"]
        ):
            yield "Stage rollback is not available for pipelines in PARALLEL mode"
        return
    used = [name for name in _V2_FEATURES if pipeline.get(name)]
    used += [kind for stage in pipeline["stages"] for kind in _RESULTS if stage.get(kind)]
    used += ["executionMode"] if pipeline["executionMode"] != "SUPERSEDED" else []
    used += [
        a["name"]
        for stage in pipeline["stages"]
        for a in stage["actions"]
        if a["actionTypeId"]["provider"] == "Commands"
    ]
    if used:
        yield f"{', '.join(used)} can only be used in a pipeline of type V2"


def _rolls_back(stage: Json) -> bool:
    results = [(stage.get("onFailure") or {}).get("result")]
    for kind in ("onFailure", "onSuccess"):
        results += [condition.get("result") for condition in (stage.get(kind) or {}).get("conditions", [])]
    return "ROLLBACK" in results


def _stage(pipeline: Json, stage: Json) -> Iterator[str]:
    if not stage["actions"]:
        yield f"Stage {stage['name']} has no actions"
    yield from _twice(
        [action["name"] for action in stage["actions"]], f"action name in stage {stage['name']}"
    )
    if stage is pipeline["stages"][0] and (_rolls_back(stage) or stage.get("beforeEntry")):
        yield f"Source stage {stage['name']} cannot be rolled back and has no entry conditions"
    for kind, allowed in _RESULTS.items():
        for condition in (stage.get(kind) or {}).get("conditions", []):
            if condition.get("result", "FAIL") not in allowed:
                yield f"Stage {stage['name']}: {kind} conditions cannot have result {condition['result']}"
            for rule in condition.get("rules", []):
                yield from checking.problems(rule, stage["name"])
                provider = rule["ruleTypeId"]["provider"]
                if condition.get("result") == "SKIP" and provider not in checking.SKIPPING:
                    skipping = ", ".join(sorted(checking.SKIPPING))
                    yield f"Stage {stage['name']}: a condition with result SKIP takes only {skipping}"


def _artifacts(pipeline: Json) -> Iterator[str]:
    """An artifact is made once, and before an action or a rule reads it."""
    made: set[str] = set()
    for stage in pipeline["stages"]:
        yield from _unmade(stage, "beforeEntry", made)
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action["runOrder"] == order]
            for action in group:
                for name in (artifact["name"] for artifact in action["inputArtifacts"]):
                    if name not in made:
                        yield f"Input artifact {name} of action {action['name']} is made by no earlier one"
            for name in (artifact["name"] for action in group for artifact in action["outputArtifacts"]):
                if name in made:
                    yield f"UploadArtifact name {name} must be unique within the pipeline"
                made.add(name)
        for kind in ("onSuccess", "onFailure"):
            yield from _unmade(stage, kind, made)


def _unmade(stage: Json, kind: str, made: set[str]) -> Iterator[str]:
    for condition in (stage.get(kind) or {}).get("conditions", []):
        for rule in condition.get("rules", []):
            for name in (artifact["name"] for artifact in rule.get("inputArtifacts") or []):
                if name not in made:
                    yield f"Input artifact {name} of rule {rule['name']} is made by no earlier action"


def _triggers(pipeline: Json) -> Iterator[str]:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html."""
    connected = {
        action["name"]
        for action in pipeline["stages"][0]["actions"]
        if action["actionTypeId"]["provider"] == "CodeStarSourceConnection"
    }
    for trigger in pipeline.get("triggers", []):
        git = trigger["gitConfiguration"]
        if git["sourceActionName"] not in connected:
            yield f"Trigger source action {git['sourceActionName']} is not a source action with a connection"
        for push in git.get("push", []):
            if "tags" in push and ("branches" in push or "filePaths" in push):
                yield "A push filter takes tags, or branches and file paths, but not both"


def _twice(names: list[str], what: str) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Duplicate {what}: {name}"
