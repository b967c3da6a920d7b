"""What Atlas must be told, as commands of its own CLI: the peering, who may connect, and the database user.

Source: MongoDB Atlas CLI documentation, "atlas networking peering create aws", "atlas accessLists create" and
"atlas dbusers create".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from environments.schema import Environment


def commands(environment: Environment, vpc: str, role: str) -> dict[str, str]:
    """Return the commands by what they do, in their order.

    Args:
        environment: One whose database is in Atlas.
        vpc: The id of its network's VPC.
        role: The ARN of the data API's role, which becomes the database user.
    """
    network, database = environment.network.vpc_cidr, environment.database
    return {
        "Ask for the peering connection": (
            f"atlas networking peering create aws --projectId {database.atlas_project}"
            f" --accountId {environment.account} --vpcId {vpc} --region {database.region}"
            f" --routeTableCidrBlock {network} --atlasCidrBlock {database.cidr}"
        ),
        "Let the network connect": (
            f"atlas accessLists create {network} --type cidrBlock --projectId {database.atlas_project}"
            f' --comment "payments, {environment.name}"'
        ),
        "Make the data API's role a database user": (
            f"atlas dbusers create --projectId {database.atlas_project} --username {role} --awsIAMType ROLE"
            f" {_roles(environment)}"
        ),
    }


def ask_again(environment: Environment) -> str:
    """Return how to find a connection that ended, at Atlas, before it is asked for again."""
    return (
        f"See it there: atlas networking peering list --provider AWS --projectId "
        f"{environment.database.atlas_project}; delete it there, and ask for another."
    )


def _roles(environment: Environment) -> str:
    """Return what the user may do: `dbAdmin` gives collections their validators and indexes.

    A stack's database is called like the stack. Branches are not known before, so theirs reaches all.
    """
    if environment.name == "branch":
        return "--role readWriteAnyDatabase --role dbAdminAnyDatabase"
    return f"--role readWrite@{environment.default_stack} --role dbAdmin@{environment.default_stack}"
