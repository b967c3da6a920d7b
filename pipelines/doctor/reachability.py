"""Whether MongoDB answers where the data API would ask it from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from environments import rules
from pipelines.aws import stacks
from pipelines.deploy import embedded_overrides
from pipelines.doctor import one_off
from pipelines.doctor.findings import Verdict, failed, unknown, well

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

MILLISECONDS: Final = 5000
"""How long MongoDB is given; the data API gives it two seconds, once it is connected."""


def database(aws: Aws, bootstrap_stack: str, *, milliseconds: int = MILLISECONDS) -> Verdict:
    """MongoDB answers a function in the data API's place in the network, with TLS where the file says so."""
    network = aws.environment.network_stack
    if stacks.status(aws, network) is None:
        return unknown("There is no network yet to ask from", "Mend its stack first.")
    where = embedded_overrides.with_database(aws).database
    uri = rules.with_options(where.uri, [f"tls={str(where.tls).lower()}"])
    boundary = one_off.boundary_of(aws, bootstrap_stack)
    event = {"uri": uri, "milliseconds": milliseconds}
    said = one_off.call(aws, stacks.outputs(aws, network), boundary, event)
    if said["reached"]:
        return well(f"{where.uri} answers, asked from inside the network")
    return failed(
        f"{where.uri} does not answer from inside the network: {said['says']}",
        "Is MongoDB up, does its name resolve there, and do its access list and firewall let "
        f"{aws.environment.network.vpc_cidr} in?",
    )
