"""Access logs of REST APIs: one line for each request, in the stage's own format; MiniStack writes none.

A stack's stage keeps its `AccessLogSetting`, which MiniStack drops. `$context.…` that nothing here knows is
`-`, as on AWS where a variable has no value.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import new_uuid, request_scope
from ministack.services import apigateway_v1, cloudwatch_logs

from embedded_aws.core import local_calls
from embedded_aws.core import ministack_names as private

_VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")
_STREAM = "access"


def install() -> None:
    """Write a line after each request."""
    apigateway_v1.handle_execute = _logged(apigateway_v1.handle_execute)


def formatted(form: str, values: dict[str, str]) -> str:
    """Return the stage's format with its variables filled in."""
    return _VARIABLE.sub(lambda variable: values.get(variable[1], "-"), form)


def _logged(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(api_id: str, stage: str, method: str, path: str, *rest: Any) -> Any:
        began = time.time()
        answer = await stock(api_id, stage, method, path, *rest)
        if scope := apigateway_v1.find_api_scope(api_id):
            values = {"httpMethod": method, "path": path, "status": str(answer[0])}
            with request_scope(*scope):
                await _write(api_id, stage, values, began)
        return answer

    return handle


async def _write(api_id: str, stage_name: str, values: dict[str, str], began: float) -> None:
    stage = private.apigateway_v1.stages_v1.get(api_id, {}).get(stage_name) or {}
    setting = stage.get("accessLogSettings") or {}
    name = str(setting.get("destinationArn") or "").partition(":log-group:")[2]
    if not name:
        return
    now = int(time.time() * 1000)
    values |= {
        "requestId": new_uuid(),
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(began)),
        "responseLatency": str(now - int(began * 1000)),
    }
    stream = {"logGroupName": name, "logStreamName": _STREAM}
    event = {"timestamp": now, "message": formatted(setting["format"], values)}
    with contextlib.suppress(ValueError):  # there is one, or the group is gone
        await local_calls.call_soon(cloudwatch_logs, "Logs_20140328.CreateLogStream", stream)
    with contextlib.suppress(ValueError):
        await local_calls.call_soon(
            cloudwatch_logs, "Logs_20140328.PutLogEvents", {**stream, "logEvents": [event]}
        )
