"""What CloudFormation may do in a target account: what the types of our templates need, and no more.

The list follows the `handlers` of CloudFormation's resource schemas (cfn-lint carries them); a test holds it
to the types that our templates really use, and knows what the schemas name and we leave out, with the reason
(`tests/pipelines/definitions/left_out.py`).
"""

from __future__ import annotations

from typing import Final

from pipelines.definitions.network_actions import EC2_CHANGE, EC2_LOOK

LOOK: Final = {
    "autoscaling": ["DescribeTags"],
    "cloudwatch": ["DescribeAlarms", "GetMetricData", "ListTagsForResource"],
    "ec2": EC2_LOOK,
    "logs": [
        "DescribeIndexPolicies",
        "DescribeLogGroups",
        "DescribeMetricFilters",
        "DescribeQueryDefinitions",
        "DescribeResourcePolicies",
    ],
}
"""Reads that know no resource, or that list an account's."""

CHANGE: Final = {
    "apigateway": ["DELETE", "GET", "PATCH", "POST", "PUT", "UpdateRestApiPolicy"],
    "application-signals": [
        "CreateServiceLevelObjective",
        "DeleteServiceLevelObjective",
        "GetServiceLevelObjective",
        "ListServiceLevelObjectiveExclusionWindows",
        "ListTagsForResource",
        "TagResource",
        "UntagResource",
        "UpdateServiceLevelObjective",
    ],
    "cloudwatch": [
        "DeleteAlarms",
        "DeleteDashboards",
        "GetDashboard",
        "PutCompositeAlarm",
        "PutDashboard",
        "PutMetricAlarm",
        "TagResource",
        "UntagResource",
    ],
    "events": [
        "DeleteRule",
        "DescribeRule",
        "ListTagsForResource",
        "ListTargetsByRule",
        "PutRule",
        "PutTargets",
        "RemoveTargets",
        "TagResource",
        "UntagResource",
    ],
    "ec2": EC2_CHANGE,
    "kms": [
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "DisableKey",
        "DisableKeyRotation",
        "EnableKey",
        "EnableKeyRotation",
        "Encrypt",
        "GenerateDataKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListResourceTags",
        "PutKeyPolicy",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateKeyDescription",
    ],
    "lambda": [
        "AddPermission",
        "CreateAlias",
        "CreateFunction",
        "DeleteAlias",
        "DeleteFunction",
        "DeleteFunctionConcurrency",
        "GetAlias",
        "GetFunction",
        "GetFunctionCodeSigningConfig",
        "GetFunctionConfiguration",
        "GetFunctionRecursionConfig",
        "GetFunctionScalingConfig",
        "GetPolicy",
        "GetProvisionedConcurrencyConfig",
        "GetRuntimeManagementConfig",
        "ListVersionsByFunction",
        "PublishVersion",
        "PutFunctionConcurrency",
        "RemovePermission",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ],
    "logs": [
        "AssociateKmsKey",
        "CreateLogGroup",
        "DeleteLogGroup",
        "DeleteMetricFilter",
        "DeleteRetentionPolicy",
        "DisassociateKmsKey",
        "GetDataProtectionPolicy",
        "ListTagsForResource",
        "PutMetricFilter",
        "PutRetentionPolicy",
        "TagResource",
        "UntagResource",
    ],
    "sqs": [
        "CreateQueue",
        "DeleteQueue",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListQueueTags",
        "SetQueueAttributes",
        "TagQueue",
        "UntagQueue",
    ],
    "states": [
        "CreateStateMachine",
        "CreateStateMachineAlias",
        "DeleteStateMachine",
        "DeleteStateMachineAlias",
        "DeleteStateMachineVersion",
        "DescribeStateMachine",
        "DescribeStateMachineAlias",
        "ListStateMachineVersions",
        "ListTagsForResource",
        "PublishStateMachineVersion",
        "TagResource",
        "UntagResource",
        "UpdateStateMachine",
        "UpdateStateMachineAlias",
    ],
}
"""What changes things, by service; each service's own resources in the account bound it."""

UNBOUNDED: Final = {
    "kms": ["CreateKey"],
    "logs": [
        "CreateLogDelivery",
        "DeleteLogDelivery",
        "DeleteQueryDefinition",
        "DeleteResourcePolicy",
        "PutQueryDefinition",
        "PutResourcePolicy",
    ],
}
"""Changes that IAM lets nobody bind to a resource (Service Authorization Reference)."""

ROLES: Final = [
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "GetRole",
    "GetRolePolicy",
    "ListAttachedRolePolicies",
    "ListRolePolicies",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
]
"""What it may do to the roles of its own stacks."""
BOUNDED_ROLES: Final = ["CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy"]
"""What it may do to them only while the runtime boundary is on them."""
