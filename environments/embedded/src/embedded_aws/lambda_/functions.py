"""Lambda as on AWS: the runtime client, versions, execution roles and private DNS; no code, no function."""

import hashlib
import json
import mmap
import re
import threading
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from embedded_aws.core import ministack_names as private
from embedded_aws.core import runtime, type_table
from embedded_aws.ec2 import calls
from embedded_aws.lambda_ import pool, sandbox

_REFUSED = 'Resource handler returned message: "{} (Service: Lambda, Status Code: 400)"'
_AT_ONCE = 1000
"""An account's executions: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_NEVER_RESERVED = 100
_CALL = re.compile(r"/\d{4}-\d{2}-\d{2}/functions/?(?:(?P<name>[^/]+)/(?P<what>code|concurrency))?")
_TOO_MANY_RESERVED = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
    f" below its minimum value of [{_NEVER_RESERVED}]."
)


_keeping = threading.Lock()
_packages: "weakref.WeakValueDictionary[str, _Package]" = weakref.WeakValueDictionary()
"""By their SHA-256; one that no function has any more is let go."""


def install() -> None:
    """Replace MiniStack's executor for Python functions and refuse functions whose code is not in S3."""
    sandbox.forget_unused()
    private.lambda_svc.execute_function_warm = pool.execute
    private.lambda_svc.execute_function_docker = pool.refuse_image
    private.lambda_svc.provided_runtime_code_dir = sandbox.code_dir
    private.lambda_svc.provided_worker_env = sandbox.environment
    lambda_svc.invalidate_worker = pool.invalidate
    lambda_svc.reap_idle_workers = pool.reap
    private.lambda_svc.reserved_concurrency = _reserved
    lambda_svc.handle_request = _checked(lambda_svc.handle_request)
    lambda_svc.serve_function_code = _as_bytes(lambda_svc.serve_function_code)
    pool.install()
    handlers = type_table.stock_handlers("AWS::Lambda::Function")
    handlers["create"] = _create_by_stack(handlers["create"])
    handlers["update"] = _update_by_stack(handlers["update"])
    handlers["delete"] = _delete_by_stack(handlers["delete"])


def _reserved(record: dict[str, Any], config: dict[str, Any]) -> int | None:
    """Reserved concurrency is the function's, for all its versions; MiniStack asks the version's copy.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    reserved = (private.lambda_svc.functions.get(config["FunctionName"]) or record).get("concurrency")
    return None if reserved is None else int(reserved)


def missing_code(code: dict[str, Any]) -> str | None:
    """Tell why Lambda could not read a function's code from S3, in AWS's words; None when it can."""
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return None
    if private.s3.bucket_owner_account(bucket) is None:  # names are global: it may be another account's
        name, message = "NoSuchBucket", "The specified bucket does not exist"
    elif private.s3.get_object_data(bucket, key, version_id=code.get("S3ObjectVersion")) is None:
        name, message = "NoSuchKey", "The specified key does not exist."
    else:
        return None
    return f"Error occurred while GetObject. S3 Error Code: {name}. S3 Error Message: {message}"


def _checked(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Stand before the calls that give a function its code or its concurrency."""

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        call = _CALL.fullmatch(unquote(path))
        if method in {"POST", "PUT"} and call:
            message = _refusal(call["name"], call["what"], json.loads(body or b"{}"))
            if message:
                return error_response_json("InvalidParameterValueException", message, 400)
        answer = await stock(method, path, headers, body, query)
        if method in {"POST", "PUT"} and call:
            keep_packages_on_disk()
        return answer

    return handle_request


class _Package(mmap.mmap):
    """A package on disk that reads as its bytes. A copy is bytes, which is what MiniStack writes down."""

    def __deepcopy__(self, _memo: object) -> bytes:
        return self[:]


def keep_packages_on_disk() -> None:
    """Keep every package in a file, once, whichever functions and versions of all accounts have it."""
    for function in private.lambda_svc.functions.all_values():
        for record in (function, *function.get("versions", {}).values()):
            if isinstance(code := record.get("code_zip"), bytes) and code:
                record["code_zip"] = _on_disk(code)


def _on_disk(code: bytes) -> _Package:
    name = hashlib.sha256(code).hexdigest()
    with _keeping:
        package = _packages.get(name)
        if package is None:
            file = runtime.current().folder / "code" / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(code)
            with file.open("rb") as stream:
                package = _packages[name] = _Package(stream.fileno(), 0, access=mmap.ACCESS_READ)
        return package


def _as_bytes(stock: Callable[..., Any]) -> Callable[..., Any]:
    """A download of a package is an answer's body, which is sent as bytes."""

    def serve_function_code(*asked: Any, **named: Any) -> Any:
        status, headers, body = stock(*asked, **named)
        return status, headers, bytes(body)

    return serve_function_code


def _refusal(name: str | None, what: str | None, data: dict[str, Any]) -> str | None:
    if name is None:
        return missing_code(data.get("Code") or {})
    if what == "code":
        return missing_code(data)
    before = (private.lambda_svc.functions.get(name.rpartition(":")[2]) or {}).get("concurrency")
    wanted = data.get("ReservedConcurrentExecutions", 0)
    return _TOO_MANY_RESERVED if _too_many_reserved(wanted, before) else None


def _too_many_reserved(wanted: int, before: int | None) -> bool:
    """Lambda developer guide, "Configuring reserved concurrency": 100 stay for who reserves none."""
    reserved = sum(
        int(function.get("concurrency") or 0) for function in private.lambda_svc.functions.values()
    )
    return bool(wanted) and wanted > _AT_ONCE - reserved + (before or 0) - _NEVER_RESERVED


def _create_by_stack(stock: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's stacks forget these settings and take absent code for granted."""

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        _check_by_stack(properties)
        name, attributes = stock(logical_id, properties, stack_name)
        _settle(name, properties)
        return name, attributes

    return create


def _update_by_stack(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        _check_by_stack(new, private.lambda_svc.functions[physical_id].get("concurrency"))
        name, attributes = stock(physical_id, old, new, *rest)
        _settle(name, new)
        return name, attributes

    return update


def _delete_by_stack(stock: Callable[..., Any]) -> Callable[..., Any]:
    def delete(physical_id: str, properties: dict[str, Any]) -> None:
        stock(physical_id, properties)
        lambda_svc.invalidate_worker(
            physical_id, account=lambda_svc.get_account_id(), region=lambda_svc.get_region()
        )

    return delete


def _check_by_stack(properties: dict[str, Any], reserved_before: int | None = None) -> None:
    if message := missing_code(properties.get("Code") or {}):
        raise ValueError(_REFUSED.format(message))
    if _too_many_reserved(int(properties.get("ReservedConcurrentExecutions", 0)), reserved_before):
        raise ValueError(_REFUSED.format(_TOO_MANY_RESERVED))


def _settle(name: str, properties: dict[str, Any]) -> None:
    function = private.lambda_svc.functions[name]
    vpc = properties.get("VpcConfig") or {"SubnetIds": [], "SecurityGroupIds": []}
    function["config"]["VpcConfig"] = {**vpc, "VpcId": _vpc_of(vpc.get("SubnetIds") or [])}
    for setting in ("KMSKeyArn", "DeadLetterConfig"):
        if setting in properties:
            function["config"][setting] = json.loads(json.dumps(properties[setting]))
    reserved = properties.get("ReservedConcurrentExecutions")
    function["concurrency"] = None if reserved is None else int(reserved)
    keep_packages_on_disk()


def _vpc_of(subnets: list[str]) -> str:
    """Return the VPC that subnets are in; nothing where there is not just one."""
    try:
        described = calls.call("DescribeSubnets", SubnetId=subnets).iter("vpcId") if subnets else ()
    except ValueError:  # one of them is not there
        return ""
    vpcs = {element.text or "" for element in described}
    return vpcs.pop() if len(vpcs) == 1 else ""
