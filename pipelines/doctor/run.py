"""Runs the checks in their order; a check that could not be made is unknown, not passed.

The first ones are here: Python and git on this machine, and credentials of the accounts in the files.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from environments import schema
from environments import tools as tools_file
from environments.groupings import PROMOTED
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.doctor import network, quotas, reachability, simulation, stacks
from pipelines.doctor.findings import Diagnosis, Finding, State, failed, unknown, well

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipelines.aws.accounts import Aws

_SIGN_IN: Final = "aws sso login, or set AWS_PROFILE, or pass --profile {}=PROFILE"
_REFUSED: Final = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}


def credentials(aws: Aws) -> Diagnosis:
    """Check that there are credentials and AWS accepts them.

    Raises:
        ClientError: AWS refused for another reason than the credentials.
    """
    sign_in = _SIGN_IN.format(aws.environment.name)
    if aws.session.get_credentials() is None:
        return failed("There are no AWS credentials here", sign_in)
    try:
        identity = aws.client("sts").get_caller_identity()
    except NoCredentialsError:
        return failed("There are no AWS credentials here", sign_in)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSED:
            raise
        return failed(f"AWS does not take the credentials: {error.response['Error']['Message']}", sign_in)
    return well(str(identity["Arn"]))


def account(aws: Aws) -> Diagnosis:
    """Check that the credentials belong to the account that the file names."""
    name, stated = aws.environment.name, aws.environment.account
    actual = str(aws.client("sts").get_caller_identity()["Account"])
    if actual == stated:
        return well(f"account {actual}, {aws.environment.region}")
    file = "environments/tools.yml" if name == "tools" else f"environments/{name}.yml"
    return failed(
        f"The credentials are of account {actual}, and {file} says {stated}",
        f"Choose its profile with --profile {name}=PROFILE, or write the right account into {file}.",
    )


_OLDEST: Final = (3, 11)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Diagnosis:
    """Check that Python is new enough."""
    has = ".".join(map(str, version))
    if version[:2] < _OLDEST:
        return failed(f"Python {has}, and 3.11 or newer is needed", "make PYTHON=python3.12 install")
    return well(f"Python {has}")


def git() -> Diagnosis:
    """Check that git runs: pushes start pipelines, and builds read when the source was committed."""
    program = shutil.which("git")
    if program is None:
        return failed("There is no git on the PATH", "Install it with your system's packages.")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if version.returncode:
        return failed(f"{program} does not run: {version.stderr.strip()}", "Install it again.")
    return well(version.stdout.strip())


_LOOK_YOURSELF = "Check it yourself, or ask somebody with the permission."


@dataclass(slots=True)
class Examination:
    """Findings, as they come.

    Attributes:
        reporter: Told which check is made.
        findings: What was found.
    """

    reporter: Reporter = NOBODY
    findings: list[Finding] = field(default_factory=list)

    def ask(self, where: str, check: str, question: Callable[[], Diagnosis]) -> State:
        """Make one check and note its finding; one that could not be made is unknown, not passed."""
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
        """Return how many checks ended in a state."""
        return sum(finding.state is state for finding in self.findings)


def examine(
    targets: Sequence[Aws],
    tools: Aws | None,
    bootstrap_of: Callable[[str], str],
    reporter: Reporter = NOBODY,
) -> Examination:
    """Make every check.

    Args:
        targets: The environments' accounts.
        tools: The pipelines' account; nothing where none of the environments is deployed by pipelines.
        bootstrap_of: Returns the name of an environment's bootstrap stack.
        reporter: Told which check is made.
    """
    examination = Examination(reporter)
    examination.ask("this machine", "Python", python)
    examination.ask("this machine", "git", git)
    if tools is not None and _right_account(examination, tools):
        examination.ask("tools", "pipelines", partial(stacks.pipelines, tools))
        examination.ask("tools", "connection", partial(stacks.connection, tools))
        for quota in quotas.BUILD_QUOTAS:
            examination.ask("tools", f"quota: {quota.name}", partial(quotas.enough, tools, quota))
    for aws in targets:
        if _right_account(examination, aws):
            for check, question in _checks(aws, bootstrap_of(aws.environment.name)):
                examination.ask(aws.environment.name, check, question)
    return examination


def _right_account(examination: Examination, aws: Aws) -> bool:
    """Check that the credentials reach the named account; in another everything would seem missing."""
    where = aws.environment.name
    accepted = examination.ask(where, "credentials", partial(credentials, aws))
    if accepted is State.OK and examination.ask(where, "account", partial(account, aws)) is State.OK:
        return True
    examination.ask(
        where,
        "everything in the account",
        lambda: unknown("It cannot be checked", "Fix the credentials first, then run this again."),
    )
    return False


def _checks(aws: Aws, bootstrap_stack: str) -> Iterator[tuple[str, Callable[[], Diagnosis]]]:
    if aws.environment.name in PROMOTED:
        yield "bootstrap stack", partial(stacks.bootstrap, aws, bootstrap_stack)
        yield "service-linked roles", partial(stacks.service_linked_roles, aws)
        yield "execution role", partial(simulation.execution_role, aws, bootstrap_stack, tools_file.load())
    yield "network stack", partial(stacks.network, aws)
    yield "peering accepted", partial(network.accepted, aws)
    yield "route to the database", partial(network.route_to_database, aws)
    yield "route back", partial(network.route_from_database, aws)
    yield "names of the database", partial(network.names_resolve, aws)
    yield "payment methods", partial(stacks.payment_methods, aws)
    yield "addresses", partial(network.apart, aws, [schema.load(name) for name in schema.names()])
    for quota in quotas.QUOTAS:
        yield f"quota: {quota.name}", partial(quotas.enough, aws, quota)
    yield "database", partial(reachability.database, aws, bootstrap_stack)
