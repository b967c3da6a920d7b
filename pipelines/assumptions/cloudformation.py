"""Stacks, change sets, and the permissions that making resources needs."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented, Schema

_GUIDE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide"
_API: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference"

ASSUMPTIONS: Final = (
    Assumption(
        "deleted-stacks-are-remembered",
        "A deleted stack is listed, and its events say by DELETE_SKIPPED what it kept, for 90 days.",
        ("pipelines/deploy/removal.py",),
        Documented(
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html"
        ),
        "Delete a network stack by hand, then: payments remove --everything.",
    ),
    Assumption(
        "failed-first-creation-is-deleted-only",
        "A stack in ROLLBACK_COMPLETE can be deleted and nothing else.",
        ("pipelines/aws/stacks.py", "pipelines/definitions/actions.py"),
        Documented(f"{_GUIDE}/view-stack-events.html"),
        "Deploy a template that fails, then deploy it again.",
    ),
    Assumption(
        "replace-on-failure",
        "The action mode REPLACE_ON_FAILURE deletes a stack in a failed state and makes it again.",
        ("pipelines/definitions/actions.py",),
        Documented(
            "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html"
        ),
        "Push a branch whose first deployment fails, then one that succeeds.",
    ),
    Assumption(
        "change-set-refuses-unknown-parameters",
        "A change set with a parameter that its template lacks is refused.",
        ("pipelines/definitions/configuration_file.py", "pipelines/aws/stacks.py"),
        Documented(f"{_API}/API_CreateChangeSet.html"),
        "aws cloudformation create-change-set with a parameter too many.",
    ),
    Assumption(
        "executing-deletes-other-change-sets",
        "Executing a change set deletes all change sets of the stack, so the name is free again.",
        ("pipelines/aws/stacks.py", "pipelines/definitions/actions.py"),
        Documented(f"{_API}/API_ExecuteChangeSet.html"),
        "Make two, execute one, list them.",
    ),
    Assumption(
        "change-set-name-while-it-is-read",
        "CHANGE_SET_REPLACE may take a name that an unexecuted change set of an earlier, rejected release "
        "still has.",
        ("pipelines/definitions/actions.py",),
        Documented(
            "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html"
        ),
        "Reject a release at its approval, then release again.",
    ),
    Assumption(
        "imported-exports-are-fixed",
        "An export that another stack imports can be neither removed nor changed.",
        ("templates/capabilities/stack_interface.py",),
        Documented(f"{_GUIDE}/using-cfn-stack-exports.html"),
        "Change the data API's security group so that it is replaced, with a payments stack beside it.",
    ),
    Assumption(
        "first-creation-keeps-retained",
        "Resources with DeletionPolicy Retain, and not those with RetainExceptOnCreate, stay behind when "
        "the creation of their stack is rolled back, and block its repetition where they have a name.",
        ("pipelines/definitions/shared_resources.py", "pipelines/definitions/packages.py"),
        Documented(f"{_GUIDE}/aws-attribute-deletionpolicy.html"),
        "Fail the first creation of the pipelines stack, then deploy it again.",
    ),
    Assumption(
        "handlers-make-what-schemas-say",
        "Making a resource calls what the handlers of its type's schema list, and nothing else.",
        (
            "pipelines/definitions/execution_permissions.py",
            "pipelines/definitions/execution_actions.py",
            "pipelines/definitions/network_actions.py",
        ),
        Assumed(
            (f"{_GUIDE}/resource-type-schemas.html", f"{_GUIDE}/using-iam-servicerole.html"),
            "The first deployment stops with the action that was denied; it is added, and repeated.",
        ),
        "On a lent account: deploy every stack with the execution role.",
    ),
    Assumption(
        "slo-makes-a-service-linked-role",
        "The first service level objective of an account makes the service-linked role of Application "
        "Signals, which needs iam:CreateServiceLinkedRole.",
        ("templates/capabilities/alarms.py", "pipelines/deploy/pipelines.py"),
        Documented(
            "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"
            "CloudWatch-Application-Signals-ServiceLevelObjectives.html"
        ),
        "Deploy a payments stack to an account that has no AWSServiceRoleForCloudWatchApplicationSignals.",
    ),
    Assumption(
        "state-machine-version-is-fixed",
        "A state machine version names one revision for ever.",
        ("templates/capabilities/workflows.py",),
        Schema("AWS::StepFunctions::StateMachineVersion", "create-only", "StateMachineRevisionId"),
        "Nothing to prove: the schema is what CloudFormation checks against.",
    ),
    Assumption(
        "alias-waits-for-its-shift",
        "An update of a state machine alias ends when its gradual shift ends, and fails and goes back when "
        "an alarm of its DeploymentPreference rings.",
        ("templates/capabilities/workflows.py",),
        Documented(f"{_GUIDE}/aws-properties-stepfunctions-statemachinealias-deploymentpreference.html"),
        "Release a version whose orders fail to an environment with CANARY.",
    ),
    Assumption(
        "template-by-url",
        "A template of up to 1 MB is taken by URL, and of up to 51,200 bytes in the request.",
        ("pipelines/deploy/artifacts.py",),
        Documented(f"{_GUIDE}/cloudformation-limits.html"),
        "Deploy a payments stack: its template is larger than 51,200 bytes.",
    ),
)
