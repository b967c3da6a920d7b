"""Lambda as on AWS: the runtime client, versions, execution roles and private DNS; no code, no function."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, s3

from embedded_aws.core import type_table
from embedded_aws.lambda_ import pool, sandbox

_REFUSED = 'Resource handler returned message: "{} (Service: Lambda, Status Code: 400)"'
_NEVER_RESERVED = 100
_TOO_MANY_RESERVED = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
    f" below its minimum value of [{_NEVER_RESERVED}]."
)


def install() -> None:
    """Replace MiniStack's executor for Python functions and refuse functions whose code is not in S3."""
    sandbox.forget_unused()
    lambda_svc._execute_function_warm = pool.execute
    lambda_svc._execute_function_docker = pool.refuse_image
    lambda_svc._provided_runtime_code_dir = sandbox.code_dir
    lambda_svc._provided_worker_env = sandbox.environment
    lambda_svc.invalidate_worker = pool.invalidate
    lambda_svc.reap_idle_workers = pool.reap
    lambda_svc._reserved_concurrency = _reserved
    lambda_svc._create_function = _checked(lambda_svc._create_function, lambda data: data.get("Code") or {})
    lambda_svc._update_code = _checked_update(lambda_svc._update_code)
    lambda_svc._put_function_concurrency = _checked_concurrency(lambda_svc._put_function_concurrency)
    handlers = type_table.stock_handlers("AWS::Lambda::Function")
    handlers["create"] = _create_by_stack(handlers["create"])
    handlers["update"] = _update_by_stack(handlers["update"])
    handlers["delete"] = _delete_by_stack(handlers["delete"])


def _reserved(record: dict[str, Any], config: dict[str, Any]) -> int | None:
    """Reserved concurrency is the function's, for all its versions; MiniStack asks the version's copy.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    reserved = (lambda_svc._functions.get(config["FunctionName"]) or record).get("concurrency")
    return None if reserved is None else int(reserved)


def missing_code(code: dict[str, Any]) -> str | None:
    """Tell why Lambda could not read a function's code from S3, in AWS's words; None when it can."""
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return None
    if s3._bucket_owner_account(bucket) is None:  # names are global: it may be another account's
        name, message = "NoSuchBucket", "The specified bucket does not exist"
    elif s3._get_object_data(bucket, key, version_id=code.get("S3ObjectVersion")) is None:
        name, message = "NoSuchKey", "The specified key does not exist."
    else:
        return None
    return f"Error occurred while GetObject. S3 Error Code: {name}. S3 Error Message: {message}"


def _checked(
    stock: Callable[..., Any], code_of: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[..., Any]:
    def create(data: dict[str, Any]) -> Any:
        return _refusal(code_of(data)) or stock(data)

    return create


def _checked_update(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(name: str, data: dict[str, Any]) -> Any:
        return _refusal(data) or stock(name, data)

    return update


def _checked_concurrency(stock: Callable[..., Any]) -> Callable[..., Any]:
    def put(name: str, data: dict[str, Any]) -> Any:
        before = (lambda_svc._functions.get(name) or {}).get("concurrency")
        if _too_many_reserved(data.get("ReservedConcurrentExecutions", 0), before):
            return lambda_svc.error_response_json("InvalidParameterValueException", _TOO_MANY_RESERVED, 400)
        return stock(name, data)

    return put


def _too_many_reserved(wanted: int, before: int | None) -> bool:
    """Lambda developer guide, "Configuring reserved concurrency": 100 stay for who reserves none."""
    account = json.loads(lambda_svc._get_account_settings()[2])["AccountLimit"]
    return (
        bool(wanted) and wanted > account["UnreservedConcurrentExecutions"] + (before or 0) - _NEVER_RESERVED
    )


def _refusal(code: dict[str, Any]) -> Any:
    message = missing_code(code)
    return message and lambda_svc.error_response_json("InvalidParameterValueException", message, 400)


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
        _check_by_stack(new, lambda_svc._functions[physical_id].get("concurrency"))
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
    function = lambda_svc._functions[name]
    function["config"]["VpcConfig"] = lambda_svc._vpc_config_with_id(properties.get("VpcConfig"))
    for setting in ("KMSKeyArn", "DeadLetterConfig"):
        if setting in properties:
            function["config"][setting] = json.loads(json.dumps(properties[setting]))
    reserved = properties.get("ReservedConcurrentExecutions")
    function["concurrency"] = None if reserved is None else int(reserved)
