"""A cell: one scenario, its faults, everything that follows, and what the guarantees say of it."""

import dataclasses
import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from templates.definitions.tasks import DEADLINE_SECONDS
from tests.crash_matrix import lanes, pruning, sweeping
from tests.crash_matrix.clock import MINUTE, Clock
from tests.crash_matrix.executor import Endless, Execution, Outcome
from tests.crash_matrix.faults import FREEZES, PRUNED, Fault, Kind, Point, Visit
from tests.crash_matrix.injector import Injector
from tests.crash_matrix.invariants import TERMINAL, FinalState, Run, changed, late, violations
from tests.crash_matrix.laboratory import Laboratory
from tests.crash_matrix.memory import Contents
from tests.crash_matrix.scenario import Overtaking, Scenario
from tests.crash_matrix.world import Documents, World

_MOST_REDRIVES = 3
_STOPPED = "Stopped"
_FAIL = {"Type": "Fail", "Error": "Stopped"}
_NOT_HIDDEN = (Kind.PAST_DEADLINE, Kind.REPLAYED)
_UNTIL_REDRIVE = datetime.timedelta(days=13)
"""AWS lets 14 days pass; no gateway remembers a key for so long."""


@dataclass(frozen=True)
class _Saved:
    """A backup: what is put back, and what is in it."""

    contents: Contents
    documents: Documents


@dataclass(frozen=True)
class Result:
    """What came of a cell.

    Attributes:
        violations: sentences; none is what it should be.
        visits: the sites that the executions reached, in order.
        struck: the faults that happened.
        ends: how each execution ended, with its redrives.
    """

    violations: list[str]
    visits: list[Visit]
    struck: list[Fault]
    ends: list[str]


class Cell:
    """One run of a scenario with these faults; run it once."""

    def __init__(
        self, laboratory: Laboratory, world: World, definition: dict[str, Any], scenario: Scenario
    ) -> None:
        self._laboratory = laboratory
        self._world = world
        self._definition = definition
        self._scenario = scenario
        self._clock = Clock(world.start, MINUTE)
        self._deadlines: dict[str, datetime.datetime] = {}
        self._runs: list[Run] = []
        self._found: list[str] = []
        self._method = scenario.method
        self._saved: _Saved | None = None

    def run(self, faults: Sequence[Fault] = ()) -> Result:
        """Run it on restored data, and redrive what did not end by itself."""
        laboratory = self._laboratory
        self._world.restore(self._scenario)
        injector = Injector(faults, self._pass_deadline, self._look_for_late, self._overtake)
        reached: list[Visit] = injector.visits
        laboratory.injector = injector
        laboratory.now = self._clock.now
        laboratory.freezing = {f.site.rpartition(" / ")[0] for f in faults if f.kind in FREEZES}
        try:
            self._place_all()
            injector.lift()
            reached = [*injector.visits]  # what a redrive reaches is struck by nothing
            self._runs = [self._redriven(run) for run in self._runs]
            self._finish()
        except Endless as endless:
            self._found.append(f"endless: {endless}")
        finally:
            laboratory.turns = None
            injector.lift()
            for point in (Point.EFFECT, Point.STEP, Point.END):
                injector.release(point)
        documents = self._world.documents()
        if any(fault.kind in PRUNED for fault in faults):
            self._replay_pruned(injector)
        if self._saved:
            self._restore(self._saved)
        transparent = all(f.occurrence and f.kind not in _NOT_HIDDEN for f in faults)
        if self._scenario.overtaken_by is not Overtaking.EXECUTION:
            transparent &= all(f.kind is not Kind.OVERTAKEN for f in faults)
        after = FinalState(self._scenario, documents, self._runs, self._deadlines, transparent)
        return Result(
            [*self._found, *violations(after)],
            reached,
            injector.struck,
            [_summary(run) for run in self._runs],
        )

    def _place_all(self) -> None:
        executions = self._scenario.executions
        if len(executions) == 1:
            self._place(*executions)
            return
        turns = lanes.Turns({label: functools.partial(self._place, label) for label in executions})
        self._laboratory.turns = turns
        turns.run()
        self._laboratory.turns = None

    def _place(self, label: str, order_id: str = "") -> None:
        """Start an execution for an order, as whoever places it does."""
        order_id = order_id or self._scenario.executions[label]
        name = "-".join(part for part in (order_id, label) if part)
        execution = Execution(
            self._definition,
            name,
            lambda state, arguments: self._laboratory.invoke(label, self._method, state, arguments),
            self._clock,
        )
        self._expect(order_id)
        outcome = execution.start({"order_id": order_id})
        self._runs.append(Run(label, order_id, execution, outcome))

    def _expect(self, order_id: str) -> None:
        """Note the deadline of an execution that starts now.

        Of two executions of an order it is the later one's: whoever reserves first decides.
        """
        self._deadlines[order_id] = self._clock.now() + datetime.timedelta(seconds=DEADLINE_SECONDS)

    def _overtake(self) -> None:
        order_id, by = next(iter(self._scenario.executions.values())), self._scenario.overtaken_by
        if by in (Overtaking.CREATION, Overtaking.BOTH):
            self._world.create(self._scenario, order_id)
        if by in (Overtaking.EXECUTION, Overtaking.BOTH):
            self._place("overtaking", order_id)
        if by is Overtaking.SWEEP:
            self._sweep(order_id)
        if by is Overtaking.STOPPED:
            self._stop_half_way(order_id)
        if by is Overtaking.CONFIGURATION:
            self._method = self._scenario.configured
        if by is Overtaking.RESTORE:
            self._saved = _Saved(self._laboratory.memory.contents(), self._world.documents())

    def _sweep(self, order_id: str, status: str = "ABORTED") -> None:
        def invoke(state: str, arguments: dict[str, Any]) -> Any:
            return self._laboratory.invoke("sweeper", self._method, state, arguments)

        swept = sweeping.sweep(order_id, invoke, self._clock, status=status)
        if swept not in (sweeping.SWEPT, sweeping.ALONE):
            self._found.append(f"sweep: {order_id} ended in {swept}")

    def _stop_half_way(self, order_id: str) -> None:
        """Run another execution until it has done a step, and never again."""
        states, last = self._definition["States"], self._scenario.stops_after
        done = {**states[last], "Next": _STOPPED}
        stopped = {**self._definition, "States": {**states, last: done, _STOPPED: _FAIL}}
        self._expect(order_id)
        Execution(
            stopped,
            f"{order_id}-stopped",
            lambda state, arguments: self._laboratory.invoke("stopped", self._method, state, arguments),
            self._clock,
        ).start({"order_id": order_id})

    def _finish(self) -> None:
        """Sweep what an execution that was stopped has left, once the others are over."""
        if self._scenario.overtaken_by is Overtaking.STOPPED:
            for order in self._world.documents()["orders"]:
                if order["state"] not in (*TERMINAL, "NEW"):
                    self._sweep(order["_id"])

    def _restore(self, saved: "_Saved") -> None:
        """Put the backup back and sweep: what succeeded is parked for a person, and nothing is undone."""
        (run,) = self._runs
        if not run.outcome.succeeded:
            return
        self._laboratory.memory.put_back(saved.contents)
        self._sweep(run.order_id, status="SUCCEEDED")
        after = self._world.documents()
        for collection, field in (("products", "available"), ("users", "balance")):
            was, now = ([d[field] for d in documents[collection]] for documents in (saved.documents, after))
            if was != now:
                self._found.append(f"restore: {collection}' {field} was {was}, is {now}")
        if any(refund for refund in after["refunds"]):
            self._found.append("restore: a payment was refunded")
        for order in after["orders"]:
            if order["state"] not in ("NEEDS_ATTENTION", "COMPLETED"):
                self._found.append(f"restore: {order['_id']} is {order['state']}")
        self._complete(run)

    def _complete(self, run: Run) -> None:
        """Have a person complete what was delivered: it is as if the restore had never been.

        Of an order through a gateway the person names the PaymentIntent that took its money.
        """
        intents = self._laboratory.stripe.intents.values()
        taken = next((intent["id"] for intent in intents if intent["amount_received"]), None)
        refused = self._world.complete_lost(run.order_id, self._scenario.method, taken)
        if refused:
            self._found.append(f"restore: {run.order_id} cannot be completed: {refused}")
        after = FinalState(self._scenario, self._world.documents(), [run], {}, transparent=False)
        self._found += [f"restored and completed: {violation}" for violation in violations(after)]

    def _redriven(self, run: Run) -> Run:
        """Redrive an execution that stopped at a task, as a person does once the cause is mended."""
        outcome = run.outcome
        stops: list[Outcome] = []
        for _ in range(_MOST_REDRIVES):
            if outcome.succeeded or self._definition["States"][outcome.state]["Type"] == "Fail":
                break
            stops.append(outcome)
            self._clock.advance(_UNTIL_REDRIVE.total_seconds())
            outcome = run.execution.redrive()
        return dataclasses.replace(run, outcome=outcome, stops=tuple(stops))

    def _pass_deadline(self) -> None:
        ahead = max(self._deadlines.values()) - self._clock.now()
        self._clock.advance(max(0.0, ahead.total_seconds() + 1))

    def _replay_pruned(self, injector: Injector) -> None:
        """Let what is still held back land when the order's records are gone: it must change nothing."""
        ahead = self._world.start + pruning.AFTER - self._clock.now()
        self._clock.advance(ahead.total_seconds())
        if disputed := self._world.prune():
            self._found.append(f"replay: {disputed} orders are disputed")
        before = self._world.documents()
        kept = [*before["products"], *before["users"]]
        if any(document.get("holds") or document.get("operations") for document in kept):
            self._found.append("replay: there are records that were not pruned")
        injector.release(Point.PRUNED)
        late = [*(documents := self._world.documents())["products"], *documents["users"]]
        if any(document.get("holds") or document.get("operations") for document in late):
            self._found.append("replay: what came late has left records")
        self._found += [f"replay: {found}" for found in changed(before, self._world.documents())]

    def _look_for_late(self) -> None:
        self._found += [f"deadline: {found}" for found in late(self._world.documents(), self._deadlines)]


def _summary(run: Run) -> str:
    ended = "succeeded" if run.outcome.succeeded else f"{run.outcome.error} in {run.outcome.state}"
    return f"{run.execution.name}: {ended}, {run.execution.drive} redrives"
