"""What CloudFormation may do in a target account: what the types of our templates need, and no more.

The list follows the `handlers` of CloudFormation's resource schemas (cfn-lint carries them); a test holds it
to the types that our templates really use. What the schemas name and we leave out stands in `LEFT_OUT` with
the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOK: Final = {
    "autoscaling": ["DescribeTags"],
    "cloudwatch": ["DescribeAlarms", "GetMetricData", "ListTagsForResource"],
    "ec2": [
        "DescribeAddresses",
        "DescribeFlowLogs",
        "DescribeInstances",
        "DescribeInternetGateways",
        "DescribeNatGateways",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVpcAttribute",
        "DescribeVpcEndpoints",
        "DescribeVpcPeeringConnections",
        "DescribeVpcs",
    ],
    "logs": [
        "DescribeIndexPolicies",
        "DescribeLogGroups",
        "DescribeMetricFilters",
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
    "ec2": [
        "AcceptVpcPeeringConnection",
        "AllocateAddress",
        "AssociateAddress",
        "AssociateRouteTable",
        "AttachInternetGateway",
        "AuthorizeSecurityGroupEgress",
        "AuthorizeSecurityGroupIngress",
        "CreateFlowLogs",
        "CreateInternetGateway",
        "CreateNatGateway",
        "CreateRoute",
        "CreateRouteTable",
        "CreateSecurityGroup",
        "CreateSubnet",
        "CreateTags",
        "CreateVpc",
        "CreateVpcEndpoint",
        "CreateVpcPeeringConnection",
        "DeleteFlowLogs",
        "DeleteInternetGateway",
        "DeleteNatGateway",
        "DeleteRoute",
        "DeleteRouteTable",
        "DeleteSecurityGroup",
        "DeleteSubnet",
        "DeleteTags",
        "DeleteVpc",
        "DeleteVpcEndpoints",
        "DeleteVpcPeeringConnection",
        "DetachInternetGateway",
        "DisassociateAddress",
        "DisassociateRouteTable",
        "ModifySubnetAttribute",
        "ModifyVpcAttribute",
        "ModifyVpcEndpoint",
        "ModifyVpcPeeringConnectionOptions",
        "ReleaseAddress",
        "ReplaceRoute",
        "ReplaceRouteTableAssociation",
        "RevokeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
        "UpdateSecurityGroupRuleDescriptionsEgress",
        "UpdateSecurityGroupRuleDescriptionsIngress",
    ],
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
    "logs": ["CreateLogDelivery", "DeleteLogDelivery", "DeleteResourcePolicy", "PutResourcePolicy"],
}
"""Changes that IAM lets nobody bind to a resource (Service Authorization Reference)."""

WORKLOAD: Final = {
    "ec2": ["DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs"],
    "kms": ["CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"],
}
"""Of services that the network stack needs more of: what the payments stack needs. A branch's pipeline
deploys no network, so it can touch none (`without_network`)."""
_NETWORK_ALONE: Final = {"autoscaling:DescribeTags", "logs:DeleteLogDelivery"}

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

LEFT_OUT: Final = {
    "iam:AttachRolePolicy": "no role of a branch has a managed policy; a network's has API Gateway's alone",
    "iam:DeleteRolePermissionsBoundary": "a boundary, once on, stays on",
    "iam:CreateServiceLinkedRole": "flow logs use a role of ours; Application Signals' is made once for each "
    "account, by its administrator (`pipelines/aws/service_roles.py`)",
    "application-signals:BatchUpdateExclusionWindows": "the objective excludes no time",
    "rum:GetAppMonitor": "the objective is on metrics of ours, not of a web page",
    "rum:BatchGetRumMetricDefinitions": "the objective is on metrics of ours, not of a web page",
    "sts:AssumeRole": "allowed for the database owner's accepting role alone, where there is one",
    "s3:GetBucketPolicy": "flow logs go to CloudWatch Logs, not to a bucket",
    "s3:PutBucketPolicy": "flow logs go to CloudWatch Logs, not to a bucket",
    "s3:REST.PUT.OBJECT": "no IAM action",
    "firehose:TagDeliveryStream": "no log group of ours delivers to Firehose",
    "ec2:AssociateSubnetCidrBlock": "no IPv6",
    "ec2:DisassociateSubnetCidrBlock": "no IPv6",
    "ec2:CreateVpcEncryptionControl": "no encryption control",
    "ec2:DescribeVpcEncryptionControls": "no encryption control",
    "ec2:ModifyVpcTenancy": "default tenancy",
    "ec2:AcceptAddressTransfer": "addresses are new ones",
    "ec2:AssignPrivateNatGatewayAddress": "one address for each NAT gateway",
    "ec2:AssociateNatGatewayAddress": "one address for each NAT gateway",
    "ec2:DisassociateNatGatewayAddress": "one address for each NAT gateway",
    "ec2:UnassignPrivateNatGatewayAddress": "one address for each NAT gateway",
    "ec2:AttachVpnGateway": "no VPN",
    "ec2:DescribeVpnGateways": "no VPN",
    "ec2:DetachVpnGateway": "no VPN",
    "vpc-lattice:CreateServiceNetworkVpcEndpointAssociation": "no service network",
    "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation": "no service network",
    "vpce:AllowMultiRegion": "the endpoint is in its own region",
    "elasticfilesystem:DescribeMountTargets": "functions mount nothing",
    "s3files:ListMountTargets": "functions mount nothing",
    "lambda:AssociateRuntimeAlias": "runtimes update by themselves",
    "lambda:PutRuntimeManagementConfig": "runtimes update by themselves",
    "lambda:DeleteFunctionCodeSigningConfig": "no code signing configuration",
    "lambda:GetCodeSigningConfig": "no code signing configuration",
    "lambda:PutFunctionCodeSigningConfig": "no code signing configuration",
    "lambda:GetLayerVersion": "no layers",
    "lambda:PassCapacityProvider": "no capacity provider",
    "lambda:PutFunctionRecursionConfig": "the default",
    "lambda:PutFunctionScalingConfig": "the default",
    "lambda:PutProvisionedConcurrencyConfig": "none is provisioned",
    "lambda:DeleteProvisionedConcurrencyConfig": "none is provisioned",
    "codedeploy:CreateDeployment": "Step Functions' alias shifts the traffic, not CodeDeploy",
    "codedeploy:GetDeployment": "Step Functions' alias shifts the traffic, not CodeDeploy",
    "codedeploy:GetDeploymentConfig": "Step Functions' alias shifts the traffic, not CodeDeploy",
    "codedeploy:GetDeploymentGroup": "Step Functions' alias shifts the traffic, not CodeDeploy",
    "codedeploy:StopDeployment": "Step Functions' alias shifts the traffic, not CodeDeploy",
    "logs:DeleteDataProtectionPolicy": "none of ours has one",
    "logs:PutDataProtectionPolicy": "none of ours has one",
    "logs:DeleteIndexPolicy": "none of ours has one",
    "logs:PutIndexPolicy": "none of ours has one",
    "logs:PutBearerTokenAuthentication": "none of ours has one",
    "logs:PutLogGroupDeletionProtection": "none of ours has one",
}


def without_network(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Those of some actions that a stack without a network needs."""
    kept = {
        service: [
            name
            for name in listed
            if name in WORKLOAD.get(service, listed) and f"{service}:{name}" not in _NETWORK_ALONE
        ]
        for service, listed in names.items()
    }
    return {service: listed for service, listed in kept.items() if listed}
