"""One acceptance run on a lent account: everything that this system is for, once, and then its removal.

All environments and the tools share the account. Whatever a phase comes to, the last one removes everything
and names what stays.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.promotion import control, execution, failure_report
from pipelines.promotion.execution import Promotion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from environments.tools import Tools
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval

APPROVED: Final = "approved in the acceptance run"
REMOVAL: Final = "removal"
_LONGEST_SECONDS: Final = 3 * 3600
"""A first release on AWS may take most of an hour, and a person's answer as long."""


class Repository(Protocol):
    """The repository that the pipelines watch."""

    def commit(self, branch: str, message: str, files: dict[str, str]) -> str:
        """Commit files to a branch, where the pipelines see it, and return the commit."""
        ...


@dataclass(slots=True)
class Acceptance:
    """A run, and what its phases know of each other.

    Attributes:
        aws: The lent account, as that of the tools.
        tools: What the pipelines are like.
        targets: The same account as that of branch, staging and prod.
        repository: Where commits are made.
        approves: Asked at each approval whether a release goes on.
        variables: Environment variables of builds, beside those of the pipelines.
        reporter: Shown the progress.
        releases: The digests of what each release runs in production, in order.
    """

    aws: Aws
    tools: Tools
    targets: Mapping[str, Aws]
    repository: Repository
    approves: Callable[[PendingApproval], bool]
    variables: Mapping[str, str] = field(default_factory=dict)
    reporter: Reporter = NOBODY
    releases: list[dict[str, str]] = field(default_factory=list)

    def follow(self, which: str, identifier: str, commit: str = "") -> Promotion:
        """Follow an execution of a pipeline to its end, and answer its approvals.

        Raises:
            Refused: It did not succeed.
        """
        name = control.name_of(self.aws, which)
        promotion = Promotion(which, name, identifier, commit)
        execution.follow(self.aws, promotion, self._show, self._decide, seconds=_LONGEST_SECONDS)
        if promotion.status != "Succeeded":
            report = failure_report.explain(self.aws, name, identifier, which)
            raise Refused(" ".join(report.sentences()))
        return promotion

    def push(self, which: str, branch: str, message: str, files: dict[str, str]) -> Promotion:
        """Commit to a branch, and follow what that starts to its end."""
        commit = self.repository.commit(branch, message, files)
        started = execution.started_by(self.aws, control.name_of(self.aws, which), commit)
        return self.follow(which, started, commit)

    def _show(self, promotion: Promotion) -> None:
        running = [f"{step.stage}: {step.action}" for step in promotion.steps if step.status == "InProgress"]
        waiting = [f"{stage} waits for {rule}" for stage, rule in promotion.conditions.items()]
        self.reporter.passing(f"{promotion.which}: {', '.join([*running, *waiting]) or promotion.status}")

    def _decide(self, question: PendingApproval) -> tuple[bool, str]:
        yes = self.approves(question)
        return yes, APPROVED if yes else "not approved in the acceptance run"


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run.

    Attributes:
        name: What it is called.
        does: What it does, in a few words.
        minutes: How long it takes on AWS, as estimated; nobody has measured it.
        run: Does it, and says what was seen.
    """

    name: str
    does: str
    minutes: int
    run: Callable[[Acceptance], str]


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """How a phase ended.

    Attributes:
        name: Its name.
        does: What it did, or would have done.
        ok: Whether it did; nothing where it was not reached.
        seconds: How long it took.
        seen: What was seen, or why it failed.
    """

    name: str
    does: str
    ok: bool | None
    seconds: float
    seen: str


def run(acceptance: Acceptance, phases: Sequence[Phase], removal: Phase) -> list[PhaseResult]:
    """Do one phase after the other until one fails, then the removal, and return how each ended."""
    results: list[PhaseResult] = []
    for phase in phases:
        if any(result.ok is not True for result in results):
            results.append(PhaseResult(phase.name, phase.does, None, 0, "not reached"))
        else:
            results.append(_done(acceptance, phase))
    return [*results, _done(acceptance, removal)]


def _done(acceptance: Acceptance, phase: Phase) -> PhaseResult:
    """Do a phase; somebody who interrupts it lets it fail, so that what was made is removed."""
    acceptance.reporter.say(f"{phase.name}: {phase.does}")
    began = time.monotonic()
    try:
        ok, seen = True, phase.run(acceptance)
    except Refused as refusal:
        ok, seen = False, " ".join(filter(None, (refusal.message, refusal.hint)))
    except (ClientError, BotoCoreError) as error:
        ok, seen = False, f"AWS answered: {error}"
    except KeyboardInterrupt:
        ok, seen = False, "interrupted"
    except Exception as error:  # noqa: BLE001 - whatever it is, what was made must be removed
        ok, seen = False, f"{type(error).__name__}: {error}"
    acceptance.reporter.say(f"{'✓' if ok else '✗'} {phase.name}: {seen}")
    return PhaseResult(phase.name, phase.does, ok, round(time.monotonic() - began, 3), seen)
