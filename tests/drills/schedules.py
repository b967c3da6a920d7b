"""What a schedule starts each minute, in drills, whose minutes are shorter than EventBridge's."""

from __future__ import annotations

import contextlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from tests.drills.drill_aws import ALARM_MINUTE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drills.system import System

_SHORTEST_SECONDS: Final = 1.0
"""Between two starts, however short the minutes are: an alarm on silence needs one point in four minutes."""


@contextmanager
def each_minute(
    system: System, workflow: str, minute_seconds: float = ALARM_MINUTE_SECONDS
) -> Iterator[None]:
    """Start a workflow, by its logical id, in each of the drill's minutes while its rule is enabled.

    The role of the rule is not asked: where it may start nothing, the rule's own turns are refused.
    """
    over = threading.Event()

    def start() -> None:
        while not over.wait(max(minute_seconds, _SHORTEST_SECONDS)):
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
