"""Step Functions' semantics for the generated definition: one state after another, in virtual time.

Retry and Catch: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
Assign and Output: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
Redrive: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html (the unsuccessful state
runs again with its input and the variables it had, its retries start anew, and RedriveCount grows).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.crash_matrix.clock import Clock
from tests.crash_matrix.expressions import QueryFailed, render

JsonObject = dict[str, Any]
_MOST_TRANSITIONS = 100
_MOST_RETRIES = 3
"""More retries of what always fails show nothing more, and cost most of the time; their budget is tested with
the definition. Two faults that pass need two."""
_NOT_IN_ALL = frozenset({"States.DataLimitExceeded", "States.Runtime"})


class TaskFailed(Exception):  # noqa: N818 - Step Functions' word
    """A task's error, as Retry and Catch see it."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


class Endless(Exception):  # noqa: N818 - what it is
    """The execution goes round in circles."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a task: what it ended with, None for success."""

    state: str
    drive: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended, and in which state."""

    succeeded: bool
    state: str
    error: str = ""
    cause: str = ""
    output: Any = None


Invoke = Callable[[str, JsonObject], Any]
"""Runs a task: its state's name and its Arguments; returns its result or raises TaskFailed."""


def matches(names: list[str], error: str) -> bool:
    """Tell whether an ErrorEquals list names this error."""
    if error in names:
        return True
    if error in _NOT_IN_ALL:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


@dataclass
class Execution:
    """One execution of a definition; `start` it once, `redrive` it as often as needed."""

    definition: Mapping[str, Any]
    name: str
    invoke: Invoke
    clock: Clock
    attempts: list[Attempt] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)

    def start(self, execution_input: Any) -> Outcome:
        """Run from the first state to the end."""
        machine = "arn:aws:states:eu-west-1:000000000000:stateMachine:payment-workflow"
        self._context: JsonObject = {
            "Execution": {
                "Id": f"{machine.replace('stateMachine', 'execution')}:{self.name}",
                "Input": execution_input,
                "Name": self.name,
                "StartTime": self.clock.timestamp(),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": machine, "Name": "payment-workflow"},
        }
        self._variables: JsonObject = {}
        self._next: str | None = str(self.definition["StartAt"])
        self._value: Any = execution_input
        return self._run()

    def redrive(self) -> Outcome:
        """Run again from the state that failed."""
        self._context["Execution"]["RedriveCount"] += 1
        self._context["Execution"]["RedriveTime"] = self.clock.timestamp()
        return self._run()

    @property
    def drive(self) -> int:
        """How often it was redriven."""
        return int(self._context["Execution"]["RedriveCount"])

    def _run(self) -> Outcome:
        state = ""
        for _ in range(_MOST_TRANSITIONS):
            if self._next is None:
                return Outcome(succeeded=True, state=state, output=self._value)
            state = self._next
            self.visited.append(state)
            self._context["State"] = {"Name": state, "EnteredTime": self.clock.timestamp(), "RetryCount": 0}
            try:
                self._next, self._value = self._step(state, self.definition["States"][state])
            except TaskFailed as failure:
                self._next = state
                return Outcome(succeeded=False, state=state, error=failure.error, cause=failure.cause)
        raise Endless(f"no end after {_MOST_TRANSITIONS} states: {self.visited[-8:]}")

    def _step(self, name: str, state: JsonObject) -> tuple[str | None, Any]:
        match state["Type"]:
            case "Task":
                return self._task(name, state)
            case "Choice":
                return self._choice(state)
            case "Succeed":
                return None, self._leave(state)
            case "Pass":
                return state.get("Next"), self._leave(state)
            case "Wait":
                self.clock.advance(self._query(state["Seconds"]))
                return state.get("Next"), self._leave(state)
            case "Fail":
                raise TaskFailed(self._query(state.get("Error", "")), self._query(state.get("Cause", "")))
        raise NotImplementedError(f"a {state['Type']} state is not executed here")

    def _task(self, name: str, state: JsonObject) -> tuple[str | None, Any]:
        retriers = [_Retrier(rule) for rule in state.get("Retry", ())]
        while True:
            try:
                result = self._attempt(name, state)
                return state.get("Next"), self._leave(state, result=result)
            except TaskFailed as failure:
                delay = next((r.delay() for r in retriers if matches(r.names, failure.error)), None)
                if delay is None:
                    return self._caught(state, failure)
                self.clock.advance(delay)
                self._context["State"]["RetryCount"] += 1

    def _attempt(self, name: str, state: JsonObject) -> Any:
        try:
            result = self.invoke(name, self._query(state.get("Arguments", self._value)))
        except TaskFailed as failure:
            if failure.error == "States.Timeout":
                self.clock.advance(self._query(state.get("TimeoutSeconds", 99_999_999)))
            self.attempts.append(Attempt(name, self.drive, failure.error))
            raise
        self.attempts.append(Attempt(name, self.drive, None))
        return result

    def _caught(self, state: JsonObject, failure: TaskFailed) -> tuple[str, Any]:
        error_output = {"Error": failure.error, "Cause": failure.cause}
        for catcher in state.get("Catch", ()):
            if matches(catcher["ErrorEquals"], failure.error):
                return catcher["Next"], self._leave(catcher, error_output=error_output)
        raise failure

    def _choice(self, state: JsonObject) -> tuple[str, Any]:
        for rule in state["Choices"]:
            if self._query(rule["Condition"]) is True:
                return rule["Next"], self._leave(rule)
        if "Default" not in state:
            raise TaskFailed("States.NoChoiceMatched")
        return state["Default"], self._leave(state)

    def _leave(self, rule: JsonObject, **about: Any) -> Any:
        """Evaluate Output and Assign side by side: neither sees what the other does."""
        default = next(iter(about.values()), self._value)
        output = self._query(rule["Output"], **about) if "Output" in rule else default
        self._variables |= self._query(rule.get("Assign", {}), **about)
        return output

    def _query(self, template: Any, *, result: Any = None, error_output: Any = None) -> Any:
        states: JsonObject = {"input": self._value, "context": self._context}
        if result is not None:
            states["result"] = result
        if error_output is not None:
            states["errorOutput"] = error_output
        try:
            return render(template, {**self._variables, "states": states})
        except QueryFailed as error:
            raise TaskFailed("States.QueryEvaluationError", str(error)) from error


class _Retrier:
    """One Retry rule and what is left of it in this visit of its state."""

    def __init__(self, rule: JsonObject) -> None:
        self.names: list[str] = rule["ErrorEquals"]
        self._delays = self._schedule(rule)

    def delay(self) -> float | None:
        """Seconds until the next attempt, None if there is none; full jitter counts as its longest."""
        return next(self._delays, None)

    @staticmethod
    def _schedule(rule: JsonObject) -> Iterator[float]:
        delay = float(rule.get("IntervalSeconds", 1))
        for _ in range(min(rule.get("MaxAttempts", 3), _MOST_RETRIES)):
            yield min(delay, rule.get("MaxDelaySeconds", delay))
            delay *= rule.get("BackoffRate", 2.0)
