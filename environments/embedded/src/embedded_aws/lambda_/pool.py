"""Who runs an invocation: sandboxes per function version, at most eight, started two at a time.

Where AWS would start another sandbox, a call waits for a free one: on a machine with two processors more of
them would only make every one slow. A sandbox whose function is updated finishes what it does, as on AWS.
"""

import secrets
import threading
import time
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import ProvidedInitTimeout, ProvidedRuntimeError
from ministack.services import lambda_svc

from embedded_aws.cloudwatch import service_metrics
from embedded_aws.core import ministack_names as private
from embedded_aws.lambda_.sandbox import InitError, Sandbox

_PER_VERSION = 8
_STARTING_AT_ONCE = 2
_IDLE_SECONDS = 180.0

_changed = threading.Condition()
_sandboxes: dict[tuple[str, str, str, str], list[Sandbox]] = {}
"""By account, region, function and version."""
_REAP_SECONDS = 30.0
_starting = threading.Semaphore(_STARTING_AT_ONCE)


def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Run one invocation and return MiniStack's result record; takes the place of its warm executor."""
    config = function.get("config") or function
    if not str(config.get("Runtime", "")).startswith("python"):
        return _failed("Runtime.NotEmulated", f"runtime {config.get('Runtime')} is not emulated here")
    began = time.monotonic()
    result = _run(config, function["code_zip"], event, request_id)
    seconds = time.monotonic() - began
    service_metrics.count_invocation(config["FunctionName"], seconds, failed=bool(result.get("error")))
    return result


def refuse_image(*_: Any) -> dict[str, Any]:
    """Answer {body, error, log} where a function is a container image, or of a runtime that only one has."""
    return _failed("Runtime.NotEmulated", "functions from container images are not emulated here")


def _run(config: dict[str, Any], code_zip: bytes, event: Any, request_id: str) -> dict[str, Any]:
    sandbox = _lease(config, code_zip)
    try:
        result = sandbox.invoke(
            event,
            request_id,
            trace_id=_trace(config),
            invoked_function_arn=config.get("FunctionArn", ""),
        )
    except InitError as error:
        return {"body": error.payload, "error": True, "log": sandbox._drain_stderr_bounded()}
    except ProvidedInitTimeout:
        return _failed("Sandbox.Timedout", _timed_out(config, request_id), sandbox._drain_stderr_bounded())
    except ProvidedRuntimeError as error:
        return _failed(error.error_type, str(error), sandbox._drain_stderr_bounded())
    finally:
        sandbox.on_spawned()
        _release(sandbox)
    return _record(result, config, request_id)


def _trace(config: dict[str, Any]) -> str | None:
    """Return a trace header of its own for a function that is traced.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    if (config.get("TracingConfig") or {}).get("Mode") != "Active":
        return None
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=1"


def install() -> None:
    """End sandboxes that nobody calls any more, and all of them at a reset."""
    stock = lambda_svc.reset

    def reset() -> None:
        stock()
        with _changed:
            sandboxes = [sandbox for each in _sandboxes.values() for sandbox in each]
            _sandboxes.clear()
        lambda_runtime.kill_workers(sandboxes)

    lambda_svc.reset = reset
    threading.Thread(target=_keep_reaping, daemon=True).start()


def _keep_reaping() -> None:
    while True:
        time.sleep(_REAP_SECONDS)
        reap()


def invalidate(
    function_name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
) -> None:
    """Retire the sandboxes of a function (or one version of it): idle ones now, busy ones when done."""
    with _changed:
        retired = []
        for key in list(_sandboxes):
            its_account, its_region, name, version = key
            wanted = name == function_name and qualifier in (None, version)
            if wanted and account in (None, its_account) and region in (None, its_region):
                retired += _sandboxes.pop(key)
        for sandbox in retired:
            sandbox.retired = True
        idle = [sandbox for sandbox in retired if not sandbox.in_use]
    lambda_runtime.kill_workers(idle)


def reap(_: float | None = None) -> int:
    """End sandboxes that nobody called for three minutes, the last one of a version too."""
    now = time.time()
    with _changed:
        idle = []
        for key, sandboxes in list(_sandboxes.items()):
            old = [s for s in sandboxes if not s.in_use and now - s.last_used > _IDLE_SECONDS]
            idle += old
            _sandboxes[key] = [s for s in sandboxes if s not in old]
    lambda_runtime.kill_workers(idle)
    return len(idle)


def close() -> None:
    """Start no sandbox any more, not even for an event's second try; those there end with the session."""
    private.lambda_svc.provided_code_lock.acquire()  # processes are started under it; nobody gets it again


def _lease(config: dict[str, Any], code_zip: bytes) -> Sandbox:
    name, version = config["FunctionName"], config.get("Version", "$LATEST")
    _, _, _, region, account, *_ = config["FunctionArn"].split(":")
    key = (account, region, name, version)
    with _changed:
        while True:
            sandboxes = _sandboxes.setdefault(key, [])
            for sandbox in sandboxes:
                if not sandbox.in_use:
                    sandbox.in_use = True
                    return sandbox
            if len(sandboxes) < _PER_VERSION and _starting.acquire(blocking=False):
                sandbox = Sandbox(name, config, code_zip)
                sandbox.in_use = True
                sandbox.on_spawned = _started_once(sandbox)
                sandboxes.append(sandbox)
                return sandbox
            _changed.wait()


def _started_once(sandbox: Sandbox) -> Any:
    def started() -> None:
        sandbox.on_spawned = lambda: None
        with _changed:
            _starting.release()
            _changed.notify_all()

    return started


def _release(sandbox: Sandbox) -> None:
    with _changed:
        sandbox.in_use = False
        sandbox.last_used = time.time()
        _changed.notify_all()
    if sandbox.retired:
        lambda_runtime.kill_workers([sandbox])


def _record(result: dict[str, Any], config: dict[str, Any], request_id: str) -> dict[str, Any]:
    if result["status"] == "ok":
        return {"body": result["result"], "log": result["log"]}
    payload = result["error_payload"]
    if payload["errorType"] == "Sandbox.Timedout":
        return _failed("Sandbox.Timedout", _timed_out(config, request_id), result["log"])
    if payload["errorType"] == "Runtime.ExitError":
        message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        return _failed("Runtime.ExitError", message, result["log"])
    return {"body": payload, "error": True, "log": result["log"]}


def _timed_out(config: dict[str, Any], request_id: str) -> str:
    return (
        f"RequestId: {request_id} Error: Task timed out after {float(config.get('Timeout', 3)):.2f} seconds"
    )


def _failed(error_type: str, message: str, log: str = "") -> dict[str, Any]:
    return {"body": {"errorType": error_type, "errorMessage": message}, "error": True, "log": log}
