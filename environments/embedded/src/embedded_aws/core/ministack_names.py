"""The one door to MiniStack's private names: what this package reads, calls and replaces of them, all of it.

A private name may go, or mean something else, with any patch release. Each is listed here with what it is: a
function by its parameters, anything else by its type. The start holds the installed MiniStack to the list,
and ends with a message that names what differs, instead of an emulator that answers wrongly.

`stepfunctions.executions` of this module is `ministack.services.stepfunctions._executions`.
"""

import inspect
from importlib import import_module, metadata
from typing import Any

from ministack.core.lambda_runtime import ProvidedWorker

MADE_FOR = "1.5.33"
"""The version of MiniStack that this package is tested with."""


class Private:
    """The listed private names of one of MiniStack's modules, without their underscore, and no other."""

    __slots__ = ("module", "names")
    module: str
    names: dict[str, str]

    def __init__(self, module: str, names: dict[str, str]) -> None:
        """List a module's names, each with what it is."""
        object.__setattr__(self, "module", module)
        object.__setattr__(self, "names", names)

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.module), self._listed(name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(import_module(self.module), self._listed(name), value)

    def _listed(self, name: str) -> str:
        if name not in self.names:
            raise AttributeError(f"_{name} of {self.module} is not in the list of private names")
        return f"_{name}"


_STORE = "AccountRegionScopedDict"
_RESOLVE = "(template, provided_params, previous_params)"
app = Private(
    "ministack.app",
    {
        "build_persistence_save_dict": "()",
        "dispatch_service_request": "(method, path, headers, body, query_params, request_id)",
        "enforce_data_plane": (
            "(service, iam_action, headers, query_params, "
            "request_id, resource_arn, service_context, auth_error_response, named_resource)"
        ),
        "enforce_execute_api": "(api_id, stage, method, execute_path, headers, query_params, iam_action)",
    },
)
iam_actions = Private("ministack.core.iam_actions", {"BOTOCORE_SERVICE_MAP": "dict"})
iam_evaluator = Private(
    "ministack.core.iam_evaluator",
    {
        "gather_role_policies": "(role_name, account_id)",
        "permissions_boundary": "(store, name, account_id)",
        "resolve_condition_key": "(key, ctx)",
    },
)
apigateway_v1 = Private(
    "ministack.services.apigateway_v1",
    {
        "invoke_lambda_proxy_v1": (
            "(integration, api_id, stage_name, stage, resource, request_path, method, headers, body, "
            "query_params, path_params, owner_account_id, owner_region, binary_media_types, "
            "authorizer_context, caller_identity)"
        ),
        "rest_apis": _STORE,
        "stages_v1": _STORE,
    },
)
cloudformation = Private(
    "ministack.services.cloudformation",
    {"change_sets": _STORE, "stack_events": _STORE, "stacks": _STORE},
)
cloudformation_changesets = Private(
    "ministack.services.cloudformation.changesets",
    {"resolve_parameters": _RESOLVE},
)
cloudformation_handlers = Private(
    "ministack.services.cloudformation.handlers",
    {"ACTION_HANDLERS": "dict", "resolve_parameters": _RESOLVE},
)
cloudformation_provisioners = Private(
    "ministack.services.cloudformation.provisioners",
    {"RESOURCE_HANDLERS": "dict"},
)
cloudformation_stacks = Private(
    "ministack.services.cloudformation.stacks",
    {
        "delete_resource": "(resource_type, physical_id, props, stack_name, logical_id)",
        "provision_resource": "(resource_type, logical_id, props, stack_name)",
        "runs_on_worker_thread": "(resource_type)",
        "update_resource": (
            "(resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs)"
        ),
    },
)
cloudfront = Private("ministack.services.cloudfront", {"distributions": "AccountScopedDict"})
cloudwatch = Private(
    "ministack.services.cloudwatch",
    {
        "alarms": _STORE,
        "evaluate_alarm": "(alarm)",
        "metrics": _STORE,
        "set_alarm_state": "(params, cbor_data, is_cbor, is_json)",
    },
)
cloudwatch_logs = Private(
    "ministack.services.cloudwatch_logs",
    {
        "compile_filter_pattern": "(raw)",
        "fanout_to_subscription_filters": "(group_name, stream_name, events)",
        "metric_filters": _STORE,
    },
)
ec2 = Private(
    "ministack.services.ec2",
    {"ACTION_MAP": "dict", "vpc_endpoints": _STORE, "vpc_peering": _STORE},
)
eventbridge = Private(
    "ministack.services.eventbridge",
    {
        "SCHEDULER_TICK_INTERVAL": "int",
        "invoke_target": "(target, event, rule, view)",
    },
)
iam = Private("ministack.services.iam", {"IAM_HANDLERS": "dict", "roles": "AccountScopedDict"})
lambda_svc = Private(
    "ministack.services.lambda_svc",
    {
        "emit_lambda_metrics": "(function_name, duration_ms, error, throttle)",
        "execute_function_docker": "(func, event, request_id)",
        "execute_function_warm": "(func, event, request_id)",
        "functions": _STORE,
        "provided_code_lock": "lock",
        "provided_runtime_code_dir": "(code_zip)",
        "provided_worker_env": "(config, code_dir, port)",
        "reserved_concurrency": "(func, config)",
    },
)
s3 = Private(
    "ministack.services.s3",
    {
        "bucket_owner_account": "(name)",
        "bucket_policies": "AccountScopedDict",
        "foreign_bucket_allows": "(owner_account, bucket_name, key, method, query_params, caller, headers)",
        "get_object_data": "(bucket_name, key, version_id)",
        "object_versions": "AccountScopedDict",
    },
)
scheduler = Private("ministack.services.scheduler", {"SCHEDULE_TICK_INTERVAL": "int"})
stepfunctions = Private(
    "ministack.services.stepfunctions",
    {
        "emit_execution_status_event": "(execution)",
        "executions": _STORE,
        "map_runs": _STORE,
        "start_execution": "(data)",
        "state_machine_aliases": _STORE,
        "state_machine_versions": _STORE,
        "state_machines": _STORE,
        "task_tokens": _STORE,
        "validate_definition_jsonata": "(definition_str)",
    },
)

MODULES = tuple(each for each in list(globals().values()) if isinstance(each, Private))
OVERRIDDEN = {
    "_await_init": "(self, init_timeout)",
    "_build_handler_class": "(self, generation, pending)",
    "_drain_stderr": "(self)",
    "_drain_stderr_bounded": "(self, first_line_wait, idle_confirm, hard_cap)",
    "_pump_output": "(self, stream, log_queue)",
    "_spawn": "(self, init_timeout)",
}
"""Methods of MiniStack's worker for custom runtimes that a sandbox overrides."""


class MiniStackUnsuitable(RuntimeError):  # noqa: N818 - it reads as what happened
    """The installed MiniStack is not what this package stands on; the message lists what differs."""


def missing() -> list[str]:
    """Return the private names that the installed MiniStack lacks, or has otherwise, and how it has them."""
    absent: list[str] = []
    for door in MODULES:
        try:
            module = import_module(door.module)
        except ImportError:
            absent.append(door.module)
            continue
        for name, kind in door.names.items():
            absent += _differences(f"{door.module}._{name}", getattr(module, f"_{name}", None), kind)
    for name, kind in OVERRIDDEN.items():
        absent += _differences(f"ProvidedWorker.{name}", getattr(ProvidedWorker, name, None), kind)
    return absent


def _differences(name: str, installed: Any, kind: str) -> list[str]:
    if installed is None:
        return [name]
    shown = type(installed).__name__
    if inspect.isfunction(installed):
        shown = f"({', '.join(inspect.signature(installed).parameters)})"
    return [] if shown == kind else [f"{name} as {kind} (it has {shown})"]


def check() -> None:
    """Refuse a MiniStack that differs in one of the names.

    Raises:
        MiniStackUnsuitable: it does.
    """
    absent = missing()
    if absent:
        raise MiniStackUnsuitable(
            f"MiniStack {metadata.version('ministack')} has no {'; '.join(absent)}; "
            f"this package is made for MiniStack {MADE_FOR}"
        )
