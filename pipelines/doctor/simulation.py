"""Whether CloudFormation's role may really do what its policy says: IAM is asked, and nothing is done.

A policy of the organization, a boundary that somebody changed, or a bootstrap stack of an older version stops
a first release half-way, with the first action that is denied. IAM's simulation sees them beforehand, but for
policies of the organization that have conditions (IAM user guide, "IAM policy testing with the IAM policy
simulator").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.definitions import bootstrap_stack
from pipelines.doctor.findings import Diagnosis, failed, well

if TYPE_CHECKING:
    from collections.abc import Mapping

    from environments.tools import Tools
    from pipelines.aws.accounts import Aws

_SHOWN: Final = 5
_AT_ONCE: Final = 50
"""Actions that one question names; IAM answers each."""


def execution_role(aws: Aws, stack: str, tools: Tools) -> Diagnosis:
    """Check that the role may do to the environment's things each action that its policy has.

    Raises:
        Refused: There is no bootstrap stack yet.
    """
    outputs = stacks.outputs(aws, stack)
    try:
        role, boundary = outputs["ExecutionRole"], outputs["RuntimeBoundaryArn"]
    except KeyError as missing:
        raise Refused(f"Stack {stack} has no {missing.args[0]}.", "payments pipeline deploy") from None
    stated = _statements(aws, tools)
    denied = {action: why for each in stated for action, why in _denied(aws, role, boundary, each).items()}
    if not denied:
        count = sum(len(statement["Action"]) for statement in stated)
        return well(f"IAM allows all {count} actions of {role.rpartition('/')[2]}")
    shown = ", ".join(f"{action} ({why})" for action, why in sorted(denied.items())[:_SHOWN])
    more = f" and {len(denied) - _SHOWN} more" if len(denied) > _SHOWN else ""
    return failed(
        f"A first release would stop: IAM denies {shown}{more}",
        "Repeat payments pipeline deploy; what the organization denies, its administrator allows for it.",
    )


def _statements(aws: Aws, tools: Tools) -> list[dict[str, Any]]:
    """Return the statements of the role's policies that allow something here, as its template has them.

    What is in the tools account is asked of nobody: IAM simulates with policies of one account.
    """
    role = bootstrap_stack.build(tools, aws.environment).resources["ExecutionRole"].to_dict()
    return [
        statement
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and tools.account not in str(statement)
    ]


def _denied(aws: Aws, role: str, boundary: str, statement: Mapping[str, Any]) -> dict[str, str]:
    """Return each action that is denied for every kind of thing that a statement names, and who denies it."""
    actions, resources = statement["Action"], statement["Resource"]
    context = [
        {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
        for key, value in _keys(statement, boundary).items()
    ]
    left, why = list(actions), dict[str, str]()
    for resource in resources:
        verdicts = [
            result
            for first in range(0, len(left), _AT_ONCE)
            for result in aws.client("iam").simulate_principal_policy(
                PolicySourceArn=role,
                ActionNames=left[first : first + _AT_ONCE],
                ResourceArns=[_literal(resource, aws)],
                ContextEntries=context,
            )["EvaluationResults"]
        ]
        why = {result["EvalActionName"]: _who(result) for result in verdicts if _is_denied(result)}
        left = list(why)
    return why


def _is_denied(result: Mapping[str, Any]) -> bool:
    return bool(result["EvalDecision"] != "allowed")


def _who(result: Mapping[str, Any]) -> str:
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return "by the organization"
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return "by its boundary"
    return "by its policies"


def _keys(statement: Mapping[str, Any], boundary: str) -> dict[str, str]:
    """What a request of CloudFormation's would say of what the statement's condition asks for."""
    keys: dict[str, str] = {}
    for operator, stated in statement.get("Condition", {}).items():
        for key, value in stated.items() if "Not" not in operator else ():
            first = value[0] if isinstance(value, list) else value
            keys[key] = _value(first, boundary)
    return keys


def _literal(resource: Any, aws: Aws) -> str:
    """Return an ARN that a resource of the policy, with its wildcards, stands for."""
    text = str(resource["Fn::Sub"] if isinstance(resource, dict) else resource)
    places = {"Partition": "aws", "Region": aws.environment.region, "AccountId": aws.environment.account}
    filled_in = re.sub(r"\$\{AWS::(\w+)\}", lambda found: places[found[1]], text)
    return filled_in if filled_in == "*" else filled_in.replace("*", "any")


def _value(stated: Any, boundary: str) -> str:
    if isinstance(stated, dict):
        return boundary if "Ref" in stated else str(stated["Fn::Sub"]).replace("${AWS::Partition}", "aws")
    return str(stated)
