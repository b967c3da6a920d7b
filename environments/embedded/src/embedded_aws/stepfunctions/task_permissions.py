"""A workflow does what its role may, and nothing else: Step Functions takes the role on for every task.

A refusal has the base exception's name of the service that refused, as no service models IAM's refusals (Step
Functions developer guide, "Handling errors"; for Lambda, `Lambda.AWSLambdaException`, for an SDK integration
`Sfn.SfnException`).
"""

from typing import Any

from ministack.services import stepfunctions

from embedded_aws.iam.simulation import Question, allows, session

_Error = stepfunctions._ExecutionError
_START = "arn:aws:states:::states:startExecution"


def require(resource: str, arguments: Any, ctx: dict[str, Any]) -> None:
    """Refuse a task that the workflow's role does not allow; only tasks that are listed here are known.

    Raises:
        stepfunctions._ExecutionError: IAM says no.
    """
    if "states:::lambda:invoke" in resource:
        _ask(
            ctx, "lambda:InvokeFunction", str(arguments.get("FunctionName", "")), "Lambda.AWSLambdaException"
        )
    elif ":lambda:" in resource and ":function:" in resource:
        _ask(ctx, "lambda:InvokeFunction", resource, "Lambda.AWSLambdaException")
    elif resource.startswith(_START):
        machine = str(arguments.get("StateMachineArn", ""))
        _ask(ctx, "states:StartExecution", machine, "StepFunctions.AWSStepFunctionsException")
    elif ":aws-sdk:codepipeline:list" in resource:
        _, _, _, region, account, *_ = ctx["Execution"]["Id"].split(":")
        pipeline = f"arn:aws:codepipeline:{region}:{account}:{arguments.get('PipelineName', '')}"
        action = resource.rpartition(":")[2]
        _ask(
            ctx,
            f"codepipeline:{action[:1].upper()}{action[1:]}",
            pipeline,
            "CodePipeline.CodePipelineException",
        )
    elif resource.endswith(":aws-sdk:sfn:describeExecution"):
        _ask(ctx, "states:DescribeExecution", str(arguments.get("ExecutionArn", "")), "Sfn.SfnException")


def _ask(ctx: dict[str, Any], action: str, resource: str, error: str) -> None:
    execution = ctx["Execution"]
    _, _, _, region, account, *_ = execution["Id"].split(":")
    role = execution["RoleArn"].rpartition("/")[2]
    question = Question(action, _whole(resource, region, account))
    if not allows(account, role, execution["Name"], question, region):
        raise _Error(
            error,
            f"User: {session(account, role, execution['Name'])} is not authorized to perform: {action} on "
            f"resource: {question.resource} because no identity-based policy allows the {action} action",
        )


def _whole(resource: str, region: str, account: str) -> str:
    """A function that is called by its bare name, as an ARN."""
    if resource.startswith("arn:"):
        return resource
    return f"arn:aws:lambda:{region}:{account}:function:{resource}"
