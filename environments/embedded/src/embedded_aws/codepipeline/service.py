"""The operations of CodePipeline."""

from embedded_aws.codepipeline import control, history, jobs, pipelines, stage_recovery, state
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
        "PutApprovalResult": control.approve,
        "RetryStageExecution": stage_recovery.retry,
        "RollbackStage": stage_recovery.roll_back,
        "DisableStageTransition": control.disable_transition,
        "EnableStageTransition": control.enable_transition,
        "GetPipelineState": state.get,
        "GetPipelineExecution": history.execution,
        "ListPipelineExecutions": history.listing,
        "ListActionExecutions": history.actions,
        "ListRuleExecutions": history.rules,
        "PutJobSuccessResult": jobs.succeed,
        "PutJobFailureResult": jobs.fail,
    },
)
