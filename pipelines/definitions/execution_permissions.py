"""The CloudFormation execution role's statements: `execution_actions.py`, bound to what they may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs.aws import Action, ArnEquals, Condition, StringEquals, StringNotEquals
from troposphere import Sub

from environments import groupings
from environments.tools import PIPELINES_STACK
from pipelines.core.branch_names import PREFIX
from pipelines.definitions import execution_actions
from pipelines.definitions.network_actions import without_network
from templates.capabilities.api_gateway import PUSH_LOGS
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn

    from environments.schema import Environment
    from environments.tools import Tools

_HERE: Final = "${{AWS::Region}}:${{AWS::AccountId}}:"
WORKFLOW_LOGS: Final = "/aws/vendedlogs/states/"
"""What the names of workflows' log groups begin with."""
_ARTIFACTS: Final = f"{PIPELINES_STACK}-*"
"""The buckets of the pipelines stack: CloudFormation begins their names with its name."""
_RESOURCES: Final = {
    "application-signals": f"application-signals:{_HERE}slo/{{}}",
    "cloudwatch": f"cloudwatch:{_HERE}alarm:{{}}",
    "cloudwatch dashboards": "cloudwatch::${{AWS::AccountId}}:dashboard/{}",
    "events": f"events:{_HERE}rule/{{}}",
    "lambda": f"lambda:{_HERE}function:{{}}",
    "logs": f"logs:{_HERE}log-group:{{}}",
    "logs of workflows": f"logs:{_HERE}log-group:{WORKFLOW_LOGS}{{}}",
    "sqs": f"sqs:{_HERE}{{}}",
    "states": f"states:{_HERE}stateMachine:{{}}",
}
"""What has a name that begins with its stack's: CloudFormation makes it up so, or our templates say it."""
_IN_NETWORKS: Final = {"logs"}
"""What of it network stacks have, too."""
_UNNAMED: Final = {
    "apigateway": "apigateway:${AWS::Region}::/*",
    "ec2": "ec2:${AWS::Region}:${AWS::AccountId}:*",
    "kms": "kms:${AWS::Region}:${AWS::AccountId}:key/*",
}
"""What has an id that says nothing of its stack: its tag does."""
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


def names_of(environment: Environment) -> list[str]:
    """What the names of the things in those stacks look like."""
    return [stack if stack.endswith("*") else f"{stack}-*" for stack in stacks_of(environment)]


def others(environment: Environment, *more: str) -> Condition:
    """That a thing is tagged as another environment's, or as one of some more, which may share the account.

    It refuses and never allows: what has no tag, or of which IAM is told none, stays as it is without this.
    """
    return Condition(StringEquals(_of_others(environment, *more)))


def _of_others(environment: Environment, *more: str) -> dict[str, list[str]]:
    names = [name for name in (*groupings.PROMOTED, *more) if name != environment.name]
    return {"aws:ResourceTag/environment": names}


def execution_permissions(
    tools: Tools, environment: Environment, runtime_boundary: AWSHelperFn
) -> list[Permission]:
    """What CloudFormation may do in the environment's account."""
    roles = [
        Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{names}")
        for names in names_of(environment)
    ]
    bounded = Condition(StringEquals({"iam:PermissionsBoundary": runtime_boundary}))
    passed = Condition(StringEquals({"iam:PassedToService": _PASSED_TO}))
    branch = environment.name == "branch"
    accept = None if branch else environment.database.peer_role_arn
    look, change, unbounded = (
        without_network(names) if branch else names
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
                _resources(service, environment),
            )
            for service, names in change.items()
        ],
        Permission(
            "OtherEnvironmentsStayOut",
            "Ids say nothing of a stack, and environments may share an account: what is another's is left "
            "alone. The resource is *: the tag says which.",
            [Action(service, "*") for service in _UNNAMED if service in change],
            ["*"],
            others(environment),
            denied=True,
        ),
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
        *read_artifacts(tools, environment),
        *([_pull_images(tools)] if environment.functions.packaging == "image" else []),
        *([] if accept is None else [_accept_peering(accept)]),
    ]


def _resources(service: str, environment: Environment) -> list[Sub]:
    if service in _UNNAMED:
        return [Sub(f"arn:${{AWS::Partition}}:{_UNNAMED[service]}")]
    return [
        Sub("arn:${AWS::Partition}:" + arn.format(names))
        for kind, arn in _RESOURCES.items()
        if kind.split()[0] == service
        for names in (names_of(environment) if kind in _IN_NETWORKS else [environment.names_of_payments])
    ]


def _data_api_role(environment: Environment) -> Sub:
    """The role that all branches' data APIs share; it is the network's, which no branch deploys."""
    arn = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
    return Sub(f"{arn}/{environment.network_stack}-DataApiRole-*")


def read_artifacts(tools: Tools, environment: Environment) -> list[Permission]:
    """Read artifacts in the tools account.

    CloudFormation made up the names of its buckets and keys; their own policies name this role in turn.
    """
    in_tools_account = Condition(StringEquals({"aws:ResourceAccount": tools.account}))
    return [
        Permission(
            "ReadArtifacts",
            "Templates and packages, in the tools account only.",
            _actions({"s3": ["GetObject", "GetObjectVersion"]}),
            [Sub(f"arn:${{AWS::Partition}}:s3:::{_ARTIFACTS}/*")],
            in_tools_account,
        ),
        Permission(
            "DecryptArtifacts",
            "The tools account's keys, as far as their policies allow, and no environment's there.",
            _actions({"kms": ["Decrypt", "DescribeKey"]}),
            [Sub(f"arn:${{AWS::Partition}}:kms:${{AWS::Region}}:{tools.account}:key/*")],
            Condition(StringNotEquals(_of_others(environment))),
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
