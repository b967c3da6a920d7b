"""The operations of CodePipeline."""

from environments.embedded.codesuite.codepipeline import (
    control,
    gates,
    history,
    jobs,
    mending,
    pipelines,
    state,
)
from environments.embedded.codesuite.service import Service

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
        "PutApprovalResult": gates.approve,
        "RetryStageExecution": mending.retry,
        "RollbackStage": mending.roll_back,
        "DisableStageTransition": gates.disable_transition,
        "EnableStageTransition": gates.enable_transition,
        "GetPipelineState": state.get,
        "GetPipelineExecution": history.execution,
        "ListPipelineExecutions": history.listing,
        "ListActionExecutions": history.actions,
        "ListRuleExecutions": history.rules,
        "PutJobSuccessResult": jobs.succeed,
        "PutJobFailureResult": jobs.fail,
    },
)
