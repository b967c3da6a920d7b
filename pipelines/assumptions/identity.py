"""IAM: who may take a role on, and what a condition key says."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented

ASSUMPTIONS: Final = (
    Assumption(
        "eventbridge-says-the-account",
        "EventBridge sets aws:SourceAccount when it takes on the role of a rule's target.",
        ("templates/capabilities/scheduled_workflows.py", "templates/capabilities/permissions.py"),
        Documented(
            "https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html"
        ),
        "On a lent account: a rule that fires each minute, and a role with the condition.",
    ),
    Assumption(
        "scheduler-says-the-account",
        "EventBridge Scheduler sets aws:SourceAccount when it takes on a schedule's role.",
        ("pipelines/definitions/branch_pipelines.py",),
        Documented(
            "https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"
        ),
        "Wait for the daily look at expired branches.",
    ),
    Assumption(
        "step-functions-says-the-account",
        "Step Functions sets aws:SourceAccount when it takes on a state machine's role.",
        ("templates/capabilities/state_machines.py",),
        Documented("https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html"),
        "Place an order.",
    ),
    Assumption(
        "flow-logs-say-the-account",
        "VPC Flow Logs set aws:SourceAccount when they take on the role that delivers them.",
        ("templates/capabilities/vpc.py",),
        Documented("https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html"),
        "Deploy a network stack and read its flow log group.",
    ),
    Assumption(
        "lambda-says-no-account",
        "Lambda sets no aws:SourceAccount when it takes on a function's role, so a condition on it stops "
        "every function: a sample of AWS's has one, and its documentation has none.",
        ("templates/capabilities/permissions.py",),
        Assumed(
            (
                "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
                "https://github.com/aws/agent-toolkit-for-aws",
            ),
            "Nothing breaks: the roles could be narrower than they are.",
        ),
        "Give a function a role with the condition, and call it.",
    ),
    Assumption(
        "function-code-carries-its-arn",
        "Calls of a function's own code carry lambda:SourceFunctionArn, and Lambda's own calls with its "
        "role do not.",
        ("templates/capabilities/permissions.py", "templates/capabilities/functions.py"),
        Documented("https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html"),
        "Deploy a payments stack: without it no function could join the VPC.",
    ),
    Assumption(
        "boundary-size",
        "A managed policy holds at most 6,144 characters, white space not counted.",
        ("pipelines/definitions/boundaries.py",),
        Documented("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"),
        "Deploy a bootstrap stack.",
    ),
    Assumption(
        "names-begin-with-the-stack",
        "CloudFormation begins the names that it makes up for roles, functions, log groups, metric alarms, "
        "rules and buckets with the stack's name.",
        (
            "pipelines/definitions/execution_permissions.py",
            "pipelines/definitions/runtime_boundary.py",
            "templates/capabilities/data_api.py",
        ),
        Documented(
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"
        ),
        "Deploy a payments stack as its execution role, which may make nothing of another name.",
    ),
    Assumption(
        "a-part-has-the-tags-of-its-api",
        "IAM is told the tags of an API for requests on its parts: they inherit them.",
        ("pipelines/definitions/execution_permissions.py",),
        Documented(
            "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html"
        ),
        "On a lent account: change a resource of a tagged API with a role that is refused its tag.",
    ),
    Assumption(
        "a-key-is-told-by-its-tags",
        "IAM is told a key's own tags as aws:ResourceTag for requests on it.",
        ("pipelines/definitions/execution_permissions.py", "pipelines/definitions/runtime_boundary.py"),
        Documented("https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html"),
        "On a lent account: decrypt with a tagged key and a role that is refused its tag.",
    ),
    Assumption(
        "a-network-is-told-by-its-tags",
        "IAM is told the tags of networks, subnets and security groups for requests on them.",
        ("pipelines/definitions/execution_permissions.py", "pipelines/definitions/runtime_boundary.py"),
        Documented("https://docs.aws.amazon.com/vpc/latest/userguide/security_iam_service-with-iam.html"),
        "On a lent account: delete a tagged subnet with a role that is refused its tag.",
    ),
    Assumption(
        "an-api-knows-its-callers-role",
        "API Gateway tells its resource policy aws:PrincipalArn of a signed request: the role's ARN.",
        ("templates/capabilities/data_api.py",),
        Documented(
            "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html"
        ),
        "Place an order: without it each request would be refused.",
    ),
    Assumption(
        "simulation-agrees",
        "SimulatePrincipalPolicy answers as IAM decides, for policies and boundaries of one account.",
        ("tests/least_privilege/test_every_role.py", "pipelines/doctor/simulation.py"),
        Documented("https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html"),
        "On a lent account: compare what deployments did with what the simulation allows.",
    ),
)
