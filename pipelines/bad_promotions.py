"""Releases that must fail, each for a reason of its own, and what must be true when they have.

A commit breaks something that no check before the deployment can see; the pipeline meets it where the reason
is, takes the stage back, and the release before serves. Orders are placed all the while.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines import aftermath, payment_stack, pipeline_control, promotion, running, traffic
from pipelines.payment_stack import default_stack
from pipelines.refusals import Refused
from pipelines.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.aftermath import Aftermath
    from pipelines.pipeline_control import Question
    from pipelines.promotion import Promotion
    from pipelines.rehearsal import Rehearsal
    from pipelines.traffic import Traffic

_LONGEST_SECONDS: Final = 900
_COURIER: Final = "lambdas/arrange_delivery/handler.py"
_FUNCTIONS: Final = "templates/capabilities/functions.py"
_ADDED: Final = "    template.add_resource(function)\n"
_IMPORT: Final = "from payment_data import metrics\n"
_DELIVER: Final = "    arranged = api.deliver("


@dataclass(frozen=True, slots=True)
class Bad:
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
        """The files of its commit, whatever an earlier bad one left in them."""
        broken = {name: (ROOT / name).read_text(encoding="utf-8") for name in (_COURIER, _FUNCTIONS)}
        for old, new in self.replaced.items():
            if old not in broken[self.file]:
                raise Refused(f"{self.file} does not hold what {self.name} replaces: {old.strip()}")
            broken[self.file] = broken[self.file].replace(old, new)
        return broken


def _no_courier(account: str) -> dict[str, str]:
    """Code that rejects every delivery of one account: the mistake of a table that forgot it."""
    rejects = f"""    if ":{account}:" in order.execution:
        raise DeliveryRejected("no courier serves this account")
"""
    return {
        _IMPORT: f"{_IMPORT}from payment_data.errors import DeliveryRejected\n",
        _DELIVER: rejects + _DELIVER,
    }


REJECTED: Final = (False, "the shop has its sale today; release it tomorrow")
CASES: Final = (
    Bad(
        "smoke fails in staging",
        "no delivery is arranged in staging's account",
        _COURIER,
        _no_courier("222222222222"),
        "Staging",
        "Smoke",
    ),
    Bad(
        "smoke fails in production",
        "no delivery is arranged in production's account, which only orders there can show",
        _COURIER,
        _no_courier("333333333333"),
        "Production",
        "Smoke",
    ),
    Bad(
        "the template fails to deploy",
        "functions reserve more concurrent executions than the account has, which Lambda alone refuses",
        _FUNCTIONS,
        {
            _ADDED: f"""{_ADDED}    if environment.name == "staging":
        function.ReservedConcurrentExecutions = 950
"""
        },
        "Staging",
        "Deploy-payments",
    ),
    Bad("the approval is rejected", "nothing is wrong with it", "", {}, "Approve", "Approve", REJECTED),
)


@dataclass(frozen=True, slots=True)
class Outcome:
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

    bad: Bad
    followed: Promotion
    after: Aftermath
    placed: int
    completed: int
    problems: list[str]
    seconds: float


def promote(
    prepared: Rehearsal,
    bad: Bad,
    follow: Callable[[Promotion, Callable[[Question], tuple[bool, str] | None]], None],
) -> Outcome:
    """Release it, let the pipeline do what it does about it, and look at what is left.

    Args:
        prepared: A rehearsal whose production runs a good release.
        bad: What to release.
        follow: Shows a promotion until it ends, and asks at its gate.
    """
    begun, before = time.monotonic(), _serving(prepared)
    where = "prod" if bad.stage in {"Production", "Approve"} else "staging"
    stack = payment_stack.connect(prepared.targets[where], f"payments-{where}")
    with traffic.flowing(stack) as orders:
        failing = prepared.commit(prepared.tools.release_branch, bad.story, bad.files())
        follow(failing, lambda _: bad.answer)
        _await_rollback(prepared, failing, follow)
    after = aftermath.of(prepared.aws, failing.pipeline, failing.execution)
    problems = [*_as_told(bad, after), *_served(prepared, before, bad), *_orders(orders)]
    return Outcome(
        bad, failing, after, len(orders.placed), orders.completed(), problems, time.monotonic() - begun
    )


def _await_rollback(
    prepared: Rehearsal,
    failing: Promotion,
    follow: Callable[[Promotion, Callable[[Question], tuple[bool, str] | None]], None],
) -> None:
    found = aftermath.rollback_of(prepared.aws, failing.pipeline, failing.execution)
    if found:
        back = promotion.Promotion("release", failing.pipeline, found["pipelineExecutionId"])
        follow(back, lambda _: None)


def _serving(prepared: Rehearsal) -> dict[str, dict[str, str]]:
    return {name: running.digests(prepared.targets[name], f"payments-{name}") for name in ("staging", "prod")}


def _as_told(bad: Bad, after: Aftermath) -> list[str]:
    found = []
    if (after.stage, after.action) != (bad.stage, bad.action):
        found.append(f"it failed in {after.stage}: {after.action}, not in {bad.stage}: {bad.action}")
    if bad.stage in {"Staging", "Production"} and after.restored != "Succeeded":
        found.append(f"the stage was not taken back: {after.restored or 'nothing tried'}")
    if bad.answer == REJECTED and REJECTED[1] not in after.why:
        found.append(f"it does not say why it was rejected: {after.why}")
    return found


def _served(prepared: Rehearsal, before: dict[str, dict[str, str]], bad: Bad) -> list[str]:
    """The release before must serve: its packages, all of the alias, and a new order."""
    found, now = [], _serving(prepared)
    # A release that production's stage refuses stays in staging, as on AWS.
    for name in ("staging", "prod") if bad.stage == "Staging" else ("prod",):
        if now[name] != before[name]:
            found.append(f"{name} runs other packages than before")
        stack = default_stack(prepared.targets[name].environment)
        versions = running.live_versions(prepared.targets[name], stack)
        if len(versions) != 1:
            found.append(f"{name}'s alias is shared by {versions}")
        last = traffic.Traffic(payment_stack.connect(prepared.targets[name], stack))
        last.open()
        last.place()
        if last.ends() or last.completed() != 1:
            found.append(f"{name} does not complete an order")
    return found


def _orders(orders: Traffic) -> list[str]:
    wrong = orders.ends()
    found = [f"{name}: {state}" for name, state in wrong.items()]
    if not orders.completed():
        found.append("no order was completed meanwhile")
    return found


def serves(prepared: Rehearsal) -> bool:
    """Whether a release serves in production already, which a bad one can be taken back to."""
    found = prepared.aws.client("codepipeline").list_pipeline_executions(
        pipelineName=pipeline_control.name_of(prepared.aws, "release"),
        filter={"succeededInStage": {"stageName": "Production"}},
    )
    return bool(found["pipelineExecutionSummaries"])


def idle(prepared: Rehearsal) -> None:
    """Wait until nothing runs in the release pipeline.

    Raises:
        Refused: Something does not end.
    """
    name, deadline = pipeline_control.name_of(prepared.aws, "release"), time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < deadline:
        if all(one["status"] in promotion.ENDED for one in pipeline_control.executions(prepared.aws, name)):
            return
        time.sleep(prepared.aws.poll_seconds)
    raise Refused(f"Something in {name} does not end.")
