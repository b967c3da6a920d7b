"""The CloudFormation execution role's statements: `execution_actions.py`, bound to what they may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs.aws import Action, ArnEquals, Condition, StringEquals
from troposphere import Sub

from pipelines.core.branch_names import PREFIX
from pipelines.definitions import execution_actions
from templates.capabilities.api_gateway_account import PUSH_LOGS
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn

    from environments.schema import Environment
    from environments.tools import Tools

_HERE = "${AWS::Region}:${AWS::AccountId}:"
_RESOURCES = {
    "application-signals": f"arn:${{AWS::Partition}}:application-signals:{_HERE}slo/*",
    "apigateway": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/*",
    "cloudwatch": f"arn:${{AWS::Partition}}:cloudwatch:{_HERE}alarm:*",
    "cloudwatch dashboards": "arn:${AWS::Partition}:cloudwatch::${AWS::AccountId}:dashboard/*",
    "events": f"arn:${{AWS::Partition}}:events:{_HERE}rule/*",
    "ec2": f"arn:${{AWS::Partition}}:ec2:{_HERE}*",
    "kms": f"arn:${{AWS::Partition}}:kms:{_HERE}key/*",
    "lambda": f"arn:${{AWS::Partition}}:lambda:{_HERE}function:*",
    "logs": f"arn:${{AWS::Partition}}:logs:{_HERE}log-group:*",
    "states": f"arn:${{AWS::Partition}}:states:{_HERE}stateMachine:*",
}
_PASSED_TO = [
    "apigateway.amazonaws.com",
    "events.amazonaws.com",
    "lambda.amazonaws.com",
    "states.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
]


def stacks_of(environment: Environment) -> list[str]:
    """What the names of the stacks that pipelines deploy look like; CloudFormation's names begin with them.

    A branch's pipeline deploys no network: the branches' is everybody's, and no push may touch it.
    """
    if environment.name == "branch":
        return [f"{PREFIX}*"]
    return [environment.network_stack, environment.default_stack]


def execution_permissions(
    tools: Tools, environment: Environment, runtime_boundary: AWSHelperFn
) -> list[Permission]:
    """What CloudFormation may do in the environment's account."""
    roles = [
        Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{stack}-*")
        for stack in stacks_of(environment)
    ]
    bounded = Condition(StringEquals({"iam:PermissionsBoundary": runtime_boundary}))
    passed = Condition(StringEquals({"iam:PassedToService": _PASSED_TO}))
    branch = environment.name == "branch"
    accept = None if branch else environment.database.peer_role_arn
    look, change, unbounded = (
        execution_actions.without_network(names) if branch else names
        for names in (execution_actions.LOOK, execution_actions.CHANGE, execution_actions.UNBOUNDED)
    )
    return [
        Permission(
            "Look",
            "The resource is *: these reads list an account's resources and know no narrower one (Service "
            "Authorization Reference).",
            _actions(look),
            ["*"],
        ),
        Permission(
            "Unbounded",
            "The resource is *: what these make has no name before, or no resource type (Service "
            "Authorization Reference, AWS KMS and Amazon CloudWatch Logs).",
            _actions(unbounded),
            ["*"],
        ),
        *[
            Permission(
                f"Change{service.title().replace('-', '')}",
                f"Makes, changes and deletes what our templates have of {service}.",
                _actions({service: names}),
                [Sub(arn) for kind, arn in _RESOURCES.items() if kind.split()[0] == service],
            )
            for service, names in change.items()
        ],
        Permission(
            "OwnRoles",
            "The roles of the stacks that it deploys.",
            _actions({"iam": execution_actions.ROLES}),
            roles,
        ),
        Permission(
            "BoundedRoles",
            "A role of its stacks gets permissions only while the runtime boundary is on it.",
            _actions({"iam": execution_actions.BOUNDED_ROLES}),
            roles,
            bounded,
        ),
        Permission(
            "PassOwnRoles",
            "Hands those roles to the services that run them.",
            [Action("iam", "PassRole")],
            [*roles, *([_data_api_role(environment)] if branch else [])],
            passed,
        ),
        *([] if branch else [_attach_api_gateways_policy(roles[0], runtime_boundary)]),
        *read_artifacts(tools),
        *([_pull_images(tools)] if environment.functions.packaging == "image" else []),
        *([] if accept is None else [_accept_peering(accept)]),
    ]


def _data_api_role(environment: Environment) -> Sub:
    """The role that all branches' data APIs share; it is the network's, which no branch deploys."""
    arn = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
    return Sub(f"{arn}/{environment.network_stack}-DataApiRole-*")


def read_artifacts(tools: Tools) -> list[Permission]:
    """Read artifacts in the tools account.

    CloudFormation made up the names of its bucket and key; their own policies name this role in turn.
    """
    in_tools_account = Condition(StringEquals({"aws:ResourceAccount": tools.account}))
    return [
        Permission(
            "ReadArtifacts",
            "Templates and packages, in the tools account only.",
            _actions({"s3": ["GetObject", "GetObjectVersion"]}),
            [Sub("arn:${AWS::Partition}:s3:::*/*")],
            in_tools_account,
        ),
        Permission(
            "DecryptArtifacts",
            "The tools account's keys, as far as their policies allow.",
            _actions({"kms": ["Decrypt", "DescribeKey"]}),
            [Sub(f"arn:${{AWS::Partition}}:kms:${{AWS::Region}}:{tools.account}:key/*")],
        ),
    ]


def _attach_api_gateways_policy(roles: AWSHelperFn, runtime_boundary: AWSHelperFn) -> Permission:
    """A network's stack lets API Gateway write its logs; no other policy of anybody's can be attached."""
    held = StringEquals({"iam:PermissionsBoundary": runtime_boundary})
    own = ArnEquals({"iam:PolicyARN": Sub(PUSH_LOGS)})
    return Permission(
        "AttachLogsPolicy",
        "AWS's own policy for API Gateway's logs, and no other, on a role within the runtime boundary.",
        _actions({"iam": ["AttachRolePolicy"]}),
        [roles],
        Condition([held, own]),
    )


def _pull_images(tools: Tools) -> Permission:
    """CloudFormation made up the repository's name; its own policy names this role in turn."""
    return Permission(
        "PullImages",
        "Lambda asks whoever makes a function of an image whether they may read it.",
        _actions({"ecr": ["BatchGetImage", "GetDownloadUrlForLayer"]}),
        [Sub(f"arn:${{AWS::Partition}}:ecr:${{AWS::Region}}:{tools.account}:repository/*")],
    )


def _accept_peering(role: str) -> Permission:
    return Permission(
        "AcceptPeering",
        "The database's owner accepts the peering through this role.",
        [Action("sts", "AssumeRole")],
        [role],
    )


def _actions(by_service: Mapping[str, Sequence[str]]) -> list[Action]:
    return [Action(service, name) for service, names in by_service.items() for name in names]
