"""Does the engine's work on threads: actions and the rules of conditions; resumes it after a restart."""

import functools
from concurrent.futures import ThreadPoolExecutor

from embedded_aws.codebuild import records, runner
from embedded_aws.codepipeline import action_runs, engine, executions
from embedded_aws.codepipeline.actions import action_runner
from embedded_aws.codepipeline.rules import checking
from embedded_aws.core import threads
from embedded_aws.core.api import Json


class Performer:
    """One named thread for each action and each condition."""

    @staticmethod
    def run_action(execution: Json, identifier: str, *, again: bool = False) -> None:
        """Run an action; `again` when the process that began it is gone."""
        task = functools.partial(action_runner.perform, execution, identifier, again=again)
        threads.start(f"action-{identifier}", task)

    @staticmethod
    def check_condition(execution: Json, kind: str) -> None:
        """Check the rules of one of the current stage's conditions, all at once."""
        stage = executions.stage_of(execution)["name"]
        task = functools.partial(_check_rules, executions.key(execution), stage, kind)
        threads.start(f"condition-{stage}-{kind}", task)


def install() -> Performer:
    """Connect a performer to the engine and return it."""
    performer = Performer()
    engine.connect(performer)
    return performer


def resume() -> None:
    """Take up what the last process left: every execution goes on, or fails with a reason.

    Called once, when the endpoint answers.
    """
    records.fault_unfinished()
    runner.clear()
    performer = Performer()
    for execution in executions.unfinished():
        for run in action_runs.of_execution(execution):
            if run["status"] == "InProgress":
                performer.run_action(execution, run["id"], again=True)
        for kind, state in executions.run_of(execution)["conditions"].items():
            if state["status"] == "InProgress":  # rules only look, so they are checked once more
                performer.check_condition(execution, kind)
        engine.update(executions.key(execution))


def _check_rules(key: tuple[str, ...], stage: str, kind: str) -> None:
    execution = executions.find(*key)
    if execution is None:
        return
    rules = executions.stage_of(execution)[kind]["conditions"][0]["rules"]
    # "An ordered set of rules that are evaluated together" (user guide, "Configure conditions for a stage").
    with ThreadPoolExecutor(len(rules)) as pool:
        checked = list(pool.map(lambda rule: checking.check(execution, stage, kind, rule), rules))
    engine.condition_checked(key, stage, kind, checked)
