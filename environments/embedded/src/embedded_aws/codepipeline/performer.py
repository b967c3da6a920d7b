"""Does the engine's work on threads: actions and the rules of conditions; resumes it after a restart.

Resumes executions and begins to watch for pushes, once the endpoint answers.
"""

import functools
import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from embedded_aws.codebuild import records, sources
from embedded_aws.codepipeline import engine, executions, pushes
from embedded_aws.codepipeline.actions import action_runner
from embedded_aws.codepipeline.records import Execution
from embedded_aws.codepipeline.rules import checking
from embedded_aws.core import background, runtime


class Performer:
    """One named thread for each action and each condition."""

    @staticmethod
    def run_action(execution: Execution, identifier: str, *, again: bool = False) -> None:
        """Run an action; `again` when the process that began it is gone."""
        task = functools.partial(action_runner.perform, execution, identifier, again=again)
        background.start(f"action-{identifier}", task)

    @staticmethod
    def check_condition(execution: Execution, kind: str) -> None:
        """Check the rules of one of the current stage's conditions, all at once."""
        stage = executions.stage_of(execution)["name"]
        task = functools.partial(_check_rules, executions.key(execution), stage, kind)
        background.start(f"condition-{stage}-{kind}", task)


def resume() -> None:
    """Take up what the last process left: every execution goes on, or fails with a reason.

    Called once, when the endpoint answers.
    """
    records.fault_unfinished()
    sources.clear_folders()
    performer = Performer()
    for execution in executions.unfinished():
        for run in executions.actions_of(execution):
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
    records_in_order = [checking.begin(execution, stage, kind, rule) for rule in rules]
    with ThreadPoolExecutor(len(rules)) as pool:
        checked = list(pool.map(lambda record: checking.check(execution, record), records_in_order))
    engine.condition_checked(key, stage, kind, checked)


_START_SECONDS = 60.0


def install() -> None:
    """Connect the performer to the engine, and begin once the endpoint answers."""
    engine.connect(Performer())
    background.start("begin", _begin)


def _begin() -> None:
    """Wait until the endpoint answers, since executions that go on make calls at once."""
    place = urlsplit(runtime.current().endpoint)
    answers = functools.partial(_answers, str(place.hostname), int(place.port or 0))
    pause = runtime.current().stopping.wait
    if background.wait_for(answers, seconds=_START_SECONDS, every=0.05, pause=pause) is None:
        return
    resume()
    pushes.watch()


def _answers(host: str, port: int) -> bool | None:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200 or None  # noqa: PLR2004 - OK
    except OSError:
        return None
    finally:
        connection.close()
