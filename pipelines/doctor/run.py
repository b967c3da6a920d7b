"""Runs the checks in their order; what keeps one from looking is told, and is no pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from environments import schema
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.deploy.synth import PROMOTED
from pipelines.doctor import accounts, addresses, local_tools, peering, quotas, reachability, stacks
from pipelines.doctor.findings import Finding, State, Verdict, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipelines.aws.accounts import Aws

_LOOK_YOURSELF = "Look yourself, or ask somebody who may."


@dataclass(slots=True)
class Examination:
    """Findings, as they come.

    Attributes:
        reporter: Told what is being looked at.
        findings: What was found.
    """

    reporter: Reporter = NOBODY
    findings: list[Finding] = field(default_factory=list)

    def ask(self, where: str, check: str, question: Callable[[], Verdict]) -> State:
        """Make one check; what keeps it from looking is told, and is no pass."""
        self.reporter.passing(f"{where}: {check}")
        try:
            verdict = question()
        except Refused as refusal:
            verdict = unknown(refusal.message, refusal.hint or _LOOK_YOURSELF)
        except (ClientError, BotoCoreError) as error:
            verdict = unknown(f"AWS answered: {error}", _LOOK_YOURSELF)
        self.findings.append(Finding(check, where, verdict.state, verdict.says, verdict.remedy))
        return verdict.state

    def count(self, state: State) -> int:
        """How many checks ended so."""
        return sum(finding.state is state for finding in self.findings)


def examine(
    targets: Sequence[Aws], tools: Aws | None, bootstrap_stack: str, reporter: Reporter = NOBODY
) -> Examination:
    """Make every check.

    Args:
        targets: The environments' accounts.
        tools: The pipelines' account; nothing where none of the environments is deployed by pipelines.
        bootstrap_stack: What the stack is called that pipelines need in every account.
        reporter: Told what is being looked at.
    """
    found = Examination(reporter)
    found.ask("this machine", "Python", local_tools.python)
    found.ask("this machine", "git", local_tools.git)
    if tools is not None and _known(found, tools):
        found.ask("tools", "pipelines", partial(stacks.pipelines, tools))
        found.ask("tools", "connection", partial(stacks.connection, tools))
    for aws in targets:
        if _known(found, aws):
            for check, question in _checks(aws, bootstrap_stack):
                found.ask(aws.environment.name, check, question)
    return found


def _known(found: Examination, aws: Aws) -> bool:
    """Whether it is this very account that can be looked into; in another everything would be missing."""
    where = aws.environment.name
    has = found.ask(where, "credentials", partial(accounts.credentials, aws))
    if has is State.OK and found.ask(where, "account", partial(accounts.account, aws)) is State.OK:
        return True
    found.ask(
        where,
        "everything in the account",
        lambda: unknown("It cannot be looked into", "Mend the credentials first, then run this again."),
    )
    return False


def _checks(aws: Aws, bootstrap_stack: str) -> Iterator[tuple[str, Callable[[], Verdict]]]:
    if aws.environment.name in PROMOTED:
        yield "bootstrap stack", partial(stacks.bootstrap, aws, bootstrap_stack)
    yield "network stack", partial(stacks.network, aws)
    yield "peering accepted", partial(peering.accepted, aws)
    yield "route to the database", partial(peering.route_there, aws)
    yield "route back", partial(peering.route_back, aws)
    yield "addresses", partial(addresses.apart, aws, [schema.load(name) for name in schema.names()])
    for quota in quotas.QUOTAS:
        yield f"quota: {quota.name}", partial(quotas.enough, aws, quota)
    yield "database", partial(reachability.database, aws, bootstrap_stack)
