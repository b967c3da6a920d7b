"""The operations of CodePipeline."""

from embedded_aws.codepipeline import (
    approvals_and_transitions,
    control,
    history,
    jobs,
    pipelines,
    stage_recovery,
    state,
)
from embedded_aws.core.service import Service

SERVICE = Service(
    "codepipeline",
    {
        "CreatePipeline": pipelines.create,
        "UpdatePipeline": pipelines.update,
        "GetPipeline": pipelines.get,
        "DeletePipeline": pipelines.delete,
        "ListPipelines": pipelines.listing,
        "TagResource": pipelines.tag,
        "UntagResource": pipelines.untag,
        "ListTagsForResource": pipelines.tags,
        "StartPipelineExecution": control.start,
        "StopPipelineExecution": control.stop,
        "PutApprovalResult": approvals_and_transitions.approve,
        "RetryStageExecution": stage_recovery.retry,
        "RollbackStage": stage_recovery.roll_back,
        "DisableStageTransition": approvals_and_transitions.disable_transition,
        "EnableStageTransition": approvals_and_transitions.enable_transition,
        "GetPipelineState": state.get,
        "GetPipelineExecution": history.execution,
        "ListPipelineExecutions": history.listing,
        "ListActionExecutions": history.actions,
        "ListRuleExecutions": history.rules,
        "PutJobSuccessResult": jobs.succeed,
        "PutJobFailureResult": jobs.fail,
    },
)
