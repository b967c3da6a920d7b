"""What is kept of pipelines, executions, actions and rules: the shapes of the stored documents."""

from typing import Any, NotRequired, TypedDict

from embedded_aws.core.api import Json


class Location(TypedDict):
    """Where an artifact is in S3."""

    bucket: str
    key: str


class Artifact(TypedDict):
    """An artifact that an action read or made."""

    name: str
    s3location: Location


class PipelineRecord(TypedDict):
    """A pipeline.

    Attributes:
        pipeline: its declaration, with the version.
        transitions: by stage, those into it that somebody disabled or enabled.
    """

    account: str
    region: str
    pipeline: Json
    created: float
    updated: float
    tags: list[dict[str, str]]
    transitions: dict[str, Json]


class RuleRun(TypedDict):
    """One check of one rule of a condition.

    Attributes:
        kind: of the condition: beforeEntry, onSuccess or onFailure.
        declaration: the rule as the pipeline declares it.
        configuration: with all variables resolved.
    """

    id: str
    pipelineExecutionId: str
    pipelineVersion: int
    stageName: str
    ruleName: str
    kind: str
    declaration: Json
    configuration: NotRequired[dict[str, str]]
    status: str
    start: float
    updated: float
    summary: str


class ConditionState(TypedDict):
    """How a condition of a stage stands."""

    status: str
    lastStatusChange: float
    rules: list[RuleRun]
    summary: NotRequired[str]


class RetryMetadata(TypedDict, total=False):
    """How often a stage was retried, and by whom last."""

    autoStageRetryAttempt: int
    manualStageRetryAttempt: int
    latestRetryTrigger: str


class StageRun(TypedDict):
    """An execution's run of one stage.

    Attributes:
        phase: waiting, before, actions, success, failure or done.
        actions: the id of the latest action execution of each action that began, by the action's name.
        since: when the execution came to wait for the stage.
        entered: a number that grows with every entry into a stage.
        conditionFailure: why the stage failed, when its success condition did not hold.
    """

    status: str | None
    phase: str
    actions: dict[str, str]
    conditions: dict[str, ConditionState]
    retry: RetryMetadata
    since: float
    entered: NotRequired[int]
    ended: NotRequired[float]
    conditionFailure: NotRequired[str]


class Execution(TypedDict):
    """A pipeline execution.

    Attributes:
        declaration: the pipeline as it was when the execution began, which it keeps.
        type: STANDARD or ROLLBACK.
        order: when it began, in nanoseconds: no two are alike.
        overrides: source revisions to use instead of the newest.
        push: the action, branch and commit of the push that started it.
        revisions: what the source actions fetched.
        stage: the place of the stage that it is in or waits for.
        runs: of the stages that it came to, by their names.
    """

    id: str
    account: str
    region: str
    pipelineName: str
    pipelineVersion: int
    declaration: Json
    mode: str
    type: str
    checksConditions: bool
    rollbackTarget: str | None
    status: str
    statusSummary: NotRequired[str]
    stopTrigger: NotRequired[dict[str, str]]
    supersededBy: NotRequired[str]
    start: float
    order: int
    updated: float
    trigger: dict[str, str]
    variables: dict[str, str]
    overrides: list[Json]
    push: dict[str, str] | None
    revisions: list[Json]
    artifacts: dict[str, Location]
    namespaces: dict[str, dict[str, str]]
    stage: int
    runs: dict[str, StageRun]


class ActionResult(TypedDict, total=False):
    """What an action execution ends with; `status` at least."""

    status: str
    error: dict[str, str]
    summary: str
    updatedBy: str
    outputs: list[Artifact]
    variables: dict[str, str]
    revision: Json


class Progress(TypedDict, total=False):
    """What an action shows of itself while it is under way."""

    externalExecutionId: str
    externalExecutionUrl: str
    summary: str


class ActionRun(TypedDict):
    """One attempt of an action in an execution.

    Attributes:
        declaration: the action as the pipeline declares it.
        configuration: with all variables resolved.
        token: of an approval that waits, until `expires`.
    """

    id: str
    account: str
    region: str
    pipelineName: str
    pipelineExecutionId: str
    pipelineVersion: int
    stageName: str
    actionName: str
    declaration: Json
    configuration: NotRequired[dict[str, Any]]
    status: str
    start: float
    updated: float
    ended: NotRequired[float]
    inputs: list[Artifact]
    outputs: list[Artifact]
    variables: dict[str, str]
    error: NotRequired[dict[str, str]]
    summary: NotRequired[str]
    updatedBy: NotRequired[str]
    externalExecutionId: NotRequired[str]
    externalExecutionUrl: NotRequired[str]
    token: NotRequired[str]
    expires: NotRequired[float]
    revision: NotRequired[Json]
