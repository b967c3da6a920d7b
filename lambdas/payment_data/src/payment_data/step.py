"""What makes a function a step of the workflow: its event is checked, its log and errors tell the story.

Step Functions sees an exception's class name as the error name, so a `Problem` is raised as it is.
"""

import functools
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from aws_lambda_powertools.logging import Logger

from payment_data import fields, metrics
from payment_data.client import DataApi, SignedHttp
from payment_data.errors import CRASH, InvalidOrder, Kind, Problem
from payment_data.metrics import invocation

Handler = Callable[[dict[str, Any], object], dict[str, Any]]
_ORDER_ID = fields.identifier("The order's id.")
_EXECUTION = fields.Text(2048, 1)
_DEADLINE = fields.Timestamp()
_REASON_LENGTH = 200


class Step(NamedTuple):
    """A checked event.

    Attributes:
        order_id: the order this is about.
        execution: ARN of the execution that asks.
        event: the event as it came, for what only one step reads.
    """

    order_id: str
    execution: str
    event: dict[str, Any]

    @property
    def deadline(self) -> str:
        """Return when the forward steps must have happened, RFC 3339, UTC.

        Raises:
            InvalidRequest: missing or not a time.
        """
        deadline = self.event.get("deadline")
        fields.validate(_DEADLINE, deadline, "deadline")
        return str(deadline)

    @property
    def reason(self) -> str:
        """Return why this is undone: the name of the error that is being compensated."""
        reason = self.event.get("reason")
        return reason[:_REASON_LENGTH] if isinstance(reason, str) and reason else "compensation"


def data_api() -> DataApi:
    """Return the data API that DATA_API_URL names, signed with this function's role."""
    return DataApi(SignedHttp(os.environ["DATA_API_URL"]))


def step(run: Callable[[Step], dict[str, Any]]) -> Handler:
    """Make `run` a Lambda handler.

    Raises:
        InvalidOrder: the event's order id is missing, no text, or not of an id's form.
        InvalidRequest: something the state machine itself supplies is wrong.
    """
    return logged(lambda event: run(checked(event)), run)


def checked(event: object) -> Step:
    """Return the event as a checked `Step`.

    Raises:
        InvalidOrder: the order id is missing or none.
        InvalidRequest: the execution's ARN is.
    """
    if not isinstance(event, dict):
        raise InvalidOrder("the event must be an object with an order_id")
    fields.validate(_ORDER_ID, event.get("order_id"), "order_id", InvalidOrder)
    fields.validate(_EXECUTION, event.get("execution"), "execution")
    return Step(event["order_id"], event["execution"], event)


def logged(run: Callable[[Any], dict[str, Any]], wraps: Callable[..., object] | None = None) -> Handler:
    """Make `run` a Lambda handler that logs its outcome with the order's id and raises what `run` raises.

    How long it took is a metric, by the function's name.
    """
    logger = Logger()  # service and level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL
    log_keys = logger.registered_formatter
    step_name = (wraps or run).__module__.partition(".")[0]

    @functools.wraps(wraps or run)
    def handler(event: Any, context: object) -> dict[str, Any]:
        log_keys.clear_state()  # by itself a third of what `structure_logs` takes
        log_keys.append_keys(**_identity(event), **invocation(context))
        began = time.perf_counter()
        try:
            outcome = run(event)
        except Problem as problem:
            _log_problem(logger, problem)
            raise
        except Exception as error:
            # Its type alone: a message may quote personal data. The runtime writes the traceback.
            logger.error("crashed", error=type(error).__name__, kind=CRASH)  # noqa: TRY400 - as above
            raise
        finally:
            metrics.milliseconds("StepDuration", (time.perf_counter() - began) * 1000, step=step_name)
        logger.info("done", outcome=outcome)
        return outcome

    return handler


def _identity(event: object) -> dict[str, Any]:
    event_fields = event if isinstance(event, dict) else {}
    values = {key: event_fields.get(key) for key in ("order_id", "execution")}
    return {key: value for key, value in values.items() if isinstance(value, str)}


def _log_problem(logger: Logger, problem: Problem) -> None:
    level = (
        logger.warning if problem.kind in (Kind.BUSINESS, Kind.NOT_APPLIED, Kind.PENDING) else logger.error
    )
    level("refused", error=type(problem).__name__, kind=problem.kind.value, detail=str(problem))
