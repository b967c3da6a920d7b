"""CodePipeline's closed lists of words, typed here because troposphere takes any string for them.

Source: CodePipeline API reference, data types PipelineDeclaration, ActionTypeId, Condition and
FailureConditions; the action reference pages for the words of one provider.
"""

from __future__ import annotations

from enum import StrEnum


class PipelineType(StrEnum):
    """What a pipeline can do; everything of today needs V2."""

    V2 = "V2"


class ExecutionMode(StrEnum):
    """What happens when an execution starts while another runs."""

    QUEUED = "QUEUED"
    SUPERSEDED = "SUPERSEDED"
    PARALLEL = "PARALLEL"


class Category(StrEnum):
    """What kind of thing an action does."""

    SOURCE = "Source"
    BUILD = "Build"
    DEPLOY = "Deploy"
    INVOKE = "Invoke"
    APPROVAL = "Approval"


class ActionProvider(StrEnum):
    """Who does it; each has a page in the action structure reference."""

    CONNECTION = "CodeStarSourceConnection"
    CODEBUILD = "CodeBuild"
    CLOUDFORMATION = "CloudFormation"
    STEP_FUNCTIONS = "StepFunctions"
    MANUAL = "Manual"


class ActionMode(StrEnum):
    """What the CloudFormation action does with a stack."""

    CHANGE_SET_REPLACE = "CHANGE_SET_REPLACE"
    CHANGE_SET_EXECUTE = "CHANGE_SET_EXECUTE"
    REPLACE_ON_FAILURE = "REPLACE_ON_FAILURE"
    DELETE_ONLY = "DELETE_ONLY"


class RuleProvider(StrEnum):
    """What a condition asks."""

    CLOUDWATCH_ALARM = "CloudWatchAlarm"
    DEPLOYMENT_WINDOW = "DeploymentWindow"
    VARIABLE_CHECK = "VariableCheck"


class EntryResult(StrEnum):
    """What becomes of an execution whose entry condition does not hold."""

    FAIL = "FAIL"
    SKIP = "SKIP"


class SuccessResult(StrEnum):
    """What becomes of a stage that succeeded but whose condition does not hold."""

    FAIL = "FAIL"
    ROLLBACK = "ROLLBACK"


class FailureResult(StrEnum):
    """What becomes of a stage that failed."""

    ROLLBACK = "ROLLBACK"
