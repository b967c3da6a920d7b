"""What the roles of pipelines, builds and target accounts need on AWS alone, by why nothing here asks."""

from __future__ import annotations

from typing import Final

from tests.least_privilege.audit.aws_only_permissions import AwsOnlyPermission

_CROSS_ACCOUNT: Final = (
    "CodePipeline user guide, 'Create a pipeline that uses resources from another AWS account'"
)
_SERVICE_ROLE: Final = "CodePipeline user guide, 'Manage the CodePipeline service role', minimum policy"
_BUILD_ROLE: Final = (
    "CodeBuild user guide, 'Allow CodeBuild to interact with other AWS services', service role"
)

_NOTHING_IS_ENCRYPTED: Final = (
    *(
        AwsOnlyPermission(
            service,
            "ArtifactKey",
            (
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ),
            "S3 asks KMS as whoever reads or writes an encrypted artifact; here nothing is encrypted.",
            source,
        )
        for service, source in (
            ("codepipeline", f"{_CROSS_ACCOUNT}, step 1"),
            ("codebuild", "CodeBuild user guide, 'Encrypt build outputs'"),
        )
    ),
    AwsOnlyPermission(
        "account",
        "DecryptArtifacts",
        ("kms:Decrypt", "kms:DescribeKey"),
        "An action that takes on a role of another account decrypts its artifacts as that role; here nothing "
        "is encrypted.",
        f"{_CROSS_ACCOUNT}, step 2",
    ),
)

_A_BUCKET_IS_TAKEN_AS_IT_IS: Final = (
    AwsOnlyPermission(
        "codepipeline",
        "ArtifactBucket",
        ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"),
        "CodePipeline looks at its artifact bucket before it uses it; the embedded one does not.",
        _SERVICE_ROLE,
    ),
    AwsOnlyPermission(
        "codebuild",
        "ArtifactBucket",
        ("s3:GetBucketAcl", "s3:GetBucketLocation"),
        "CodeBuild looks at the bucket of a pipeline's artifacts before it uses it; the embedded one does "
        "not.",
        _BUILD_ROLE,
    ),
    AwsOnlyPermission(
        "codebuild",
        "ArtifactBucket",
        ("s3:ListBucket",),
        "Without it S3 says 403 instead of 404 of what is not there: a cache, or a package to be uploaded. "
        "The embedded S3 says 404.",
        "S3 API reference, HeadObject and GetObject, permissions",
    ),
    AwsOnlyPermission(
        "codebuild",
        "ListPackages",
        ("s3:ListBucket",),
        "Without it S3 says 403 instead of 404 of a package that is to be uploaded. The embedded S3 says "
        "404.",
        "S3 API reference, HeadObject, permissions",
    ),
    AwsOnlyPermission(
        "codepipeline",
        "Artifacts",
        ("s3:GetObject", "s3:GetObjectVersion"),
        "CodePipeline reads artifacts itself, too. Here only actions and builds do, as their own roles.",
        _SERVICE_ROLE,
    ),
    AwsOnlyPermission(
        "codebuild",
        "Artifacts",
        ("s3:GetObjectVersion",),
        "CodeBuild names versions of artifacts; the embedded one does not.",
        _BUILD_ROLE,
    ),
    AwsOnlyPermission(
        "account",
        "ReadArtifacts",
        ("s3:GetObjectVersion",),
        "An action that takes on a role of another account reads versions of its artifacts; here it names "
        "none.",
        f"{_CROSS_ACCOUNT}, step 2",
    ),
)

_OTHER_CALLS_ARE_MADE: Final = (
    AwsOnlyPermission(
        "codepipeline",
        "Source",
        ("codestar-connections:UseConnection",),
        "The source action is asked about under the service's old name where the connection's ARN has it; "
        "here it has the new one.",
        "CodePipeline user guide, 'CodeStarSourceConnection', service role permissions",
    ),
    AwsOnlyPermission(
        "codebuild",
        "Reports",
        (
            "codebuild:BatchPutCodeCoverages",
            "codebuild:BatchPutTestCases",
            "codebuild:CreateReport",
            "codebuild:UpdateReport",
        ),
        "CodeBuild writes reports as the build's role, by calls that nobody else can make.",
        "CodeBuild user guide, 'Test report permissions'",
    ),
    AwsOnlyPermission(
        "codebuild",
        "Read",
        ("codeartifact:ReadFromRepository",),
        "uv reads the package index as the bearer of a token; the embedded index knows the token, and not "
        "to whom it was given.",
        "CodeArtifact user guide, 'AWS CodeArtifact permissions reference'",
    ),
    AwsOnlyPermission(
        "codebuild",
        "Publish",
        ("codeartifact:PublishPackageVersion",),
        "uv publishes to the package index as the bearer of a token; the embedded index knows the token, "
        "and not to whom it was given.",
        "CodeArtifact user guide, 'AWS CodeArtifact permissions reference'",
    ),
    AwsOnlyPermission(
        "account",
        "LookAtStacks",
        ("cloudformation:ListStacks",),
        "DescribeStacks without a name asks for it beside its own permission; the embedded one does not.",
        "CloudFormation API reference, DescribeStacks, StackName",
    ),
    AwsOnlyPermission(
        "account",
        "LookForDrift",
        ("cloudformation:DetectStackResourceDrift",),
        "DetectStackDrift asks for it for each resource; the embedded one does not.",
        "CloudFormation user guide, 'Detect unmanaged configuration changes to stacks and resources with "
        "drift detection', considerations",
    ),
    AwsOnlyPermission(
        "account",
        "FollowDrift",
        ("cloudformation:BatchDescribeTypeConfigurations",),
        "DetectStackDrift asks how the account configured resource types; the embedded one does not.",
        "CloudFormation user guide, 'Detect unmanaged configuration changes to stacks and resources with "
        "drift detection', considerations",
    ),
    AwsOnlyPermission(
        "codepipeline",
        "Turn",
        ("states:DescribeStateMachine",),
        "The action asks which type the state machine has; the embedded one knows.",
        "CodePipeline user guide, 'AWS Step Functions invoke action reference', service role permissions",
    ),
    AwsOnlyPermission(
        "account",
        "Smoke",
        ("states:DescribeStateMachine",),
        "The action asks which type the state machine has; the embedded one knows.",
        "CodePipeline user guide, 'AWS Step Functions invoke action reference', service role permissions",
    ),
)

_NOTHING_IS_REFUSED: Final = (
    AwsOnlyPermission(
        "scheduler",
        "Keep",
        ("sqs:SendMessage",),
        "A schedule keeps what it could not start; in a promotion it starts everything "
        "(`environments/embedded/tests/test_schedules.py` has it refused).",
        "EventBridge Scheduler user guide, 'Configuring a dead-letter queue'",
    ),
)
OF_PIPELINES: Final = (
    *_NOTHING_IS_ENCRYPTED,
    *_A_BUCKET_IS_TAKEN_AS_IT_IS,
    *_OTHER_CALLS_ARE_MADE,
    *_NOTHING_IS_REFUSED,
)
"""`make permissions` holds it to two releases and the removal of a branch."""
