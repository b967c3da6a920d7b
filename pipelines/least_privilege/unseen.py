"""What AWS needs of a role where the embedded AWS asks nothing: by who takes the role on, with the source.

This is the one place for them. A test holds the table to it: every entry is granted somewhere, and none is
ever asked for in a rehearsal, or it would be proven there instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipelines.least_privilege import schemas


@dataclass(frozen=True, slots=True)
class Unseen:
    """Some actions that a service performs with a role on AWS alone.

    Attributes:
        service: Who takes the role on, as `lambda`.
        actions: What it does with it.
        why: When it does.
        source: The page of AWS's documentation that says so.
    """

    service: str
    actions: tuple[str, ...]
    why: str
    source: str


TABLE: Final = (
    Unseen(
        "lambda",
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        "The embedded AWS writes a function's log itself; on AWS its execution environment does, as the "
        "role.",
        "Lambda developer guide, 'Sending Lambda function logs to CloudWatch Logs'",
    ),
    Unseen(
        "lambda",
        (
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ),
        "Network interfaces in the VPC; the embedded AWS has no network.",
        "Lambda developer guide, 'Giving Lambda functions access to resources in an Amazon VPC'",
    ),
    Unseen(
        "lambda",
        ("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
        "Traces; the embedded AWS writes none.",
        "Lambda developer guide, 'Visualize Lambda function invocations using AWS X-Ray', execution role",
    ),
    Unseen(
        "states",
        (
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ),
        "Step Functions sets up the delivery of its logs; the embedded AWS delivers none.",
        "Step Functions developer guide, 'Using CloudWatch Logs to log execution history'",
    ),
    Unseen(
        "states",
        (
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ),
        "Traces; the embedded AWS writes none.",
        "Step Functions developer guide, 'Trace Step Functions request data in AWS X-Ray'",
    ),
    Unseen(
        "states",
        (
            "events:DescribeRule",
            "events:PutRule",
            "events:PutTargets",
            "states:DescribeExecution",
            "states:StopExecution",
        ),
        "How a .sync task hears of the end of the execution that it started, and stops it when it is stopped "
        "itself; the embedded AWS waits inside.",
        "Step Functions developer guide, 'IAM policies for nested workflows', synchronous",
    ),
    Unseen(
        "vpc-flow-logs",
        ("logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        "The embedded AWS has no network whose flows it could log.",
        "Amazon VPC user guide, 'IAM role for publishing flow logs to CloudWatch Logs'",
    ),
)

OF_PIPELINES: Final = (
    *(
        Unseen(
            service,
            (
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ),
            "S3 asks KMS as whoever reads or writes an encrypted artifact; here nothing is encrypted.",
            "CodePipeline user guide, 'Create a pipeline that uses resources from another AWS account', step "
            "1; CodeBuild user guide, 'Encrypt build outputs'",
        )
        for service in ("codepipeline", "codebuild")
    ),
    Unseen(
        "codepipeline",
        ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetObjectVersion"),
        "CodePipeline looks at its artifact bucket, and names versions; the embedded one does neither.",
        "CodePipeline user guide, 'Manage the CodePipeline service role', default policy",
    ),
    Unseen(
        "codepipeline",
        ("codestar-connections:UseConnection",),
        "The source action is asked about under the service's old name, too.",
        "CodePipeline user guide, 'CodeStarSourceConnection', service role permissions",
    ),
    Unseen(
        "codebuild",
        ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObjectVersion"),
        "CodeBuild looks at the bucket of a pipeline's artifacts, and names versions; the embedded one does "
        "neither.",
        "CodeBuild user guide, 'Allow CodeBuild to interact with other AWS services', service role",
    ),
    Unseen(
        "codebuild",
        ("s3:ListBucket",),
        "Without it S3 says 403 instead of 404 of what is not there: a cache, or a package to be uploaded.",
        "S3 API reference, HeadObject and GetObject, permissions",
    ),
    Unseen(
        "codebuild",
        (
            "codebuild:BatchPutCodeCoverages",
            "codebuild:BatchPutTestCases",
            "codebuild:CreateReport",
            "codebuild:UpdateReport",
        ),
        "CodeBuild writes reports as the build's role, by calls that nobody else can make.",
        "CodeBuild user guide, 'Test report permissions'",
    ),
    Unseen(
        "account",
        ("cloudformation:ListStacks",),
        "DescribeStacks without a name asks for it beside its own permission; the embedded one does not.",
        "CloudFormation API reference, DescribeStacks, StackName",
    ),
    Unseen(
        "account",
        ("states:DescribeStateMachine",),
        "The action asks which type the state machine has; the embedded one knows.",
        "CodePipeline user guide, 'AWS Step Functions invoke action reference', service role permissions",
    ),
    Unseen(
        "account",
        ("kms:Decrypt", "kms:DescribeKey", "s3:GetObject", "s3:GetObjectVersion"),
        "An action that takes on a role of another account reads its artifacts as that role; the embedded "
        "one reads them as the pipeline's.",
        "CodePipeline user guide, 'Create a pipeline that uses resources from another AWS account', step 2",
    ),
)
"""The same for the roles of pipelines and of bootstrap stacks; `make permissions` holds it to them."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A resource of a needed statement that no rehearsal acts on.

    Attributes:
        pattern: A shell pattern of what stands in the policy, whose own `*` and `?` are in brackets.
        why: When it is acted on.
    """

    pattern: str
    why: str


UNREACHED: Final = (
    Unreached(
        "*/PUT/orders/[*]/payments/[?][?]*",
        "The tenth and later attempts at a payment, written out because IAM's ? is one character.",
    ),
    Unreached(
        "*/PUT/orders/[*]/payments/[?]/processing",
        "Stripe answers `processing` for a card at times (PaymentIntents API, status); the local Stripe does "
        "so for bank debits alone.",
    ),
)


def unseen(service: str) -> set[str]:
    """The actions that a service performs on AWS alone; CloudFormation's are those that its schemas name."""
    if service == "cloudformation":
        return set(schemas.needed_by_ours())
    return {
        action for entry in (*TABLE, *OF_PIPELINES) if entry.service == service for action in entry.actions
    }
