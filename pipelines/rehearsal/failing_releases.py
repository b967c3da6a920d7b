"""Releases that must fail, each for its own reason, and what must be true afterwards.

The proof of the money path refuses the first; the others are broken where no check before the deployment can
see it. The pipeline meets what is wrong where the reason is and takes the stage back; the one before serves.
Orders are placed all the while.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.core.waiting import wait_until
from pipelines.orders import payment_stack
from pipelines.promotion import control, execution, failure_report, running_stack
from pipelines.rehearsal import rehearsal_orders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.execution import Promotion
    from pipelines.promotion.failure_report import FailureReport
    from pipelines.rehearsal.rehearsal import Rehearsal
    from pipelines.rehearsal.rehearsal_orders import Traffic

_COURIER: Final = "lambdas/arrange_delivery/handler.py"
_STAGING: Final = "environments/staging.yml"
_USERS: Final = "lambdas/data_api/storage/users.py"
_LOGIN: Final = "  authentication: "
_IMPORT: Final = "from payment_data import metrics\n"
_DELIVER: Final = "    arranged = api.deliver("


@dataclass(frozen=True, slots=True)
class FailingRelease:
    """A release that must fail.

    Attributes:
        name: What it is called.
        story: What is wrong with it.
        file: The file that its commit changes; nothing for a release that is fine but rejected.
        replaced: What is replaced in it, and by what.
        stage: The stage that must fail.
        action: The action that must fail in it.
        answer: What is said at the gate, where it comes that far.
    """

    name: str
    story: str
    file: str
    replaced: Mapping[str, str]
    stage: str
    action: str
    answer: tuple[bool, str] = (True, "approved as `rehearsal`")

    def files(self) -> dict[str, str]:
        """Return the files of its commit by path, whatever an earlier failing commit left in them.

        Raises:
            Refused: The source does not hold what this release replaces in it.
        """
        broken = {name: (ROOT / name).read_text(encoding="utf-8") for name in (_COURIER, _STAGING, _USERS)}
        for old, new in self.replaced.items():
            if old not in broken[self.file]:
                raise Refused(f"{self.file} does not hold what {self.name} replaces: {old.strip()}")
            broken[self.file] = broken[self.file].replace(old, new)
        return broken


def _no_courier(account: str) -> dict[str, str]:
    """Return code that rejects every delivery of one account, as a table that forgot it would."""
    rejects = f"""    if ":{account}:" in order.execution:
        raise DeliveryRejected("no courier serves this account")
"""
    return {
        _IMPORT: f"{_IMPORT}from payment_data.errors import DeliveryRejected\n",
        _DELIVER: rejects + _DELIVER,
    }


REJECTED: Final = (False, "the shop has its sale today; release it tomorrow")
CASES: Final = (
    FailingRelease(
        "money is taken twice",
        "a charge that is repeated is taken again, which no linter and no test without a database sees",
        _USERS,
        {'path: {"$exists": False}': 'path: {"$ne": "void"}'},
        "Build",
        "MoneyPath",
    ),
    FailingRelease(
        "smoke fails in staging",
        "no delivery is arranged in staging's account",
        _COURIER,
        _no_courier("222222222222"),
        "Staging",
        "Smoke",
    ),
    FailingRelease(
        "smoke fails in production",
        "no delivery is arranged in production's account, which only orders there can show",
        _COURIER,
        _no_courier("333333333333"),
        "Production",
        "Smoke",
    ),
    FailingRelease(
        "the template fails to deploy",
        "the data API reserves more concurrent executions than the account has, which Lambda alone refuses",
        _STAGING,
        {_LOGIN: f"  connections: 2850\n{_LOGIN}"},
        "Staging",
        "Deploy-payments",
    ),
    FailingRelease(
        "the approval is rejected", "nothing is wrong with it", "", {}, "Approve", "Approve", REJECTED
    ),
)


_LONGEST_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class FailingReleaseResult:
    """How a bad release ended.

    Attributes:
        bad: The release.
        followed: Its execution.
        after: What became of it.
        placed: How many orders were placed meanwhile.
        completed: How many of them were completed; the others were undone.
        problems: What is not as it must be; nothing when all is.
        seconds: How long it took.
    """

    bad: FailingRelease
    followed: Promotion
    after: FailureReport
    placed: int
    completed: int
    problems: list[str]
    seconds: float


def promote(
    prepared: Rehearsal,
    bad: FailingRelease,
    follow: Callable[[Promotion, Callable[[PendingApproval], tuple[bool, str] | None]], None],
) -> FailingReleaseResult:
    """Promote a failing release, wait for its rollback, and check what is left.

    Args:
        prepared: A rehearsal whose production runs a good release.
        bad: What to release.
        follow: Shows a promotion until it ends, and asks at its gate.
    """
    begun, before = time.monotonic(), _serving(prepared)
    where = "prod" if bad.stage in {"Production", "Approve"} else "staging"
    stack = payment_stack.connect(prepared.targets[where], f"payments-{where}")
    with rehearsal_orders.flowing(stack) as orders:
        failing = prepared.commit(prepared.tools.release_branch, bad.story, bad.files())
        follow(failing, lambda _: bad.answer)
        _await_rollback(prepared, failing, follow)
    after = failure_report.explain(prepared.aws, failing.pipeline, failing.execution)
    problems = [*_failed_as_expected(bad, after), *_served(prepared, before, bad), *_orders(orders)]
    return FailingReleaseResult(
        bad, failing, after, len(orders.placed), orders.completed(), problems, time.monotonic() - begun
    )


def _await_rollback(
    prepared: Rehearsal,
    failing: Promotion,
    follow: Callable[[Promotion, Callable[[PendingApproval], tuple[bool, str] | None]], None],
) -> None:
    rollback = failure_report.rollback_of(prepared.aws, failing.pipeline, failing.execution)
    if rollback:
        rollback_run = execution.Promotion("release", failing.pipeline, rollback["pipelineExecutionId"])
        follow(rollback_run, lambda _: None)


def _serving(prepared: Rehearsal) -> dict[str, dict[str, str]]:
    return {
        name: running_stack.digests(prepared.targets[name], f"payments-{name}")
        for name in ("staging", "prod")
    }


def _failed_as_expected(bad: FailingRelease, after: FailureReport) -> list[str]:
    problems = []
    if (after.stage, after.action) != (bad.stage, bad.action):
        problems.append(f"it failed in {after.stage}: {after.action}, not in {bad.stage}: {bad.action}")
    if bad.stage in {"Staging", "Production"} and after.restored != "Succeeded":
        problems.append(f"the stage was not taken back: {after.restored or 'nothing tried'}")
    if bad.answer == REJECTED and REJECTED[1] not in after.why:
        problems.append(f"it does not say why it was rejected: {after.why}")
    return problems


def _served(prepared: Rehearsal, before: dict[str, dict[str, str]], bad: FailingRelease) -> list[str]:
    """Return what keeps the release before from serving: its packages, its alias, a new order."""
    problems, now = [], _serving(prepared)
    # A release that production's stage refuses stays in staging, as on AWS.
    for name in ("staging", "prod") if bad.stage in {"Build", "Staging"} else ("prod",):
        if now[name] != before[name]:
            problems.append(f"{name} runs other packages than before")
        stack = prepared.targets[name].environment.default_stack
        versions = running_stack.live_versions(prepared.targets[name], stack)
        if len(versions) != 1:
            problems.append(f"{name}'s alias is shared by {versions}")
        last = rehearsal_orders.Traffic(payment_stack.connect(prepared.targets[name], stack))
        last.open()
        last.place()
        if last.await_ends() or last.completed() != 1:
            problems.append(f"{name} does not complete an order")
    return problems


def _orders(orders: Traffic) -> list[str]:
    wrong = orders.await_ends()
    problems = [f"{name}: {state}" for name, state in wrong.items()]
    if not orders.completed():
        problems.append("no order was completed meanwhile")
    return problems


def serves(prepared: Rehearsal) -> bool:
    """Return whether production has a good release already, which a rollback can return to."""
    passed = prepared.aws.client("codepipeline").list_pipeline_executions(
        pipelineName=control.name_of(prepared.aws, "release"),
        filter={"succeededInStage": {"stageName": "Production"}},
    )
    return bool(passed["pipelineExecutionSummaries"])


def idle(prepared: Rehearsal) -> None:
    """Wait until nothing runs in the release pipeline.

    Raises:
        TimedOut: Something does not end.
    """
    name = control.name_of(prepared.aws, "release")
    wait_until(
        lambda: all(run["status"] in execution.ENDED for run in control.executions(prepared.aws, name)),
        seconds=_LONGEST_SECONDS,
        every=prepared.aws.poll_seconds,
        what=f"every execution of {name} to end",
    )
