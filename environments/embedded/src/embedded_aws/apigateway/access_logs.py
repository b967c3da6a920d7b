"""Access logs of REST APIs: one line for each request, in the stage's own format; MiniStack writes none.

A stack's stage keeps its `AccessLogSetting`, which MiniStack drops. `$context.…` that nothing here knows is
`-`, as on AWS where a variable has no value.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

import re
import time
from collections.abc import Callable
from typing import Any

from ministack.services import apigateway_v1, cloudwatch_logs

_VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")
_STREAM = "access"


def install() -> None:
    """Write a line after each request."""
    apigateway_v1._handle_execute_in_scope = _logged(apigateway_v1._handle_execute_in_scope)


def formatted(form: str, values: dict[str, str]) -> str:
    """Return the stage's format with its variables filled in."""
    return _VARIABLE.sub(lambda variable: values.get(variable[1], "-"), form)


def _logged(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(api_id: str, stage: str, method: str, path: str, *rest: Any) -> Any:
        began = time.time()
        answer = await stock(api_id, stage, method, path, *rest)
        _write(api_id, stage, {"httpMethod": method, "path": path, "status": str(answer[0])}, began)
        return answer

    return handle


def _write(api_id: str, stage_name: str, values: dict[str, str], began: float) -> None:
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name) or {}
    setting = stage.get("accessLogSettings") or {}
    name = str(setting.get("destinationArn") or "").partition(":log-group:")[2]
    group = cloudwatch_logs._log_groups.get(name) if name else None
    if group is None:
        return
    now = int(time.time() * 1000)
    values |= {
        "requestId": cloudwatch_logs.new_uuid(),
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(began)),
        "responseLatency": str(now - int(began * 1000)),
    }
    if _STREAM not in group["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": name, "logStreamName": _STREAM})
    event = {"timestamp": now, "message": formatted(setting["format"], values), "ingestionTime": now}
    cloudwatch_logs._append_log_events(group["streams"][_STREAM], [event])
    cloudwatch_logs._fanout_to_subscription_filters(name, _STREAM, [event])
