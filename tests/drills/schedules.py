"""What a schedule starts each minute, in drills, whose minutes are shorter than EventBridge's."""

from __future__ import annotations

import contextlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tests.drills.drill_aws import ALARM_MINUTE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drills.system import System


@contextmanager
def each_minute(system: System, workflow: str) -> Iterator[None]:
    """Start a workflow, by its logical id, in each of the drill's minutes while its rule is enabled."""
    over = threading.Event()

    def start() -> None:
        while not over.wait(ALARM_MINUTE_SECONDS):
            with contextlib.suppress(ClientError):  # a drill may have deleted the stack, or what it needs
                rule = system.physical(f"{workflow}Schedule")
                if system.client("events").describe_rule(Name=rule)["State"] == "ENABLED":
                    machine = system.physical(workflow)
                    system.client("stepfunctions").start_execution(stateMachineArn=machine, input="{}")

    thread = threading.Thread(target=start)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
