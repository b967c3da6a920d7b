"""The phases of an acceptance run, from an empty account back to an empty account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from environments.groupings import PROMOTED
from pipelines.core import branch_names
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.core.waiting import wait_until
from pipelines.deploy import connect_database, pipelines, removal
from pipelines.doctor import lent_account, stacks
from pipelines.doctor.findings import State
from pipelines.orders import payment_stack, smoke
from pipelines.promotion import control, execution, running_stack
from pipelines.promotion.pipeline_outputs import OUTPUTS
from pipelines.rehearsal.acceptance import REMOVAL, Phase

if TYPE_CHECKING:
    from pipelines.promotion.execution import Promotion
    from pipelines.rehearsal.acceptance import Acceptance

BRANCH: Final = "feature/acceptance"
_CHANGED: Final = "lambdas/reserve_products/handler.py"
"""What tells the second release from the first, so that a rollback can be seen: one package of production."""
_PERSON_SECONDS: Final = 3600


def bootstrap(acceptance: Acceptance) -> str:
    """Deploy what pipelines need, and the pipelines."""
    changes = pipelines.deploy(
        acceptance.aws,
        acceptance.targets,
        acceptance.tools.rehearsed(),  # a window that is open and a bake of a minute; nobody buys here
        variables=acceptance.variables,
        reporter=acceptance.reporter,
    )
    for which in OUTPUTS:
        execution.stop_what_began(acceptance.aws, control.name_of(acceptance.aws, which))
    return f"{len(changes)} stacks: {', '.join(name.partition(': ')[2] for name in changes)}"


def connect(acceptance: Acceptance) -> str:
    """Wait until a person completed the connection to the repository, and Atlas asked for its own."""
    diagnosis = stacks.connection(acceptance.aws)
    if diagnosis.state is not State.OK:
        acceptance.reporter.say(f"{diagnosis.says}. {diagnosis.remedy}")
    connected = wait_until(
        lambda: state if (state := stacks.connection(acceptance.aws)).state is State.OK else None,
        seconds=_PERSON_SECONDS,
        every=acceptance.aws.poll_seconds * 2,
        what="somebody to complete the connection to the repository",
        hint=diagnosis.remedy,
    )
    seen = [connected.says]
    for name, target in acceptance.targets.items():
        if target.environment.database.kind != "atlas":
            continue
        for what, command in connect_database.commands(target).items():
            acceptance.reporter.say(f"{name}: {what}: {command}")
        peering = connect_database.connect(target, seconds=_PERSON_SECONDS, reporter=acceptance.reporter)
        seen.append(f"{name} reaches its database through {peering.peering}")
    return "; ".join(seen)


def branch(acceptance: Acceptance) -> str:
    """Push a branch, whose pipeline gives it a stack of its own."""
    promotion = acceptance.push("branch", BRANCH, "Accept a branch", {})
    return f"{branch_names.stack_name(BRANCH)} by {_actions(promotion)}"


def smoke_of_branch(acceptance: Acceptance) -> str:
    """Place synthetic orders on the branch's stack.

    Raises:
        Refused: One of them did not end as it must.
    """
    stack = payment_stack.connect(acceptance.targets["branch"], branch_names.stack_name(BRANCH))
    report = smoke.run(stack, acceptance.reporter)
    failed = [f"{check.name}: {check.detail}" for check in report.checks if not check.ok]
    if not report.passed:
        raise Refused(f"Smoke failed. {'; '.join(failed)} {report.error} {report.cause}".strip())
    return f"{len(report.checks)} checks passed"


def release(acceptance: Acceptance) -> str:
    """Push to the release branch, approve, and see production run what staging runs.

    Raises:
        Refused: Production runs something else than staging, or the same as after the release before.
    """
    number = len(acceptance.releases) + 1
    handler = (ROOT / _CHANGED).read_text(encoding="utf-8")
    files = {} if number == 1 else {_CHANGED: f"{handler}# Accepted as release {number}.\n"}
    message = f"Accept release {number}"
    promotion = acceptance.push("release", acceptance.tools.release_branch, message, files)
    runs = _runs(acceptance, "prod")
    if runs != _runs(acceptance, "staging"):
        raise Refused("Production does not run the packages that staging runs.")
    if runs in acceptance.releases:
        raise Refused("Production still runs the packages of the release before.")
    acceptance.releases.append(runs)
    return f"{promotion.commit[:12]} is in production, as staging runs it, by {_actions(promotion)}"


def rollback(acceptance: Acceptance) -> str:
    """Roll production back, and see it run the first release again.

    Raises:
        Refused: It runs something else.
    """
    name = control.name_of(acceptance.aws, "release")
    promotion = acceptance.follow("release", control.rollback(acceptance.aws, name, "Production"))
    if _runs(acceptance, "prod") != acceptance.releases[0]:
        raise Refused("Production does not run the packages of the first release.")
    return f"production runs the packages of the first release again, by {_actions(promotion)}"


def remove(acceptance: Acceptance) -> str:
    """Remove every stack of every environment and of the tools, and what they keep on purpose.

    Raises:
        Refused: Something stays; it is named.
    """
    _stop_pipelines(acceptance)
    # What one environment must leave to the others, as the role of API Gateway, goes in the second round.
    stays = _removed(acceptance) and _removed(acceptance)
    stays += [f"stack {name} stays" for name in lent_account.stacks_of_ours(acceptance.aws)]
    for aws in (*acceptance.targets.values(), acceptance.aws):
        kept = removal.find(aws, acceptance.tools).kept
        stays += [f"{resource.kind} {resource.name} stays" for resource in kept]
    if stays:
        raise Refused("; ".join(dict.fromkeys(stays)), "Remove them: payments remove --everything")
    return "nothing stays but keys that wait for their deletion, and AWS's own service-linked roles"


def _removed(acceptance: Acceptance) -> list[str]:
    """Remove what can be removed now, and return a sentence on each thing that could not be."""
    stays: list[str] = []
    for aws in (*acceptance.targets.values(), acceptance.aws):
        try:
            stays += removal.remove(aws, removal.find(aws, acceptance.tools), acceptance.reporter)
        except Refused as refusal:
            stays.append(refusal.message)
        except (ClientError, BotoCoreError) as error:
            stays.append(f"AWS answered: {error}")
    return stays


def _stop_pipelines(acceptance: Acceptance) -> None:
    """Stop what a failed phase left running, so that nothing is made while all is removed."""
    if stacks.pipelines(acceptance.aws).state is State.OK:
        for which in OUTPUTS:
            execution.stop_what_began(acceptance.aws, control.name_of(acceptance.aws, which))


def _runs(acceptance: Acceptance, name: str) -> dict[str, str]:
    target = acceptance.targets[name]
    return running_stack.digests(target, target.environment.default_stack)


def _actions(promotion: Promotion) -> str:
    return f"{len(promotion.steps)} actions in {len(promotion.seconds())} stages"


PHASES: Final = (
    Phase("bootstrap", f"deploy roles and networks of {', '.join(PROMOTED)}, and pipelines", 20, bootstrap),
    Phase("connections", "wait for the repository's and the databases' connections", 10, connect),
    Phase("branch", f"push {BRANCH}, which gets a stack of its own", 25, branch),
    Phase("smoke", "place synthetic orders on it", 2, smoke_of_branch),
    Phase("release", "push to the release branch, approve, and compare production with staging", 40, release),
    Phase("second release", "the same with another package", 30, release),
    Phase("rollback", "roll production back to the first release", 10, rollback),
)
LAST: Final = Phase(REMOVAL, "remove everything, and look for what stays", 45, remove)
MINUTES: Final = sum(phase.minutes for phase in (*PHASES, LAST))
DOLLARS: Final = 5
"""What it costs, at most: some 100 build minutes, three interface endpoints in two zones for hours, and the
pipelines' minutes; keys, alarms and buckets cost by the month."""
